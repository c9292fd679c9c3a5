// Runs a graph of tasks: in parallel where the edges allow, with retries, records first.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/env/env.h"
#include "base/result.h"
#include "flow/records.h"
#include "flow/runs.h"
#include "flow/task.h"

namespace tarn::flow {

// Hears what happens, from any of the run's threads, one call at a time.
class RunObserver {
 public:
  virtual ~RunObserver() = default;
  virtual void run_started(const RunRecord& run, size_t tasks) = 0;
  virtual void task_started(const TaskRecord& task) = 0;
  virtual void task_progress(const std::string& task, const std::string& text) = 0;
  virtual void task_line(const std::string& task, const std::string& text) = 0;
  virtual void task_retried(const std::string& task, const std::string& error, Duration delay) = 0;
  virtual void task_ended(const TaskRecord& task) = 0;  // done, failed, skipped, cancelled
  virtual void run_ended(const RunRecord& run) = 0;
  // Before run_started, where runs queue: why it does not start yet.
  virtual void run_waiting(const std::string& run_id, const std::string& reason) {}
  // Who hears of a run that is a part of this one, task by task, besides the task that started it; null:
  // nobody. It may outlive this observer no longer than the run.
  virtual std::unique_ptr<RunObserver> part(const std::string& run_id) { return nullptr; }
};

struct ExecutorOptions {
  int threads = 4;
  std::string command = "run";
  std::string selection;
  bool full_refresh = false;
  std::string data_folder;
  std::string run_id;   // empty: a new one
  std::string part_of;  // "run/task" of the flow that this run is a part of
  std::string schedule;
  std::optional<Timestamp> due_at;
  // Go on with run_id, when it has records: what is done stays, the rest is tried again under the same id,
  // so that commits of before are recognised.
  bool resume = false;
  Duration timeout{0};                 // of the run; 0: none
  Duration task_timeout{0};            // of each attempt; 0: none
  std::function<Status()> admit = {};  // asked before each attempt, which fails with its error
};

struct RunOutcome {
  RunRecord run;
  std::vector<TaskRecord> tasks;
};

// Runs the tasks of the list, in an order that the edges allow; upstream names that are not in it count as
// done. A task is tried again by its policy when it failed with a code that may pass by itself. Fails itself
// only when the records cannot be written or the tasks form a cycle. Cancelled by the flag: running
// statements are stopped, waiting tasks are not started. A task's end may bring about more tasks.
Result<RunOutcome> run_tasks(Env& env, session::SessionService& sessions, Runs& runs,
                             const std::vector<Task*>& tasks, const ExecutorOptions& options,
                             RunObserver& observer, const CancelFlag& cancel);

// 0 done; 1 a task failed; 4 sources unreachable and nothing else failed; 130 cancelled.
int exit_code_of(const std::vector<TaskRecord>& tasks);

// May repeating help? Not for mistakes in the project, failed tests and the like.
bool may_pass_by_itself(Code code);

}  // namespace tarn::flow
