// Whatever runs is a task: a fetch, a model with its tests, a seed. Source and model make them; flow runs
// them.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/env/env.h"
#include "base/result.h"
#include "session/session.h"

namespace tarn::flow {

// What a task says while it works: kept with the attempt, shown as progress. Thread-safe.
class TaskLog {
 public:
  virtual ~TaskLog() = default;
  virtual void line(std::string text) = 0;      // one line of the attempt's log
  virtual void progress(std::string text) = 0;  // short: "page 3, 12,000 rows"
};

// Set from outside to stop a task; tasks look at it between requests, batches and statements.
class CancelFlag {
 public:
  CancelFlag() = default;
  // Set also when `parent` is, which outlives it.
  explicit CancelFlag(const CancelFlag* parent) : parent_(parent) {}
  void set() { set_.store(true); }
  [[nodiscard]] bool is_set() const { return set_.load() || (parent_ != nullptr && parent_->is_set()); }

 private:
  std::atomic<bool> set_{false};
  const CancelFlag* parent_ = nullptr;
};

struct TaskCounts {
  int64_t rows_in = 0;  // parsed
  int64_t rows_written = 0;
  int64_t rows_quarantined = 0;
  int64_t requests = 0;
  int64_t bytes_in = 0;  // as received
};

// Versions of tables that a task read or wrote, for lineage.
struct TableVersion {
  std::string table;        // "schema.name"
  int64_t snapshot_id = 0;  // 0: a view, or an empty table
  bool written = false;
};

// What one data test said: `_tarn.tests`.
struct TestOutcome {
  std::string name;
  std::string path;  // of the file that has it
  int line = 0;
  std::string table;   // "schema.name" that it stands at; empty: a SQL file
  std::string column;  // empty: of the whole table
  std::string kind;    // "unique"; empty: a SQL file
  std::string severity;
  std::string state;  // "passed", "warned", "failed", "error": it could not be run
  int64_t failures = 0;
  std::string message;  // when it did not pass
  std::string sql;      // the same: what was asked
  // The first failing rows; cells are cut.
  std::vector<std::string> columns;
  std::vector<std::vector<std::optional<std::string>>> rows;
};

struct TaskReport {
  TaskCounts counts;
  std::vector<TableVersion> versions;
  int64_t lake_version = 0;  // of its commit; 0: nothing was committed
  std::string compiled_sql;  // models
  std::vector<std::string> warnings;
  std::vector<TestOutcome> tests;
  std::string result;  // a JSON object that later tasks use; empty: none
};

class Task;

// A task that another one brought about: its input is recorded with it, so that it can be made again.
struct FollowUp {
  std::shared_ptr<Task> task;
  std::string input;  // JSON
};

// What the end of a task brings about, besides its report.
struct Sequel {
  std::string left_out;              // it looked and there is nothing to do: why
  std::vector<FollowUp> follow_ups;  // begin now; what waits for the task waits for these, too
  bool unknown = false;              // with a failure: nobody knows whether it was done. Not tried again
  bool final = false;                // with a failure: not tried again
};

struct TaskContext {
  Env& env;
  session::SessionService& sessions;
  TaskLog& log;
  const CancelFlag& cancel;
  std::string run_id;
  int attempt = 1;
  bool full_refresh = false;
  std::string data_folder;  // absolute
  TaskReport* report;       // filled by the task, kept also when it fails
  // "run/task/step": the same for every attempt of this run, so that a repeated commit is recognised.
  std::string token(std::string_view step) const;
  std::string task_name;
  Sequel* sequel = nullptr;  // filled by the task; null where nobody looks
};
std::string token_of(std::string_view run_id, std::string_view task_name, std::string_view step);

struct RetryPolicy {
  int attempts = 1;
  Duration first_delay{1'000'000};
  double factor = 2.0;
  bool any_failure = false;  // also what does not pass by itself, but for mistakes in the text
};

// What a task needs of those before it.
enum class Join {
  kAllDone,     // none failed, and not all were left out
  kSomeFailed,  // begins when all have ended and one has failed; else it is left out
  kAllEnded,    // begins in any case
};

// Tasks of one name of which only so many run at a time.
struct TaskGroup {
  std::string name;
  int at_once = 0;  // 0: any number
};

// How old the newest success may be; see flow/status.h.
struct Freshness {
  std::optional<Duration> warn_after, error_after;
};

class Task {
 public:
  virtual ~Task() = default;
  [[nodiscard]] virtual std::string name() const = 0;  // unique in the project
  [[nodiscard]] virtual std::string kind() const = 0;  // "source", "model", "seed", "test"
  [[nodiscard]] virtual std::string path() const = 0;  // file in the project, for selection and errors
  [[nodiscard]] virtual std::vector<std::string> tags() const = 0;
  [[nodiscard]] virtual std::vector<std::string> upstream() const = 0;  // names of tasks that run before it
  [[nodiscard]] virtual std::vector<std::string> writes() const = 0;    // "schema.name" of tables and views
  // Tables of attachments that it reads: "shop.public.customers".
  [[nodiscard]] virtual std::vector<std::string> reads_outside() const { return {}; }
  [[nodiscard]] virtual RetryPolicy retry() const = 0;
  [[nodiscard]] virtual Freshness freshness() const { return {}; }
  [[nodiscard]] virtual Join join() const { return Join::kAllDone; }
  [[nodiscard]] virtual TaskGroup group() const { return {}; }
  [[nodiscard]] virtual Duration timeout() const { return Duration(0); }  // of an attempt; 0: the run's
  // Whether the run of that id, which was interrupted in the middle of this task, left work to go on with:
  // then run() gets its id. Otherwise the task is done anew.
  [[nodiscard]] virtual Result<bool> can_resume(session::SessionService& sessions,
                                                const std::string& run_id) {
    return false;
  }
  virtual Status run(TaskContext& context) = 0;
};

}  // namespace tarn::flow
