// The records of runs in control.sqlite: written before anything starts and kept whatever is killed.
// Thread-safe. Whoever opens them holds the data folder's lock, so a run that still says "running" was
// interrupted.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/env/env.h"
#include "base/result.h"
#include "flow/records.h"
#include "store/store.h"

namespace tarn::flow {

// The end of one attempt, and of its task when it is not tried again.
struct AttemptEnd {
  std::string run_id;
  std::string task;
  int attempt = 1;
  State state = State::kDone;
  bool ends_task = true;
  std::string error;
  std::string error_code;
  TaskReport report;
  std::vector<TaskRecord> follow_ups;  // of an end that is done: tasks that begin now
  std::vector<std::string> inputs;     // one for each of those
};

// The newest outcome of one task over all runs.
struct TaskHistory {
  std::string name;
  TaskRecord last;                        // newest that was tried
  std::optional<Timestamp> last_done_at;  // newest success
  int64_t rows_written = 0;               // by that success
};

class Runs {
 public:
  // Brings the tables up to date and marks what a crash interrupted.
  static Result<std::unique_ptr<Runs>> open(Env& env, store::Store& store);

  // Also for a run that waited, or goes on where it stopped: tasks of it that are done stay so.
  Status start_run(const RunRecord& run, const std::vector<TaskRecord>& tasks);
  // It waits, for the reason in `waits_for`; called again when the reason is another one.
  Status queue_run(const RunRecord& run);
  Status start_attempt(const std::string& run_id, const std::string& task, int attempt);
  Status end_attempt(const AttemptEnd& end, const std::vector<LogLine>& log);
  Status add_log(const std::string& run_id, const std::vector<LogLine>& log);
  // A task that never started: skipped or cancelled.
  Status drop_task(const TaskRecord& task);
  // One that did not come so far: it ended before its tasks did.
  Status fail_waiting(const std::string& run_id, const std::string& error);
  Status end_run(const std::string& run_id, State state, int exit_code, const std::string& error);

  Result<std::vector<RunRecord>> list(int limit);
  Result<std::vector<RunRecord>> list_of(const std::string& selection, int limit);  // newest first
  Result<std::vector<RunRecord>> parts_of(const std::string& run_id);  // in the order of their start
  Result<RunRecord> get(const std::string& run_id);                    // kNotFound names the newest runs
  Result<std::vector<TaskRecord>> tasks(const std::string& run_id);
  Result<std::map<std::string, TaskValues>> values(const std::string& run_id);           // by task
  Result<std::vector<LogLine>> log(const std::string& run_id, const std::string& task);  // "": of all tasks
  Result<std::vector<TaskHistory>> history();
  // By task: another text after each success; without those that never succeeded.
  Result<std::map<std::string, std::string>> newest_done(const std::set<std::string>& tasks);
  // The run that was interrupted in the middle of this task, when nothing finished it since.
  Result<std::optional<std::string>> interrupted_in(const std::string& task);

  [[nodiscard]] store::Store& store() { return store_; }

 private:
  Runs(Env& env, store::Store& store) : env_(env), store_(store) {}
  Status mark_interrupted();
  Result<std::vector<RunRecord>> select_runs(const std::string& condition,
                                             std::initializer_list<store::Bind> binds);

  Env& env_;
  store::Store& store_;
};

}  // namespace tarn::flow
