#include "app/progress.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include <fmt/format.h>

#include "base/time.h"

namespace tarn::app {
namespace {

constexpr std::chrono::milliseconds kRedraw{100};
constexpr int kLinesMax = 8;
constexpr size_t kFailuresNamed = 5;

std::string rows_text(const flow::TaskRecord& task) {
  const auto& counts = task.report.counts;
  std::string text;
  if (counts.rows_written > 0)
    text += fmt::format("{} row{}", counts.rows_written, counts.rows_written == 1 ? "" : "s");
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

// Further lines of an error stand below its first, apart from the tasks.
std::string indented(const std::string& text) {
  std::string result;
  for (const char c : text) {
    result += c;
    if (c == '\n')
      result += "      ";
  }
  return result;
}

}  // namespace

Progress::Progress(Clock& clock, bool live, Colors colors) : clock_(clock), live_(live), colors_(colors) {
  if (live_)
    ticker_ = std::thread([this] { tick(); });
}

Progress::~Progress() {
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
    running_.clear();
    total_ = 0;
    write("");
  }
  changed_.notify_all();
  if (ticker_.joinable())
    ticker_.join();
}

void Progress::tick() {
  std::unique_lock lock(mutex_);
  while (!over_) {
    changed_.wait_for(lock, kRedraw);
    if (!over_ && total_ > 0)
      write("");
  }
}

void Progress::say(const std::string& line) {
  write(line + "\n");
}

void Progress::write(const std::string& text) {
  if (!live_) {
    fmt::print(stderr, "{}", text);
    return;
  }
  auto all = erased();
  all += text;
  all += drawn();
  // In one piece, so that nothing flickers.
  (void)std::fwrite(all.data(), 1, all.size(), stderr);
  (void)std::fflush(stderr);
}

std::string Progress::erased() const {
  if (drawn_.empty())
    return "";
  // A terminal that became narrower has broken the lines.
  const int width = std::max(1, terminal_width(STDERR_FILENO));
  int rows = 0;
  for (const int cells : drawn_)
    rows += std::max(1, (cells + width - 1) / width);
  return fmt::format("\r\033[{}A\033[J", rows);
}

std::string Progress::drawn() {
  drawn_.clear();
  if (total_ == 0 || ended_ >= total_)
    return "";
  const int width = terminal_width(STDERR_FILENO);
  const auto now = clock_.steady();
  std::string text;
  const auto add = [&](const std::string& line) {
    const auto cut = width > 0 ? cut_to_width(one_line(line), width - 1) : line;
    drawn_.push_back(display_width(cut));
    text += colors_.dim(cut) + "\n";
  };
  int lines = 0;
  for (const auto& [name, running] : running_) {
    if (lines++ == kLinesMax) {
      add(fmt::format("  … and {} more", running_.size() - kLinesMax));
      break;
    }
    add(fmt::format("  {:>7}  {}  {}", format_duration(now - running.since), name, running.text));
  }
  add(fmt::format("  {}/{} {}, {}{}", ended_, total_, stopping_ ? "ended" : "done",
                  format_duration(now - began_), stopping_ ? "; stopping, Ctrl-C again leaves at once" : ""));
  return text;
}

void Progress::run_started(const flow::RunRecord& run, size_t tasks) {
  const std::lock_guard lock(mutex_);
  total_ = tasks;
  began_ = clock_.steady();
  say(colors_.dim(fmt::format("run {}: {} task{}", run.id, tasks, tasks == 1 ? "" : "s")));
}

void Progress::task_started(const flow::TaskRecord& task) {
  const std::lock_guard lock(mutex_);
  running_[task.name] = {task.kind, clock_.steady()};
}

void Progress::task_progress(const std::string& task, const std::string& text) {
  const std::lock_guard lock(mutex_);
  if (const auto found = running_.find(task); found != running_.end())
    found->second.text = text;
}

void Progress::task_line(const std::string& task, const std::string& text) {
  if (!text.starts_with("warning: "))
    return;
  const std::lock_guard lock(mutex_);
  say(fmt::format("{} {}: {}", colors_.yellow("warning"), task, text.substr(9)));
}

void Progress::task_retried(const std::string& task, const std::string& error, Duration delay) {
  const std::lock_guard lock(mutex_);
  if (const auto found = running_.find(task); found != running_.end())
    found->second.text = "waits to try again";
  say(fmt::format("{}   {}: {}; again in {}", colors_.yellow("retry"), task, indented(error),
                  format_duration(delay)));
}

void Progress::task_ended(const flow::TaskRecord& task) {
  const std::lock_guard lock(mutex_);
  running_.erase(task.name);
  ++ended_;
  if (task.state == flow::State::kCancelled && !task.started_at) {
    ++not_started_;  // a line for each would push everything else off the screen
    return;
  }
  ++counts_[std::string(flow::name_of(task.state))];
  if (task.state == flow::State::kFailed || task.state == flow::State::kUnknown)
    failed_.push_back(task.name);
  say(task_text(task));
}

std::string Progress::task_text(const flow::TaskRecord& task) const {
  const auto total = std::max(total_, ended_);  // a flow's tasks may bring about more
  const auto place = colors_.dim(fmt::format("{:>{}}/{}", ended_, std::to_string(total).size(), total));
  const auto line = [&](const std::string& state, const std::string& rest) {
    return fmt::format("{} {} {} {}{}", place, state, colors_.dim(fmt::format("{:<6}", task.kind)), task.name,
                       rest);
  };
  switch (task.state) {
    case flow::State::kDone: {
      const auto rows = rows_text(task);
      return line(colors_.green("done  "), fmt::format("{}{}  {}", rows.empty() ? "" : "  ", rows,
                                                       colors_.dim(format_duration(time_of(task)))));
    }
    case flow::State::kFailed: return line(colors_.red("failed"), ": " + indented(task.error));
    case flow::State::kUnknown: return line(colors_.red("unknown"), ": " + indented(task.error));
    case flow::State::kSkipped: return line(colors_.yellow("skip  "), ": " + indented(task.error));
    default: return line(colors_.yellow("cancel"), "");
  }
}

void Progress::run_waiting(const std::string& run_id, const std::string& reason) {
  const std::lock_guard lock(mutex_);
  say(fmt::format("run {} {}", run_id, reason));
}

void Progress::run_ended(const flow::RunRecord& run) {
  const std::lock_guard lock(mutex_);
  std::string counts;
  const auto add = [&counts](auto number, std::string_view what) {
    counts += fmt::format("{}{} {}", counts.empty() ? "" : ", ", number, what);
  };
  for (const auto& [state, count] : counts_)
    add(count, state);
  if (not_started_ > 0)
    add(not_started_, "not started");
  const auto took =
      run.finished_at ? std::chrono::duration_cast<Duration>(*run.finished_at - run.started_at) : Duration{0};
  const auto state =
      run.exit_code == 0 ? colors_.green("done") : colors_.red(std::string(flow::name_of(run.state)));
  total_ = 0;
  auto text =
      fmt::format("{}: {} in {}", state, counts.empty() ? "nothing to do" : counts, format_duration(took));
  // Among many lines the failures are easily overlooked.
  for (size_t i = 0; ended_ > kFailuresNamed && i < failed_.size(); ++i) {
    text += i == 0 ? "\nfailed: " : ", ";
    text += i < kFailuresNamed ? failed_[i] : fmt::format("and {} more", failed_.size() - i);
    if (i == kFailuresNamed)
      break;
  }
  say(text);
}

void Progress::stopping() {
  const std::lock_guard lock(mutex_);
  stopping_ = true;
  if (!live_)
    say("stopping; a second Ctrl-C leaves at once");
}

}  // namespace tarn::app
