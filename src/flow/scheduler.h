// Starts what is due, once, whatever is killed: every decision is a record before anything runs. Holds one
// entry a schedule and an agenda of the next times; sleeps until the first of them.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/diagnostic.h"
#include "base/env/env.h"
#include "base/result.h"
#include "flow/due.h"
#include "flow/due_records.h"
#include "flow/runs.h"
#include "flow/schedule.h"

namespace tarn::flow {

// A run that is to begin, or to go on where it stopped.
struct Launch {
  std::string run_id;
  std::string schedule;
  Timestamp due_at;
  std::vector<std::string> selection, exclude;
  bool full_refresh = false;
  std::map<std::string, std::string> vars;
  Duration timeout{0}, task_timeout{0};
};

// What a project's text says; with mistakes the schedules of before stay.
struct SchedulePlan {
  std::vector<Schedule> schedules;
  Diagnostics mistakes;
};

// What the scheduler needs of those who run things. Called from its thread, and from run_now()'s.
class SchedulerHost {
 public:
  virtual ~SchedulerHost() = default;
  using OnEnd = std::function<void(const Result<RunRecord>&)>;
  // Starts or queues it and calls `on_end` once, from any thread, when this returned success. kExhausted: not
  // now, try again.
  virtual Status launch(const Launch& launch, OnEnd on_end) = 0;
  // The plan when the project's text changed since the last call; cheap when not.
  virtual std::optional<SchedulePlan> reload() = 0;
  // What each task or table stands at: another text after each success or change. Unknown names are left out.
  virtual Result<std::map<std::string, std::string>> versions(const std::set<std::string>& names) = 0;
  virtual void changed(const std::string& schedule) = 0;
};

struct ScheduleInfo {
  std::string name;
  Place place;
  std::vector<std::string> run, exclude;
  std::string pattern;  // "0 6 * * *", "every 15m", "after raw_bars"
  std::string time_zone;
  CatchUp catch_up = CatchUp::kLast;
  bool paused = false, paused_in_file = false;
  std::optional<Timestamp> next_at;
  std::optional<Due> last;  // newest that was started
  std::vector<Due> open;    // waiting and running, oldest first; of many the first few
  size_t waiting = 0;       // all of them
};

struct Upcoming {
  Timestamp at;
  std::string schedule;
};

struct BackfillRequest {
  std::vector<std::string> selection, exclude;
  std::string from, to;      // dates, or times; `to` is not part of it
  std::string step = "day";  // hour, day, week, month, or a duration such as 6h
  bool full_refresh = false;
};

struct BackfillStep {
  Timestamp at;
  std::string from, to;  // the vars of its run
  std::string run_id;    // empty for a dry run
};

struct BackfillPlan {
  std::string id;  // empty for a dry run
  std::vector<BackfillStep> steps;
};

// The steps of a backfill, without recording anything.
Result<std::vector<BackfillStep>> backfill_steps(const BackfillRequest& request, const TimeZone& zone);

// Thread-safe.
class Scheduler {
 public:
  static Result<std::unique_ptr<Scheduler>> open(Env& env, store::Store& store, Runs& runs);
  ~Scheduler();
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  // A plan without mistakes replaces the schedules; otherwise they stay, and problem() says why.
  void load(SchedulePlan plan);
  [[nodiscard]] std::string problem();

  // Starts the thread; the host outlives stop().
  void start(SchedulerHost& host);
  // Nothing is started any more; what runs stays recorded as running, so that the next start goes on with it.
  void stop();
  // One round: settles what ended, records what is due, starts what may start. Returns when to call it again
  // at the latest. The thread does this; tests do it by hand.
  Result<Timestamp> step(SchedulerHost& host);
  // Something ended or changed: a round is made soon.
  void nudge();

  Result<std::vector<ScheduleInfo>> list();
  std::vector<Upcoming> upcoming(Timestamp until, size_t limit);
  Status set_paused(const std::string& name, bool paused);
  // Starts a schedule's run now, whatever its times; returns the run's id.
  Result<std::string> run_now(const std::string& name, SchedulerHost& host);
  // Records one run for each step, one after the other; started by the next rounds.
  Result<BackfillPlan> backfill(const BackfillRequest& request, const TimeZone& zone);
  // Takes what waits out: of a backfill that is no longer wanted. Returns the ids of runs under way.
  Result<std::vector<std::string>> cancel_waiting(const std::string& name);
  // Makes rounds of this schedule or backfill alone until nothing of it is open: for a process without a
  // thread, whose host runs things inside launch().
  Status finish(const std::string& name, SchedulerHost& host, const CancelFlag& cancel);
  // Records what ended of run_now(), for a process without a thread.
  Status settle_ended();
  Result<std::vector<Due>> history(const std::string& name, int limit);
  // See DueRecords.
  Result<std::vector<Due>> due_between(Timestamp from, Timestamp to, size_t limit);
  Result<std::vector<BackfillProgress>> backfills(int limit);
  // Whether the run is one that it works on, or will go on with.
  Result<bool> is_open(const std::string& run_id);

 private:
  struct Entry {
    Schedule schedule;
    ScheduleState state;
    std::optional<Timestamp> next;
    std::vector<Due> waiting, running;  // oldest first
    bool is_backfill = false;
    bool gone = false;  // no longer in the project
    [[nodiscard]] bool paused() const { return state.paused || schedule.pause; }
  };
  struct Ended {
    std::string run_id;
    Result<RunRecord> outcome;
  };
  // What one round will write and do.
  struct Round {
    Timestamp now;
    DueChanges changes;
    std::vector<Launch> launches;
    std::set<std::string> touched;
  };

  Scheduler(Env& env, Runs& runs, std::unique_ptr<DueRecords> records)
      : env_(env), runs_(runs), records_(std::move(records)) {}
  void loop(SchedulerHost& host);
  void look_at_text(SchedulerHost& host);
  Status launch_all(Round& round, SchedulerHost& host);
  void take_ended(std::vector<Ended>& ended);
  // All below need mutex_.
  void keep_entry(Schedule schedule, Timestamp now);
  Status recover();
  Status attach(Due due);
  void settle(Entry& entry, const Ended& ended, Round& round);
  void settle_due(Entry& entry, Due due, const Result<RunRecord>& outcome, Round& round);
  void decide_due(Entry& entry, Round& round);
  void add_span(Entry& entry, const DueSpan& span, std::string trigger, Round& round);
  void check_after(SchedulerHost& host, Round& round);
  void start_next(Entry& entry, Round& round);
  void put_on_agenda(Entry& entry);
  Launch launch_of(const Entry& entry, const Due& due) const;
  Due new_due(const Entry& entry, const DueSpan& span, std::string trigger);
  Timestamp moment_of_its_own(Timestamp now);
  Status save(Round& round);
  Result<Entry*> find(const std::string& name);

  Env& env_;
  Runs& runs_;
  const std::unique_ptr<DueRecords> records_;

  std::mutex mutex_;  // guards all below
  std::map<std::string, Entry> entries_;
  std::set<std::pair<Timestamp, std::string>> agenda_;
  std::map<std::string, std::pair<Timestamp, std::string>> on_agenda_;  // by name
  std::map<std::string, ScheduleState> states_;  // also of schedules that are not in the project now
  std::set<std::string> launched_;               // run ids whose end has not come
  DueChanges unsaved_;                           // of load()
  std::string problem_;                          // of the project's text
  std::string trouble_;                          // of the last round
  int64_t last_id_ = 0;
  Timestamp last_moment_;  // of moment_of_its_own()
  bool recovered_ = false;
  std::optional<Timestamp> after_checked_at_;

  std::mutex inbox_mutex_;  // guards all below; taken after mutex_ or alone
  std::condition_variable wake_;
  std::vector<Ended> ended_;
  bool nudged_ = false, stopping_ = false;
  std::optional<Duration> text_looked_at_;  // steady; of the thread alone
  std::thread thread_;
};

}  // namespace tarn::flow
