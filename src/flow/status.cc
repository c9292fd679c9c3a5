#include "flow/status.h"

#include <map>

#include <fmt/format.h>

#include "base/time.h"

namespace tarn::flow {
namespace {

std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

// Success of long ago is not fresh, where the task says how old it may be.
void judge_age(const Freshness& freshness, Timestamp now, TaskStatus& status) {
  if (status.state != "fresh" || !status.last_done_at)
    return;
  const auto age = std::chrono::duration_cast<Duration>(now - *status.last_done_at);
  const auto judge = [&](const std::optional<Duration>& limit, const char* state, const char* key) {
    if (!limit || age <= *limit)
      return;
    status.state = state;
    status.why = fmt::format("updated {} ago; freshness says {} {}", format_duration(age), key,
                             format_duration(*limit));
  };
  judge(freshness.warn_after, "late", "warn_after");
  judge(freshness.error_after, "stale", "error_after");
}

TaskStatus status_of_one(const Task& task, const TaskHistory* history) {
  TaskStatus status;
  status.name = task.name();
  status.kind = task.kind();
  status.writes = task.writes();
  status.state = "never run";
  if (history == nullptr)
    return status;
  status.last_run = history->last.run_id;
  status.last_done_at = history->last_done_at;
  status.rows_written = history->rows_written;
  switch (history->last.state) {
    case State::kDone: status.state = "fresh"; break;
    case State::kFailed:
      status.state = "failed";
      status.why = first_line(history->last.error);
      break;
    case State::kInterrupted:
      status.state = "interrupted";
      status.why = "the process ended before the task did; 'tarn run' goes on with it";
      break;
    default: status.state = std::string(name_of(history->last.state));
  }
  return status;
}

using ByName = std::map<std::string, TaskStatus*>;

std::string why_late(const Task& task, const TaskStatus& status, const ByName& by_name) {
  for (const auto& name : task.upstream()) {
    const auto found = by_name.find(name);
    if (found == by_name.end())
      continue;
    const auto& upstream = *found->second;
    if (upstream.state == "fresh" && upstream.last_done_at > status.last_done_at) {
      return fmt::format("{} was updated at {}, after this", name, format_utc(*upstream.last_done_at));
    }
    if (upstream.state != "fresh" && upstream.state != "running") {
      return fmt::format("upstream {} is {}", name, upstream.state);
    }
  }
  return "";
}

}  // namespace

Result<std::vector<TaskStatus>> status_of(Clock& clock, Runs& runs,
                                          const std::vector<std::unique_ptr<Task>>& tasks) {
  TARN_TRY(const auto history, runs.history());
  const auto now = clock.now();
  std::map<std::string, const TaskHistory*> known;
  for (const auto& one : history)
    known[one.name] = &one;
  std::vector<TaskStatus> all;
  all.reserve(tasks.size());
  for (const auto& task : tasks) {
    const auto found = known.find(task->name());
    all.push_back(status_of_one(*task, found == known.end() ? nullptr : found->second));
    judge_age(task->freshness(), now, all.back());
  }
  ByName by_name;
  for (auto& status : all)
    by_name[status.name] = &status;
  // Lateness goes down the graph, one edge a round; the graph has no cycles.
  for (size_t round = 0; round < tasks.size(); ++round) {
    bool changed = false;
    for (size_t i = 0; i < tasks.size(); ++i) {
      if (all[i].state != "fresh")
        continue;
      auto why = why_late(*tasks[i], all[i], by_name);
      if (why.empty())
        continue;
      all[i].state = "late";
      all[i].why = std::move(why);
      changed = true;
    }
    if (!changed)
      break;
  }
  return all;
}

}  // namespace tarn::flow
