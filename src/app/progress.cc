#include "app/progress.h"

#include <unistd.h>

#include <cstdio>

#include <fmt/format.h>

#include "base/time.h"

namespace tarn::app {
namespace {

constexpr Duration kRedraw{80'000};
constexpr int kLinesMax = 8;

std::string rows_text(const flow::TaskRecord& task) {
  const auto& counts = task.report.counts;
  std::string text;
  if (counts.rows_written > 0)
    text += fmt::format("{} rows", counts.rows_written);
  if (counts.rows_quarantined > 0) {
    text += fmt::format("{}{} in quarantine", text.empty() ? "" : ", ", counts.rows_quarantined);
  }
  return text;
}

Duration time_of(const flow::TaskRecord& task) {
  if (!task.started_at || !task.finished_at)
    return Duration{0};
  return std::chrono::duration_cast<Duration>(*task.finished_at - *task.started_at);
}

}  // namespace

void Progress::say(const std::string& line) {
  clear();
  fmt::print(stderr, "{}\n", line);
  draw();
}

void Progress::clear() {
  if (drawn_ == 0)
    return;
  fmt::print(stderr, "\033[{}A\033[J", drawn_);
  drawn_ = 0;
}

void Progress::draw() {
  if (!live_ || running_.empty())
    return;
  const int width = terminal_width(STDERR_FILENO);
  const auto now = clock_.steady();
  drawn_at_ = now;
  int lines = 0;
  for (const auto& [name, running] : running_) {
    if (lines == kLinesMax) {
      fmt::print(stderr, "{}\n", colors_.dim(fmt::format("  … {} more", running_.size() - kLinesMax)));
      ++lines;
      break;
    }
    const auto line = fmt::format("  {}  {}  {}", name, format_duration(now - running.since), running.text);
    fmt::print(stderr, "{}\n", colors_.dim(width > 0 ? cut_to_width(one_line(line), width - 1) : line));
    ++lines;
  }
  drawn_ = lines;
  std::fflush(stderr);
}

void Progress::run_started(const flow::RunRecord& run, size_t tasks) {
  total_ = tasks;
  say(colors_.dim(fmt::format("run {}: {} task{}", run.id, tasks, tasks == 1 ? "" : "s")));
}

void Progress::task_started(const flow::TaskRecord& task) {
  running_[task.name] = {task.kind, clock_.steady()};
  clear();
  draw();
}

void Progress::task_progress(const std::string& task, const std::string& text) {
  const auto found = running_.find(task);
  if (found == running_.end())
    return;
  found->second.text = text;
  if (!live_ || clock_.steady() - drawn_at_ < kRedraw)
    return;
  clear();
  draw();
}

void Progress::task_line(const std::string& task, const std::string& text) {
  if (!text.starts_with("warning: "))
    return;
  say(fmt::format("{} {}: {}", colors_.yellow("warning"), task, text.substr(9)));
}

void Progress::task_retried(const std::string& task, const std::string& error, Duration delay) {
  say(fmt::format("{}   {}: {}; again in {}", colors_.yellow("retry"), task, error, format_duration(delay)));
}

void Progress::task_ended(const flow::TaskRecord& task) {
  running_.erase(task.name);
  ++ended_;
  ++counts_[std::string(flow::name_of(task.state))];
  const auto place = colors_.dim(fmt::format("{:>{}}/{}", ended_, std::to_string(total_).size(), total_));
  switch (task.state) {
    case flow::State::kDone: {
      const auto rows = rows_text(task);
      say(fmt::format("{} {} {} {}  {}{}{}", place, colors_.green("done  "),
                      colors_.dim(fmt::format("{:<6}", task.kind)), task.name, rows, rows.empty() ? "" : "  ",
                      colors_.dim(format_duration(time_of(task)))));
      break;
    }
    case flow::State::kFailed:
      say(fmt::format("{} {} {} {}: {}", place, colors_.red("failed"),
                      colors_.dim(fmt::format("{:<6}", task.kind)), task.name, task.error));
      break;
    case flow::State::kSkipped:
      say(fmt::format("{} {} {} {}: {}", place, colors_.yellow("skip  "),
                      colors_.dim(fmt::format("{:<6}", task.kind)), task.name, task.error));
      break;
    default:
      say(fmt::format("{} {} {} {}", place, colors_.yellow("cancel"),
                      colors_.dim(fmt::format("{:<6}", task.kind)), task.name));
  }
}

void Progress::run_ended(const flow::RunRecord& run) {
  std::string counts;
  for (const auto& [state, count] : counts_)
    counts += fmt::format("{}{} {}", counts.empty() ? "" : ", ", count, state);
  const auto took =
      run.finished_at ? std::chrono::duration_cast<Duration>(*run.finished_at - run.started_at) : Duration{0};
  const auto state =
      run.exit_code == 0 ? colors_.green("done") : colors_.red(std::string(flow::name_of(run.state)));
  say(fmt::format("{}: {} in {}", state, counts.empty() ? "nothing to do" : counts, format_duration(took)));
}

}  // namespace tarn::app
