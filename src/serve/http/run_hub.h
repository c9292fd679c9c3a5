// Runs that a server works on: side by side where their tasks are disjoint, else one after the other in the
// order in which they came; watched by any number of clients.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <shared_mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/env/env.h"
#include "flow/runs.h"
#include "serve/backend.h"
#include "serve/http/json.h"

namespace tarn::serve {

struct RunHubOptions {
  int runs_at_once = 4;
  size_t waiting_max = 1000;  // more are refused
};

// Thread-safe.
class RunHub {
 public:
  RunHub(Env& env, RunBackend& backend, flow::Runs& runs, RunHubOptions options = {})
      : env_(env), backend_(backend), runs_(runs), options_(options) {}
  ~RunHub();

  // What became of a run: its outcome, or why it could not start. On the run's thread.
  using OnEnd = std::function<void(const Result<flow::RunOutcome>&)>;
  struct Submitted {
    std::string id;
    std::string waits_for;  // empty: it has started
  };

  // Starts it, or puts it into the queue, and returns when its records stand. A run that cannot start, for
  // mistakes in the project or words that select nothing, is this call's error. kExhausted: too many wait.
  Result<Submitted> start(RunRequest request);
  Result<Submitted> start_replay(ReplayRequest request);
  // The same without waiting for the start. `on_end` is called once if this returns success.
  Result<Submitted> submit(RunRequest request, OnEnd on_end);
  // Waits until a submitted run has begun, waits in the queue, or could not start, which is the error.
  Result<Submitted> wait_for_start(const std::string& id);

  // Whether such a run could start: mistakes in the project, words that select nothing.
  Status check(const RunRequest& request) {
    TARN_TRY([[maybe_unused]] const auto tasks, backend_.tasks_of(request));
    return ok();
  }

  // Hands the run's events to `sink`, from its start to its end, as they happen; a sink that fails ends this.
  // kNotFound when the run is not one of the newest that this process has started.
  Status watch(const std::string& id, const std::function<Status(const Json&)>& sink,
               const std::function<bool()>& is_gone);
  // Takes it out of the queue, or stops it. kNotFound when it neither waits nor runs.
  Status cancel(const std::string& id);
  // Cancels what waits and runs, and waits for that.
  void stop();

  // Everything that happens, as watch() tells it: run_waiting, run_started, task_started, task_progress,
  // task_line, task_retried, task_ended, run_ended, also of runs that are parts of a flow's, under their own
  // ids; and what publish() is given (schedule_changed). Called
  // from any thread, also several at once: it must not block, and must not call the hub. `run_id` is empty
  // for what belongs to no run.
  using Listener = std::function<void(const std::string& run_id, const Json& event)>;
  int listen(Listener listener);
  // Returns when no call to it is under way any more.
  void unlisten(int listener);
  void publish(const std::string& run_id, const Json& event);

  // Why the run does not start yet; empty when it has, or does not wait here.
  std::string waits_for(const std::string& id);

  // Ids of the runs that are under way.
  std::vector<std::string> under_way();

  struct Counts {
    int64_t started = 0, done = 0, failed = 0, running = 0, waiting = 0;
  };
  Counts counts();

 private:
  using Body = std::function<Result<flow::RunOutcome>(flow::RunObserver&, const flow::CancelFlag&)>;
  struct Live {
    flow::RunRecord record;  // as queued; waits_for is guarded by the hub's mutex
    std::set<std::string> tasks;
    Body body;
    OnEnd on_end;
    flow::CancelFlag cancel;
    std::mutex mutex;  // guards all below
    std::condition_variable changed;
    std::vector<Json> events;
    bool ended = false;
    std::optional<Error> error;  // it could not start, or its records failed
  };
  using LivePtr = std::shared_ptr<Live>;
  class Observer;

  Result<LivePtr> enqueue(LivePtr live);
  Result<Submitted> first_word(const LivePtr& live);
  void work_loop();
  void run_one(const LivePtr& live);
  void end(const LivePtr& live, const Result<flow::RunOutcome>& outcome);
  void emit(const LivePtr& live, const Json& event);
  LivePtr find(const std::string& id);
  // The four below need mutex_.
  LivePtr take_startable();
  std::string obstacle_of(const Live& live, const std::map<std::string, std::string>& taken) const;
  void tell_obstacles();
  void forget_old();

  Env& env_;
  RunBackend& backend_;
  flow::Runs& runs_;
  const RunHubOptions options_;

  std::shared_mutex listeners_mutex_;
  std::map<int, Listener> listeners_;  // guarded by listeners_mutex_
  int next_listener_ = 1;              // the same

  std::mutex mutex_;  // guards all below
  std::condition_variable changed_;
  std::deque<LivePtr> newest_;  // all that wait or run, and the newest that ended
  std::deque<LivePtr> waiting_;
  std::vector<LivePtr> running_;
  std::vector<std::thread> workers_;
  size_t idle_ = 0;
  bool stopping_ = false;
  Counts counts_;
};

}  // namespace tarn::serve
