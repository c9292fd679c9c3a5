// SQL sessions that a client of the API holds open from one request to the next: temporary tables, macros,
// transactions. One that nobody uses for half an hour ends.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "base/env/env.h"
#include "base/result.h"
#include "serve/backend.h"

namespace tarn::serve {

// Thread-safe.
class SqlSessions {
 public:
  SqlSessions(Env& env, Backend& backend) : env_(env), backend_(backend) {}

  Result<std::string> open(const SessionRequest& request);  // its id
  Status close(const std::string& id);
  void close_all();

  // A session while one request uses it.
  class Held {
   public:
    Held(SqlSessions& owner, std::string id, std::shared_ptr<SqlSession> session)
        : owner_(owner), id_(std::move(id)), session_(std::move(session)) {}
    ~Held() { owner_.give_back(id_); }
    Held(const Held&) = delete;
    Held& operator=(const Held&) = delete;
    SqlSession& session() { return *session_; }

   private:
    SqlSessions& owner_;
    const std::string id_;
    const std::shared_ptr<SqlSession> session_;
  };
  // Waits a little for the request before; kConflict when that one goes on.
  Result<std::unique_ptr<Held>> take(const std::string& id);

 private:
  struct Entry {
    std::shared_ptr<SqlSession> session;
    bool busy = false;
    Duration used_at{0};
  };
  void give_back(const std::string& id);
  std::vector<std::shared_ptr<SqlSession>> take_idle();  // under mutex_

  Env& env_;
  Backend& backend_;
  std::mutex mutex_;  // guards all below
  std::condition_variable changed_;
  std::map<std::string, Entry> entries_;
};

// The server does not know the session (any more).
Error session_gone(const std::string& id);
bool is_session_gone(const Error& error);

}  // namespace tarn::serve
