// A connection whose calls are made by another thread, so that whoever waits for one can be answered although
// the engine goes on: some functions look at no interrupt for seconds. Such a call is left to itself: it can
// commit nothing any more, and its connection ends with it.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>

#include "base/env/env.h"
#include "engine/connection.h"
#include "session/crew.h"

namespace tarn::session {

class Run;

// One caller at a time, but stop() from any thread. The crew must outlive it.
class Link : public std::enable_shared_from_this<Link> {
 public:
  Link(std::unique_ptr<engine::Connection> connection, Crew& crew, Clock& clock)
      : crew_(crew), clock_(clock), connection_(std::move(connection)) {}

  // For calls that end by themselves; while no other is under way and the link was not left.
  engine::Connection& connection() { return *connection_; }

  // Makes the call and waits for it. nullopt: it was left to itself; `run` ends when it does. `work` must own
  // what it uses, and finds the connection by this link.
  template <class T>
  std::optional<T> call(const std::shared_ptr<Run>& run, std::function<T(engine::Connection&)> work) {
    auto answer = std::make_shared<std::optional<T>>();
    auto body = [this, answer, work = std::move(work)] { answer->emplace(work(*connection_)); };
    if (!make_call(run, std::move(body), [answer] { answer->reset(); })) {
      return std::nullopt;
    }
    return std::move(*answer);
  }

  // Closes the connection, which rolls back and may have to wait for the engine; for the end of a session.
  void close(const std::shared_ptr<Run>& run);

  // Interrupts the call under way; leaves it when it was told so for long enough.
  void stop(Duration asked_at);

  // No call is possible any more.
  [[nodiscard]] bool is_left() const;

 private:
  bool make_call(const std::shared_ptr<Run>& run, std::function<void()> body, std::function<void()> drop);
  void finish(Run& run, const std::function<void()>& drop);
  void drop_connection();

  Crew& crew_;
  Clock& clock_;
  std::unique_ptr<engine::Connection> connection_;
  mutable std::mutex mutex_;  // guards all below
  std::condition_variable changed_;
  bool under_way_ = false;
  bool left_ = false;
  Duration began_{0};
};

}  // namespace tarn::session
