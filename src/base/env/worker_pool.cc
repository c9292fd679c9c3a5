#include "base/env/worker_pool.h"

#include <algorithm>

namespace tarn {

WorkerPool::WorkerPool(int threads) {
  for (int i = 0; i < threads; ++i) {
    threads_.emplace_back([this] { work_loop(); });
  }
}

WorkerPool::~WorkerPool() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (auto& thread : threads_) {
    thread.join();
  }
}

// Takes jobs of the round until none is left to take.
void WorkerPool::work_on(Round& round, std::unique_lock<std::mutex>& lock) {
  while (round.next < round.jobs.size()) {
    Job job = std::move(round.jobs[round.next]);
    ++round.next;
    ++round.running;
    if (round.next == round.jobs.size()) {
      rounds_.erase(std::find(rounds_.begin(), rounds_.end(), &round));
    }
    lock.unlock();
    Status outcome = job();
    lock.lock();
    if (!outcome && round.outcome) {
      round.outcome = std::move(outcome);
    }
    --round.running;
    if (round.running == 0 && round.next == round.jobs.size()) {
      round.done.notify_all();
      return;  // the caller may be gone from here on
    }
  }
}

void WorkerPool::work_loop() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [&] { return stopping_ || !rounds_.empty(); });
    if (rounds_.empty()) {
      return;
    }
    work_on(*rounds_.front(), lock);
  }
}

Status WorkerPool::run_all(std::vector<Job> jobs) {
  if (jobs.empty()) {
    return ok();
  }
  Round round;
  round.jobs = std::move(jobs);
  std::unique_lock lock(mutex_);
  rounds_.push_back(&round);
  if (round.jobs.size() > 1) {
    wake_.notify_all();
  }
  work_on(round, lock);
  round.done.wait(lock, [&] { return round.running == 0; });
  return std::move(round.outcome);
}

}  // namespace tarn
