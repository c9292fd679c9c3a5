// What a run looks like while it works: on a terminal a live line for each running task, else a line for each
// end.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "app/show/terminal.h"
#include "base/env/env.h"
#include "flow/executor.h"

namespace tarn::app {

// Writes to stderr. A thread of its own keeps the live lines moving.
class Progress final : public flow::RunObserver {
 public:
  Progress(Clock& clock, bool live, Colors colors);
  ~Progress() override;
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void run_started(const flow::RunRecord& run, size_t tasks) override;
  void task_started(const flow::TaskRecord& task) override;
  void task_progress(const std::string& task, const std::string& text) override;
  void task_line(const std::string& task, const std::string& text) override;
  void task_retried(const std::string& task, const std::string& error, Duration delay) override;
  void task_ended(const flow::TaskRecord& task) override;
  void run_ended(const flow::RunRecord& run) override;
  void run_waiting(const std::string& run_id, const std::string& reason) override;
  // Somebody pressed Ctrl-C. From any thread.
  void stopping();

 private:
  struct Running {
    std::string text;
    Duration since{0};
  };
  void tick();
  // All below under mutex_.
  void say(const std::string& line);
  void write(const std::string& text);  // instead of the live lines, which are drawn anew below it
  [[nodiscard]] std::string erased() const;
  std::string drawn();
  [[nodiscard]] std::string task_text(const flow::TaskRecord& task) const;

  Clock& clock_;
  const bool live_;
  const Colors colors_;
  std::mutex mutex_;
  size_t total_ = 0, ended_ = 0, not_started_ = 0;
  Duration began_{0};
  std::map<std::string, int> counts_;
  std::vector<std::string> failed_;
  std::map<std::string, Running> running_;
  std::vector<int> drawn_;  // cells of each live line on the terminal
  bool stopping_ = false, over_ = false;
  std::condition_variable changed_;
  std::thread ticker_;  // only when live
};

}  // namespace tarn::app
