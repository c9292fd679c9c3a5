#include "serve/http/sql_sessions.h"

#include <fmt/format.h>

#include "base/ids.h"

namespace tarn::serve {
namespace {

constexpr size_t kSessionsMax = 64;
constexpr std::chrono::minutes kIdleMax{30};
constexpr std::chrono::seconds kPatience{5};
constexpr std::string_view kGone = "the server holds no session ";

}  // namespace

Result<std::string> SqlSessions::open(const SessionRequest& request) {
  std::vector<std::shared_ptr<SqlSession>> idle;  // ends after the lock
  TARN_TRY(auto session, backend_.open_session(request));
  const std::lock_guard lock(mutex_);
  idle = take_idle();
  if (entries_.size() >= kSessionsMax) {
    return Error{Code::kExhausted,
                 fmt::format("{} sessions are open; close one of them first", entries_.size())};
  }
  auto id = new_uuid(*env_.random);
  entries_[id] = {.session = std::move(session), .used_at = env_.clock->steady()};
  return id;
}

Status SqlSessions::close(const std::string& id) {
  std::shared_ptr<SqlSession> closed;
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(id);
  if (found == entries_.end())
    return session_gone(id);
  closed = std::move(found->second.session);
  entries_.erase(found);
  return ok();
}

void SqlSessions::close_all() {
  std::map<std::string, Entry> closed;
  const std::lock_guard lock(mutex_);
  closed.swap(entries_);
}

Result<std::unique_ptr<SqlSessions::Held>> SqlSessions::take(const std::string& id) {
  std::vector<std::shared_ptr<SqlSession>> idle;
  std::unique_lock lock(mutex_);
  idle = take_idle();
  const auto entry = [this, &id] {
    const auto found = entries_.find(id);
    return found == entries_.end() ? nullptr : &found->second;
  };
  const bool is_free =
      changed_.wait_for(lock, kPatience, [&] { return entry() == nullptr || !entry()->busy; });
  if (entry() == nullptr)
    return session_gone(id);
  if (!is_free)
    return Error{Code::kConflict, fmt::format("session {} still runs another statement; wait for it", id)};
  entry()->busy = true;
  return std::make_unique<Held>(*this, id, entry()->session);
}

void SqlSessions::give_back(const std::string& id) {
  const std::lock_guard lock(mutex_);
  if (const auto found = entries_.find(id); found != entries_.end()) {
    found->second.busy = false;
    found->second.used_at = env_.clock->steady();
  }
  changed_.notify_all();
}

std::vector<std::shared_ptr<SqlSession>> SqlSessions::take_idle() {
  std::vector<std::shared_ptr<SqlSession>> idle;
  const auto now = env_.clock->steady();
  for (auto it = entries_.begin(); it != entries_.end();) {
    if (it->second.busy || now - it->second.used_at < kIdleMax) {
      ++it;
      continue;
    }
    idle.push_back(std::move(it->second.session));
    it = entries_.erase(it);
  }
  return idle;
}

Error session_gone(const std::string& id) {
  return Error{Code::kNotFound,
               fmt::format("{}{}: it was not used for {} minutes, or the server was started anew; its "
                           "transaction and temporary tables are gone, the next statement begins a new one",
                           kGone, id, kIdleMax.count())};
}

bool is_session_gone(const Error& error) {
  return error.code == Code::kNotFound && error.message.starts_with(kGone);
}

}  // namespace tarn::serve
