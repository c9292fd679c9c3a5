// What a run looks like while it works: on a terminal a live line for each running task, else a line for each
// end.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "app/show/terminal.h"
#include "base/env/env.h"
#include "flow/executor.h"

namespace tarn::app {

// Writes to stderr. Called by one thread at a time (flow::RunObserver).
class Progress final : public flow::RunObserver {
 public:
  Progress(Clock& clock, bool live, Colors colors) : clock_(clock), live_(live), colors_(colors) {}
  ~Progress() override { clear(); }

  void run_started(const flow::RunRecord& run, size_t tasks) override;
  void task_started(const flow::TaskRecord& task) override;
  void task_progress(const std::string& task, const std::string& text) override;
  void task_line(const std::string& task, const std::string& text) override;
  void task_retried(const std::string& task, const std::string& error, Duration delay) override;
  void task_ended(const flow::TaskRecord& task) override;
  void run_ended(const flow::RunRecord& run) override;

 private:
  struct Running {
    std::string text;
    Duration since{0};
  };
  void say(const std::string& line);
  void clear();
  void draw();

  Clock& clock_;
  const bool live_;
  const Colors colors_;
  size_t total_ = 0, ended_ = 0;
  std::map<std::string, int> counts_;
  std::map<std::string, Running> running_;
  int drawn_ = 0;  // lines on the terminal that the next drawing replaces
  Duration drawn_at_{0};
};

}  // namespace tarn::app
