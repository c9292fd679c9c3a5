// A few threads for short blocking jobs, such as syncs: a disk serves several at once in the time of one.
// Any thread may call run_all(); jobs must not call it themselves.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "base/result.h"

namespace tarn {

class WorkerPool {
 public:
  explicit WorkerPool(int threads);
  ~WorkerPool();  // waits for the jobs that run
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  using Job = std::function<Status()>;
  // Runs all jobs, one of them on this thread, and returns when all have ended: with the first error, if any.
  Status run_all(std::vector<Job> jobs);

 private:
  struct Round {
    std::vector<Job> jobs;
    size_t next = 0;  // the first that nobody has taken
    size_t running = 0;
    Status outcome;
    std::condition_variable done;
  };
  void work_loop();
  void work_on(Round& round, std::unique_lock<std::mutex>& lock);

  std::mutex mutex_;  // guards all below and every Round
  std::condition_variable wake_;
  std::deque<Round*> rounds_;  // with jobs that nobody has taken; at most one a calling thread
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace tarn
