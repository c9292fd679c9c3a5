// What was due, and what became of it, in control.sqlite: written before a run is started, and kept whatever
// is killed. A due time of a schedule stands there once.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/env/env.h"
#include "base/result.h"
#include "store/store.h"

namespace tarn::flow {

enum class DueState {
  kWaiting,  // for the schedule's run before it, or for not_before
  kRunning,  // handed over to be run; the run itself may still wait for others
  kDone,
  kFailed,
  kCancelled,  // by somebody
  kSkipped,    // left out, for the reason
};
std::string_view name_of(DueState state);
DueState due_state_of(std::string_view name);  // an unknown name is kSkipped

struct Due {
  int64_t id = 0;
  std::string schedule;    // or "backfill <id>"
  Timestamp due_at;        // the newest due time that it stands for
  Timestamp first_due_at;  // the oldest
  int64_t count = 1;       // so many due times
  std::string trigger;     // "time", "after", "hand", "backfill"
  std::string run_id;      // of all tries; empty when skipped
  DueState state = DueState::kWaiting;
  std::string reason;  // why it waits, was skipped, or failed
  int tries = 0;
  std::optional<Timestamp> not_before;  // a retry
  std::optional<Timestamp> finished_at;
  std::map<std::string, std::string> vars;  // over those of the schedule
  // Not recorded: its run has begun and goes on, so that it stands for no newer due time.
  bool begun = false;
};

struct ScheduleState {
  std::string name;
  std::string pattern;  // as of the last decision: another one starts anew
  bool paused = false;  // by hand
  Timestamp last_due_at;
  std::map<std::string, std::string> seen;  // of `after`: the version of each name that was acted on
};

struct Backfill {
  std::string id;
  std::vector<std::string> selection;
  std::vector<std::string> exclude;
  std::string from, to, step;  // as asked for
  bool full_refresh = false;
  Timestamp created_at;
};

// How far one is.
struct BackfillProgress {
  Backfill backfill;
  std::map<DueState, int64_t> steps;
  std::optional<Timestamp> finished_at;  // when nothing of it is open any more
};

// Written together or not at all.
struct DueChanges {
  std::vector<ScheduleState> schedules;
  std::vector<Due> due;
  std::optional<Backfill> backfill;
  [[nodiscard]] bool empty() const { return schedules.empty() && due.empty() && !backfill; }
};

// Thread-safe.
class DueRecords {
 public:
  static Result<std::unique_ptr<DueRecords>> open(store::Store& store);

  Status write(const DueChanges& changes);
  Result<std::map<std::string, ScheduleState>> states();
  Result<std::vector<Due>> open_ones();         // waiting and running, oldest first
  Result<std::map<std::string, Due>> newest();  // by schedule, of those that were not skipped
  Result<std::vector<Due>> of_schedule(const std::string& schedule, int limit);  // newest first
  // What was due from `from` on and before `to`, oldest first, but for the steps of backfills.
  Result<std::vector<Due>> between(Timestamp from, Timestamp to, size_t limit);
  Result<std::optional<Backfill>> backfill(const std::string& id);
  Result<std::vector<BackfillProgress>> backfills(int limit);  // newest first
  Result<int64_t> last_id();

 private:
  explicit DueRecords(store::Store& store) : store_(store) {}
  store::Store& store_;
};

}  // namespace tarn::flow
