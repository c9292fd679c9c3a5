#include "session/watchdog.h"

#include <algorithm>

namespace tarn::session {
namespace {

// An interrupt that comes just before a statement starts is lost, so it is sent again until the run ends.
constexpr auto kRepeat = std::chrono::milliseconds(5);
constexpr auto kLongest = std::chrono::hours(1);

}  // namespace

void Run::cancel() {
  std::lock_guard lock(watchdog_->mutex_);
  if (!ended_ && reason_ == StopReason::kNone) {
    reason_ = StopReason::kCancelled;
    watchdog_->changed_.notify_all();
  }
}

StopReason Run::stop_reason() const {
  std::lock_guard lock(watchdog_->mutex_);
  return reason_;
}

bool Run::ended() const {
  std::lock_guard lock(watchdog_->mutex_);
  return ended_;
}

void Run::end() {
  std::lock_guard lock(watchdog_->mutex_);
  if (ended_) {
    return;
  }
  ended_ = true;
  watchdog_->runs_.remove(this);
  if (has_slot_) {
    ++watchdog_->free_slots_;
    has_slot_ = false;
    watchdog_->changed_.notify_all();
  }
}

Watchdog::Watchdog(Env& env, int slots)
    : clock_(*env.clock), free_slots_(std::max(1, slots)), thread_([this] { watch(); }) {}

Watchdog::~Watchdog() {
  {
    std::lock_guard lock(mutex_);
    closing_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

std::shared_ptr<Run> Watchdog::make(engine::Connection& connection, RunOptions options) {
  std::shared_ptr<Run> run(new Run(shared_from_this(), connection, options));
  if (options.time_limit.count() > 0) {
    run->deadline_ = clock_.steady() + options.time_limit;
  }
  std::lock_guard lock(mutex_);
  runs_.push_back(run.get());
  changed_.notify_all();
  return run;
}

Status Watchdog::start(Run& run) {
  std::unique_lock lock(mutex_);
  if (!run.options_.takes_slot) {
    return ok();
  }
  changed_.wait(lock, [&] { return free_slots_ > 0 || run.reason_ != StopReason::kNone; });
  if (run.reason_ == StopReason::kCancelled) {
    return Error{Code::kCancelled, "the statement was cancelled while it waited for a free slot"};
  }
  if (run.reason_ == StopReason::kTimeLimit) {
    return Error{
        Code::kTimeout,
        "the time limit ran out while the statement waited for a free slot; try again when less is running"};
  }
  --free_slots_;
  run.has_slot_ = true;
  return ok();
}

void Watchdog::stop_if_due(Run& run, Duration now) {
  if (run.reason_ == StopReason::kNone && run.deadline_ && *run.deadline_ <= now) {
    run.reason_ = StopReason::kTimeLimit;
    changed_.notify_all();
  }
}

bool Watchdog::interrupt_due(Duration now) {
  bool any = false;
  for (auto* run : runs_) {
    stop_if_due(*run, now);
    if (run->reason_ != StopReason::kNone && (run->has_slot_ || !run->options_.takes_slot)) {
      run->connection_.interrupt();  // only sets a flag
      any = true;
    }
  }
  return any;
}

void Watchdog::watch() {
  std::unique_lock lock(mutex_);
  while (!closing_) {
    auto now = clock_.steady();
    Duration wait = interrupt_due(now) ? Duration(kRepeat) : Duration(kLongest);
    for (auto* run : runs_) {
      if (run->reason_ == StopReason::kNone && run->deadline_) {
        wait = std::min(wait, *run->deadline_ - now);
      }
    }
    changed_.wait_for(lock, wait);
  }
}

}  // namespace tarn::session
