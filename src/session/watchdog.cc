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
  if (!ended_) {
    watchdog_->stop(*this, StopReason::kCancelled);
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

std::shared_ptr<Run> Watchdog::make(std::shared_ptr<Link> link, RunOptions options) {
  std::shared_ptr<Run> run(new Run(shared_from_this(), std::move(link), std::move(options)));
  run->started_at_ = clock_.now();
  if (run->options_.time_limit.count() > 0) {
    run->deadline_ = clock_.steady() + run->options_.time_limit;
  }
  std::lock_guard lock(mutex_);
  runs_.push_back(run.get());
  changed_.notify_all();
  return run;
}

Status Watchdog::start(Run& run) {
  std::unique_lock lock(mutex_);
  if (!run.options_.takes_slot) {
    return run.reason_ == StopReason::kCancelled
               ? Status(Error{Code::kCancelled, "the statement was cancelled"})
               : ok();
  }
  changed_.wait(lock, [&] { return free_slots_ > 0 || run.reason_ != StopReason::kNone; });
  if (run.reason_ == StopReason::kCancelled) {
    return Error{Code::kCancelled, "the statement was cancelled before it started"};
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

void Watchdog::stop(Run& run, StopReason reason) {
  if (run.reason_ == StopReason::kNone) {
    run.reason_ = reason;
    run.stopped_at_ = clock_.steady();
    changed_.notify_all();
  }
}

bool Watchdog::interrupt_due(Duration now) {
  bool any = false;
  for (auto* run : runs_) {
    if (run->deadline_ && *run->deadline_ <= now) {
      stop(*run, StopReason::kTimeLimit);
    }
    if (run->reason_ != StopReason::kNone && (run->has_slot_ || !run->options_.takes_slot)) {
      run->link_->stop(run->stopped_at_);
      any = true;
    }
  }
  return any;
}

std::vector<StatementInfo> Watchdog::statements() {
  std::lock_guard lock(mutex_);
  std::vector<StatementInfo> all;
  for (const auto* run : runs_) {
    const auto* state = run->reason_ != StopReason::kNone             ? "stopping"
                        : run->options_.takes_slot && !run->has_slot_ ? "waiting"
                                                                      : "running";
    all.push_back({run->options_.sql, state, run->options_.takes_slot, run->started_at_});
  }
  return all;
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
