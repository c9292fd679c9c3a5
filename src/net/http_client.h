// One outgoing HTTP request at a time, streamed to a sink, within limits. Used by sources and by commands
// that talk to a running server. Not for requests that must outlive their caller. A client keeps its
// connections; one thread at a time. The sink sees the bytes as received: nothing is decoded. What a redirect
// answers never reaches the sink; headers of the request go on only to the same origin.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace tarn::net {

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

struct HttpRequest {
  std::string method = "GET";
  std::string url;
  HttpHeaders headers;
  std::string body;
  bool* sent = nullptr;  // set before anything of it may reach the other side; may be null
};

struct HttpLimits {
  std::chrono::milliseconds connect_timeout{10'000};
  std::chrono::milliseconds total_timeout{300'000};
  std::chrono::milliseconds idle_timeout{30'000};  // nothing received for so long
  uint64_t body_bytes_max = uint64_t{1} << 30;
  bool follow_redirects = true;  // false: a redirect is an answer like any other, without its body
  int redirects_max = 5;
  bool allow_private_addresses = false;  // loopback, private and link-local networks
  std::string ca_file;                   // trusted certificates instead of the system's; empty: the system's
};

struct HttpResponse {
  int status = 0;
  HttpHeaders headers;    // of the last answer; names in lower case, in the order received
  std::string final_url;  // after redirects
  int redirects = 0;
  uint64_t body_bytes = 0;
  std::chrono::microseconds first_byte{0};
  std::chrono::microseconds total{0};

  // The value of the first header of that (lower-case) name; empty when there is none.
  [[nodiscard]] std::string_view header(std::string_view name) const;
};

// Takes the body in pieces; an error ends the request and is what send() returns.
using HttpSink = std::function<Status(std::string_view bytes)>;

class HttpClient {
 public:
  HttpClient();
  ~HttpClient();
  HttpClient(HttpClient&&) noexcept;
  HttpClient& operator=(HttpClient&&) noexcept;

  // kUnavailable: the other side did not answer properly (retrying may help); kTimeout; kExhausted: the body
  // is larger than allowed or there are too many redirects; kDenied: an address that may not be reached;
  // kInvalid: not a URL; kCancelled. An answer of any HTTP status is not an error. `cancelled` may be empty.
  Result<HttpResponse> send(const HttpRequest& request, const HttpLimits& limits, const HttpSink& sink,
                            const std::function<bool()>& cancelled = {});
  // After send() failed: whether the other side may have got the request, or a part of it.
  [[nodiscard]] bool may_have_arrived() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// True for loopback, private, link-local, carrier and otherwise not public addresses, of IPv4 or IPv6.
bool is_private_address(std::string_view address);

// Percent-encodes everything but unreserved characters.
std::string url_encode(std::string_view text);

// "https://host:8443" of a URL, lower case, without the scheme's own port; kInvalid unless http or https.
Result<std::string> url_origin(const std::string& url);

}  // namespace tarn::net
