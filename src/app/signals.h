// Ctrl-C, SIGTERM and SIGHUP as a call on a thread of its own. Make it before any other thread starts.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <thread>

namespace tarn::app {

class Signals {
 public:
  Signals();
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  // Called for each signal until the next on_signal(); without one the process ends with 130, as by default.
  void on_signal(std::function<void()> callback);
  // The same for SIGTERM and SIGHUP alone, which then do not count as Ctrl-C.
  void on_end(std::function<void()> callback);

 private:
  void watch();
  std::atomic<bool> stopping_{false};
  std::mutex mutex_;
  std::function<void()> callback_, end_;
  std::thread thread_;
};

}  // namespace tarn::app
