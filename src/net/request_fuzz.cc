// The parts of a request that we read ourselves. Lines: target, Host, Origin, Authorization; the rest is a
// text that goes into a URL. Without the token nothing passes; what is encoded is decoded to itself.
#include "base/input_fuzz.h"
#include "net/http_client.h"
#include "net/http_gate.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using tarn::must;
  namespace net = tarn::net;
  tarn::FuzzInput input(data, size);
  net::HttpServerRequest request;
  auto target = input.take_line();
  if (!net::read_target(target, request)) {
    request.path = "/";
  }
  for (const char* name : {"host", "origin", "authorization"}) {
    if (auto value = input.take_line(); !value.empty()) {
      request.headers[name] = value;
    }
  }
  net::HttpServerOptions options;
  options.token = "0123456789abcdef";
  auto refusal = net::refuse(options, request);
  auto authorization = request.headers.find("authorization");
  must(refusal || (authorization != request.headers.end() && authorization->second.ends_with(options.token)),
       "nothing passes without the token");
  must(refusal || net::is_loopback(net::host_without_port(request.headers["host"])), "only our hosts pass");
  std::string text(input.rest());
  net::HttpServerRequest encoded;
  must(net::read_target("/" + net::url_encode(text) + "?a=" + net::url_encode(text), encoded),
       "an encoded target is read");
  must(encoded.path == "/" + text && encoded.query["a"] == text, "what is encoded is decoded to itself");
  (void)net::is_private_address(text);
  if (auto origin = net::url_origin(target)) {
    must(origin->starts_with("http://") || origin->starts_with("https://"), "an origin is of HTTP");
  }
  return 0;
}
