// A blocking HTTP/1.1 client for Tarn's own server on this machine: no redirects, no TLS, no proxies.
// What fetches from the world is http_client.h.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tarn::net {

struct LocalRequest {
  std::string host = "127.0.0.1";
  int port = 0;
  std::string token;
  std::string method = "GET";
  std::string target;  // path and query
  std::string body;    // JSON; sent when not empty
  // Gets the descriptor once the request is sent, so that another thread may shut it down, and -1 before it
  // is closed. Shut down for writing alone it asks the server to stop and still gets the answer.
  std::function<void(int)> on_sent = {};
};

// Bytes go to `sink` as they come, with the status code; false from it breaks off with kCancelled. Returns
// the status code. kUnavailable when nobody answers or the answer breaks off.
using AnswerSink = std::function<bool(int status, std::string_view bytes)>;
Result<int> send_local(const LocalRequest& request, const AnswerSink& sink);

// The same with the whole body in memory, for small answers.
struct LocalAnswer {
  int status = 0;
  std::string body;
};
Result<LocalAnswer> call_local(const LocalRequest& request);

}  // namespace tarn::net
