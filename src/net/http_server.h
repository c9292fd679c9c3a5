// HTTP/1.1 server for a few local clients: one thread for all sockets, a bounded pool for the handlers, which
// are plain blocking functions. Every request passes the gate first: Host and Origin (DNS rebinding, foreign
// web pages), then the token or a session's cookie. Limits on header, body, time and connections hold before
// a handler is called.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace tarn::net {

struct HttpServerRequest {
  std::string method;                          // upper case
  std::string path;                            // percent-decoded, without the query
  std::string raw_path;                        // the same as it was sent
  std::map<std::string, std::string> query;    // decoded; the last of equal names wins
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
};

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

// An answer that goes on after its handler returned, for events that are pushed to pages. Any thread; nothing
// here waits. Destroyed or closed: the answer ends.
class HttpPush {
 public:
  virtual ~HttpPush() = default;
  // False when the client is gone, or reads so slowly that its queue is full: then it is dropped.
  virtual bool push(std::string_view bytes) = 0;
  virtual void close() = 0;
  [[nodiscard]] virtual bool is_gone() const = 0;
};

// A handler's side of one answer: answer() once, or begin(), write()… and nothing more. Used by the handler's
// thread only. write() waits while the client is slow and fails with kCancelled when it went away.
class HttpServerResponse {
 public:
  virtual ~HttpServerResponse() = default;
  virtual void answer(int status, std::string_view content_type, std::string body) = 0;
  // Headers of the same name as one of ours (Cache-Control, Content-Security-Policy) go in its place.
  virtual void answer(int status, std::string_view content_type, const HttpHeaders& headers,
                      std::string body) = 0;
  virtual Status begin(int status, std::string_view content_type, const HttpHeaders& headers) = 0;
  // Instead of begin(): the handler may return, its thread serves others, and the answer goes on.
  virtual std::shared_ptr<HttpPush> detach(int status, std::string_view content_type,
                                           const HttpHeaders& headers) = 0;
  virtual Status write(std::string_view bytes) = 0;
  // Ends a begun answer as broken: the connection is closed without its last chunk, so the client notices.
  virtual void break_off() = 0;
  // The client hung up or closed its side, or the server stops.
  [[nodiscard]] virtual bool is_gone() const = 0;
  // Called once from the server's thread when the client hangs up or the server stops; it must not block. A
  // client that closed its side only may still read what answer() says, but no more of a begun answer.
  // Ends with the handler, or by passing an empty function; then it is not running any more.
  virtual void on_gone(std::function<void()> callback) = 0;
};

using HttpHandler = std::function<void(const HttpServerRequest&, HttpServerResponse&)>;

struct HttpServerOptions {
  std::string host = "127.0.0.1";     // an address, or "localhost"
  int port = 0;                       // 0: any free one
  bool allow_public = false;          // without it only loopback addresses are taken
  std::set<std::string> other_hosts;  // further names that a Host header may carry
  std::string token;                  // asked for as "Authorization: Bearer"; empty: no request passes
  std::set<std::string> open_paths;   // answered without a token
  // Further requests that need none: pages without data. On the socket thread; must not block. May be empty.
  std::function<bool(const HttpServerRequest&)> is_open;
  // The secret of a cookie that stands for the token (net/http_gate.h). The same rules.
  std::function<bool(std::string_view secret)> knows_session;
  // Further bearer tokens, each good for some requests only. The same rules.
  std::function<bool(const HttpServerRequest&, std::string_view token)> knows_token;
  // The body of a refusal, for a protocol with a form of its own; empty: the usual one. The same rules.
  std::function<std::string(const HttpServerRequest&, int status, const std::string& message)> refusal_body;
  uint32_t header_bytes_max = 16 * 1024;
  uint64_t body_bytes_max = 64ULL * 1024 * 1024;
  std::chrono::milliseconds read_time_max{30'000};  // for one request's header and body
  std::chrono::milliseconds idle_time_max{75'000};  // between requests
  int handlers = 32;                                // threads: some wait for statements, others must go on
  int waiting_max = 1024;  // requests that may wait for a thread; more are answered 503
  int connections_max = 256;
};

class HttpServer {
 public:
  static Result<std::unique_ptr<HttpServer>> start(HttpServerOptions options, HttpHandler handler);
  virtual ~HttpServer() = default;
  [[nodiscard]] virtual int port() const = 0;
  // Takes no new requests, waits for running ones, at most so long; then tells them that the client is gone.
  virtual void stop(std::chrono::milliseconds patience) = 0;
};

// Reads "x=1&y=%2F", a query or the body of a form; false when an escape is broken.
bool read_query(std::string_view text, std::map<std::string, std::string>& query);

// Compares in a time that depends on the lengths only.
bool same_secret(std::string_view a, std::string_view b);

// The name of the session's cookie: cookies of one host are shared by all its ports, so it has the port in
// it.
std::string session_cookie_name(const HttpServerRequest& request);
// The cookie's value, or "".
std::string session_cookie(const HttpServerRequest& request);
// What a page must send with everything but GET and HEAD, besides its cookie: no form and no foreign page
// can.
inline constexpr std::string_view kPageHeader = "x-tarn-page";

}  // namespace tarn::net
