// Threads that wait for work: as many as were ever busy at the same time.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace tarn::session {

// Thread-safe.
class Crew {
 public:
  Crew() = default;
  // Waits for all work to end; nobody may hand in more.
  ~Crew();
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;

  // Starts at once, on a thread of its own.
  void start(std::function<void()> work);

 private:
  void serve();

  std::mutex mutex_;  // guards all below
  std::condition_variable changed_;
  std::deque<std::function<void()>> waiting_;
  std::vector<std::thread> threads_;
  size_t idle_ = 0;
  bool closing_ = false;
};

}  // namespace tarn::session
