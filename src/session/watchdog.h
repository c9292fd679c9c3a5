// Running statements: at most `slots` people's statements at a time, each stopped when its time is over or
// somebody cancels it. One thread, which sleeps while nothing has to be stopped.
#pragma once

#include <chrono>
#include <condition_variable>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/env/env.h"
#include "base/result.h"
#include "session/link.h"
#include "session/statements.h"

namespace tarn::session {

class Watchdog;

enum class StopReason { kNone, kCancelled, kTimeLimit };

struct RunOptions {
  std::string sql;                          // for those who look at what runs
  std::chrono::milliseconds time_limit{0};  // 0: none
  bool takes_slot = true;
};

// One statement from its start until its rows are read or dropped. One that was left to itself (see Link)
// ends when the engine is through with it, and keeps its slot until then.
class Run {
 public:
  ~Run() { end(); }
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  // From any thread.
  void cancel();
  [[nodiscard]] StopReason stop_reason() const;
  [[nodiscard]] bool ended() const;
  // Gives the slot back; nothing is interrupted afterwards.
  void end();

 private:
  friend class Watchdog;
  Run(std::shared_ptr<Watchdog> watchdog, std::shared_ptr<Link> link, RunOptions options)
      : watchdog_(std::move(watchdog)), link_(std::move(link)), options_(std::move(options)) {}

  std::shared_ptr<Watchdog> watchdog_;
  const std::shared_ptr<Link> link_;
  const RunOptions options_;
  Timestamp started_at_;
  // Guarded by the watchdog's mutex.
  std::optional<Duration> deadline_;  // of the steady clock
  Duration stopped_at_{0};            // of the steady clock, once there is a reason
  StopReason reason_ = StopReason::kNone;
  bool has_slot_ = false;
  bool ended_ = false;
};

class Watchdog : public std::enable_shared_from_this<Watchdog> {
 public:
  Watchdog(Env& env, int slots);
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  // Registers first, so that cancel() works while start() waits for a slot.
  std::shared_ptr<Run> make(std::shared_ptr<Link> link, RunOptions options);
  // Waits for a free slot; fails when the run is cancelled or its time is over before.
  Status start(Run& run);

  [[nodiscard]] std::vector<StatementInfo> statements();

 private:
  friend class Run;
  void watch();
  // True when something has to be interrupted again.
  bool interrupt_due(Duration now);
  void stop(Run& run, StopReason reason);  // under mutex_

  Clock& clock_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::list<Run*> runs_;  // guarded by mutex_
  int free_slots_;        // guarded by mutex_
  bool closing_ = false;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace tarn::session
