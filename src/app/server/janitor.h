// Cleans once a day while a server runs, on a thread of its own.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

#include "base/env/env.h"

namespace tarn::app {

class Janitor {
 public:
  // `look` cleans when it is time; see cleans_now(). Called from the thread.
  explicit Janitor(std::function<void()> look) : look_(std::move(look)) {}
  ~Janitor() { stop(); }
  Janitor(const Janitor&) = delete;
  Janitor& operator=(const Janitor&) = delete;
  void start();
  void stop();  // waits for a cleaning under way, which stops soon when its caller says so

 private:
  void loop();
  const std::function<void()> look_;
  std::mutex mutex_;  // guards the next
  bool stopping_ = false;
  std::condition_variable wake_;
  std::thread thread_;
};

// A day after the last time, also when the clock was set back behind it.
bool cleans_now(const std::optional<Timestamp>& last, Timestamp now);

}  // namespace tarn::app
