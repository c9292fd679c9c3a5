// Stops a session's running statement when the task is cancelled.
// Lives on the task's thread beside the session; its destructor waits for its own thread.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "flow/task.h"

namespace tarn::model {

class CancelWatch {
 public:
  CancelWatch(const flow::CancelFlag& flag, session::Session& session)
      : thread_([this, &flag, &session] { watch(flag, session); }) {}
  CancelWatch(const CancelWatch&) = delete;
  CancelWatch& operator=(const CancelWatch&) = delete;
  ~CancelWatch() {
    {
      std::lock_guard lock(mutex_);
      done_ = true;
    }
    wake_.notify_all();
    thread_.join();
  }

 private:
  void watch(const flow::CancelFlag& flag, session::Session& session) {
    std::unique_lock lock(mutex_);
    while (!wake_.wait_for(lock, std::chrono::milliseconds(50), [this] { return done_; })) {
      if (flag.is_set()) {
        session.cancel();  // again and again: it may have come between two statements
      }
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  bool done_ = false;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace tarn::model
