// Who is logged in by a browser: random secrets in cookies, each for a login. Kept in memory, so a restart of
// the server ends them; the start prints a new link.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "base/env/env.h"
#include "net/http_server.h"

namespace tarn::serve {

// Thread-safe.
class WebSessions {
 public:
  explicit WebSessions(Env& env) : env_(env) {}

  std::string open();                   // the new secret
  bool knows(std::string_view secret);  // a use prolongs it
  void close(std::string_view secret);

 private:
  Env& env_;
  std::mutex mutex_;  // guards all below
  std::map<std::string, Duration, std::less<>> used_at_;
};

// The value of a Set-Cookie header: for the secret, or to end it when that is empty.
std::string session_set_cookie(const net::HttpServerRequest& request, const std::string& secret);

}  // namespace tarn::serve
