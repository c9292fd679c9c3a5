// What a request must show before it is handled: a Host of ours, no foreign Origin, the token.
#pragma once

#include <optional>
#include <string>

#include "net/http_server.h"

namespace tarn::net {

struct Refusal {
  int status = 0;
  std::string message;
};

std::optional<Refusal> refuse(const HttpServerOptions& options, const HttpServerRequest& request);

// "127.0.0.1:7070" -> "127.0.0.1"; "[::1]:7070" -> "[::1]".
std::string host_without_port(std::string_view host);
bool is_loopback(std::string_view host);

// Splits "/a%20b?x=1&y=%2F" into path and query; false when an escape is broken.
bool read_target(std::string_view target, HttpServerRequest& request);

}  // namespace tarn::net
