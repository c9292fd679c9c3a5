// What is fresh, late or failed, and why: the newest outcome of every task of the project.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "flow/runs.h"
#include "flow/task.h"

namespace tarn::flow {

struct TaskStatus {
  std::string name;
  std::string kind;
  std::vector<std::string> writes;
  std::string state;  // "fresh", "late", "stale", "failed", "interrupted", "running", "never run"
  std::string why;    // one line; empty when fresh
  std::optional<Timestamp> last_done_at;
  int64_t rows_written = 0;  // by the last success
  std::string last_run;
};

// Late: something upstream succeeded after this did, or is itself late or failed; or the newest success is
// older than the task's freshness warns after. Stale: older than its freshness allows (error_after).
Result<std::vector<TaskStatus>> status_of(Clock& clock, Runs& runs,
                                          const std::vector<std::unique_ptr<Task>>& tasks);

}  // namespace tarn::flow
