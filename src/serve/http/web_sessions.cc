#include "serve/http/web_sessions.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/ids.h"

namespace tarn::serve {
namespace {

constexpr std::chrono::hours kIdleMax{24 * 14};
constexpr size_t kSessionsMax = 1000;

}  // namespace

std::string WebSessions::open() {
  auto secret = new_secret(*env_.random);
  const auto now = env_.clock->steady();
  const std::lock_guard lock(mutex_);
  std::erase_if(used_at_, [now](const auto& entry) { return now - entry.second > kIdleMax; });
  if (used_at_.size() >= kSessionsMax) {
    const auto older = [](const auto& a, const auto& b) { return a.second < b.second; };
    used_at_.erase(std::min_element(used_at_.begin(), used_at_.end(), older));
  }
  used_at_[secret] = now;
  return secret;
}

bool WebSessions::knows(std::string_view secret) {
  const auto now = env_.clock->steady();
  const std::lock_guard lock(mutex_);
  const auto found = used_at_.find(secret);
  if (found == used_at_.end())
    return false;
  if (now - found->second > kIdleMax) {
    used_at_.erase(found);
    return false;
  }
  found->second = now;
  return true;
}

void WebSessions::close(std::string_view secret) {
  const std::lock_guard lock(mutex_);
  if (const auto found = used_at_.find(secret); found != used_at_.end())
    used_at_.erase(found);
}

std::string session_set_cookie(const net::HttpServerRequest& request, const std::string& secret) {
  const auto seconds =
      secret.empty() ? 0 : std::chrono::duration_cast<std::chrono::seconds>(kIdleMax).count();
  return fmt::format("{}={}; Path=/; HttpOnly; SameSite=Strict; Max-Age={}",
                     net::session_cookie_name(request), secret, seconds);
}

}  // namespace tarn::serve
