// HTTP/1.1 server for a few local clients: one thread for all sockets, a bounded pool for the handlers, which
// are plain blocking functions. Every request passes the gate first: Host and Origin (DNS rebinding, foreign
// web pages), then the bearer token. Limits on header, body, time and connections hold before a handler is
// called.
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
  std::map<std::string, std::string> query;    // decoded; the last of equal names wins
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
};

// A handler's side of one answer: answer() once, or begin(), write()… and nothing more. Used by the handler's
// thread only. write() waits while the client is slow and fails with kCancelled when it went away.
class HttpServerResponse {
 public:
  virtual ~HttpServerResponse() = default;
  virtual void answer(int status, std::string_view content_type, std::string body) = 0;
  virtual Status begin(int status, std::string_view content_type,
                       const std::vector<std::pair<std::string, std::string>>& headers) = 0;
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
  uint32_t header_bytes_max = 16 * 1024;
  uint64_t body_bytes_max = 64ULL * 1024 * 1024;
  std::chrono::milliseconds read_time_max{30'000};  // for one request's header and body
  std::chrono::milliseconds idle_time_max{75'000};  // between requests
  int handlers = 8;                                 // threads
  int waiting_max = 64;  // requests that may wait for a thread; more are answered 503
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

// Compares in a time that depends on the lengths only.
bool same_secret(std::string_view a, std::string_view b);

}  // namespace tarn::net
