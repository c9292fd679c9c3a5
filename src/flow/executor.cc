#include "flow/executor.h"

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include <fmt/format.h>

#include "base/ids.h"
#include "base/time.h"
#include "flow/stoppable_sessions.h"

namespace tarn::flow {
namespace {

constexpr int kLogLinesMax = 10'000;
constexpr size_t kLogLineBytesMax = 4'000;
constexpr Duration kLogFlush{1'000'000};
constexpr Duration kNap{50'000};
constexpr Duration kDelayMax{300'000'000};

// Passes calls on one at a time.
class SerialObserver {
 public:
  explicit SerialObserver(RunObserver& inner) : inner_(inner) {}
  template <class F>
  void tell(F&& call) {
    const std::lock_guard lock(mutex_);
    call(inner_);
  }

 private:
  std::mutex mutex_;
  RunObserver& inner_;
};

// The log of one attempt: kept in memory for a second at most, then in the records.
class AttemptLog final : public TaskLog {
 public:
  AttemptLog(Env& env, Runs& runs, SerialObserver& observer, std::string run_id, std::string task,
             int attempt)
      : env_(env),
        runs_(runs),
        observer_(observer),
        run_id_(std::move(run_id)),
        task_(std::move(task)),
        attempt_(attempt),
        flushed_at_(env.clock->steady()) {}

  void line(std::string text) override {
    std::vector<LogLine> full;
    {
      const std::lock_guard lock(mutex_);
      if (number_ > kLogLinesMax)
        return;
      if (number_ == kLogLinesMax)
        text = "further lines of this attempt are not kept";
      if (text.size() > kLogLineBytesMax)
        text.resize(kLogLineBytesMax);
      lines_.push_back({task_, attempt_, ++number_, env_.clock->now(), text});
      if (env_.clock->steady() - flushed_at_ >= kLogFlush) {
        full.swap(lines_);
        flushed_at_ = env_.clock->steady();
      }
    }
    // A log line that cannot be written does not fail the task: the end of the attempt reports a full disk.
    if (!full.empty())
      (void)runs_.add_log(run_id_, full);
    observer_.tell([&](RunObserver& observer) { observer.task_line(task_, text); });
  }

  void progress(std::string text) override {
    observer_.tell([&](RunObserver& observer) { observer.task_progress(task_, text); });
  }

  std::vector<LogLine> take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(lines_, {});
  }

 private:
  Env& env_;
  Runs& runs_;
  SerialObserver& observer_;
  const std::string run_id_, task_;
  const int attempt_;
  std::mutex mutex_;
  int number_ = 0;
  Duration flushed_at_;
  std::vector<LogLine> lines_;
};

struct Node {
  Task* task = nullptr;
  TaskRecord record;
  std::vector<size_t> downstream;
  size_t waits_for = 0;
};

// An attempt that runs: what stops it alone.
struct RunningAttempt {
  RunningAttempt(const CancelFlag& run, session::SessionService& all) : cancel(&run), sessions(all) {}
  CancelFlag cancel;
  StoppableSessions sessions;
  Duration began{0};
  bool timed_out = false;  // guarded by the execution's mutex
};

class Execution {
 public:
  Execution(Env& env, session::SessionService& sessions, Runs& runs, const ExecutorOptions& options,
            RunObserver& observer, const CancelFlag& cancel)
      : env_(env),
        sessions_(sessions),
        runs_(runs),
        options_(options),
        observer_(observer),
        asked_(cancel),
        cancel_(&cancel) {}

  Status plan(const std::vector<Task*>& tasks);
  Result<RunOutcome> run();

 private:
  Result<std::string> run_to_resume(Task& task);
  Status check_for_cycle() const;
  Status start_records();
  void work();
  void run_node(size_t index);
  Result<State> run_attempts(Node& node);
  Result<State> run_attempt(Node& node, int attempt, bool last);
  AttemptEnd end_of(const Node& node, int attempt, const Status& done, bool timed_out) const;
  Status load_records();
  void look_at_clock();
  void settle(size_t index, State state);
  void drop_downstream(size_t index);
  void drop_waiting();
  void pause(Duration delay);
  void stop_on(const Error& error);
  Result<RunOutcome> finish();

  Env& env_;
  StoppableSessions sessions_;
  Runs& runs_;
  const ExecutorOptions& options_;
  SerialObserver observer_;
  const CancelFlag& asked_;  // from outside
  CancelFlag cancel_;        // that, or the run took too long
  Duration began_{0};

  RunRecord run_;
  std::vector<Node> nodes_;  // its size and edges are fixed once the workers run

  std::mutex mutex_;  // guards all below, and the records' state inside nodes_
  std::condition_variable changed_;
  std::set<size_t> ready_;
  size_t unsettled_ = 0;
  std::optional<Error> broken_;  // the records cannot be written
  bool timed_out_ = false;
  std::set<RunningAttempt*> attempts_;
};

Status Execution::plan(const std::vector<Task*>& tasks) {
  run_.id = options_.run_id.empty() ? new_run_id(*env_.clock, *env_.random) : options_.run_id;
  run_.command = options_.command;
  run_.selection = options_.selection;
  run_.full_refresh = options_.full_refresh;
  run_.schedule = options_.schedule;
  run_.due_at = options_.due_at;
  run_.started_at = env_.clock->now();
  std::map<std::string, size_t> by_name;
  for (auto* task : tasks) {
    Node node;
    node.task = task;
    node.record.run_id = run_.id;
    node.record.name = task->name();
    node.record.kind = task->kind();
    node.record.path = task->path();
    node.record.position = static_cast<int>(nodes_.size());
    if (!options_.full_refresh && options_.command == "run") {
      TARN_TRY(node.record.resumes, run_to_resume(*task));
    }
    if (!by_name.emplace(task->name(), nodes_.size()).second) {
      return Error{Code::kInvalid, fmt::format("two tasks are named '{}'; rename one of them", task->name())};
    }
    nodes_.push_back(std::move(node));
  }
  for (size_t i = 0; i < nodes_.size(); ++i) {
    const auto names = nodes_[i].task->upstream();
    for (const auto& name : std::set<std::string>(names.begin(), names.end())) {
      const auto found = by_name.find(name);
      if (found == by_name.end())
        continue;
      nodes_[found->second].downstream.push_back(i);
      ++nodes_[i].waits_for;
    }
  }
  unsettled_ = nodes_.size();
  TARN_CHECK(check_for_cycle());
  return options_.resume ? load_records() : ok();
}

// What the run had done when it stopped is done.
Status Execution::load_records() {
  TARN_TRY(const auto records, runs_.tasks(run_.id));
  std::map<std::string, const TaskRecord*> known;
  for (const auto& record : records)
    known[record.name] = &record;
  for (auto& node : nodes_) {
    const auto found = known.find(node.record.name);
    if (found == known.end())
      continue;
    const int position = node.record.position;
    node.record = *found->second;
    node.record.position = position;
    node.record.error.clear();
    node.record.error_code.clear();
    if (node.record.state != State::kDone) {
      node.record.state = State::kWaiting;
      node.record.finished_at.reset();
      continue;
    }
    --unsettled_;
    for (const auto next : node.downstream)
      --nodes_[next].waits_for;
  }
  return ok();
}

// Only a source's work depends on when it was done; anything else is simply built anew.
Result<std::string> Execution::run_to_resume(Task& task) {
  if (task.kind() != "source")
    return std::string();
  TARN_TRY(auto interrupted, runs_.interrupted_in(task.name()));
  if (!interrupted || *interrupted == run_.id)
    return std::string();
  TARN_TRY(const bool has_work, task.can_resume(sessions_, *interrupted));
  return has_work ? std::move(*interrupted) : std::string();
}

Status Execution::check_for_cycle() const {
  std::vector<size_t> waits_for, open;
  for (size_t i = 0; i < nodes_.size(); ++i) {
    waits_for.push_back(nodes_[i].waits_for);
    if (waits_for[i] == 0)
      open.push_back(i);
  }
  size_t done = 0;
  while (!open.empty()) {
    const auto i = open.back();
    open.pop_back();
    ++done;
    for (const auto next : nodes_[i].downstream) {
      if (--waits_for[next] == 0)
        open.push_back(next);
    }
  }
  if (done == nodes_.size())
    return ok();
  std::string names;
  for (size_t i = 0; i < nodes_.size(); ++i) {
    if (waits_for[i] > 0)
      names += (names.empty() ? "" : ", ") + nodes_[i].record.name;
  }
  return Error{Code::kInvalid, fmt::format("these tasks wait for each other, so none can start: {}", names)};
}

Status Execution::start_records() {
  std::vector<TaskRecord> records;
  records.reserve(nodes_.size());
  for (size_t i = 0; i < nodes_.size(); ++i) {
    records.push_back(nodes_[i].record);
    if (nodes_[i].waits_for == 0 && nodes_[i].record.state == State::kWaiting)
      ready_.insert(i);
  }
  began_ = env_.clock->steady();
  return runs_.start_run(run_, records);
}

Result<RunOutcome> Execution::run() {
  TARN_CHECK(start_records());
  observer_.tell([&](RunObserver& observer) { observer.run_started(run_, nodes_.size()); });
  const auto count = std::clamp<size_t>(static_cast<size_t>(std::max(1, options_.threads)), 1,
                                        std::max<size_t>(1, nodes_.size()));
  std::vector<std::thread> workers;
  workers.reserve(count);
  for (size_t i = 0; i < count; ++i)
    workers.emplace_back([this] { work(); });
  {
    std::unique_lock lock(mutex_);
    while (unsettled_ > 0 && !broken_) {
      changed_.wait_for(lock, kNap);
      look_at_clock();
      if (!cancel_.is_set())
        continue;
      lock.unlock();
      sessions_.cancel_all();
      drop_waiting();
      lock.lock();
    }
    if (broken_) {
      lock.unlock();
      sessions_.cancel_all();
    }
  }
  changed_.notify_all();
  for (auto& worker : workers)
    worker.join();
  if (broken_)
    return *broken_;
  return finish();
}

// Needs mutex_.
void Execution::look_at_clock() {
  const auto now = env_.clock->steady();
  if (options_.timeout.count() > 0 && now - began_ > options_.timeout && !cancel_.is_set()) {
    timed_out_ = true;
    cancel_.set();
  }
  if (options_.task_timeout.count() == 0)
    return;
  for (auto* attempt : attempts_) {
    if (now - attempt->began <= options_.task_timeout)
      continue;
    attempt->timed_out = true;
    attempt->cancel.set();
    attempt->sessions.cancel_all();  // again and again: a statement may start after the last time
  }
}

void Execution::work() {
  while (true) {
    size_t index = 0;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return !ready_.empty() || unsettled_ == 0 || broken_; });
      if (ready_.empty() || broken_)
        return;
      index = *ready_.begin();
      ready_.erase(ready_.begin());
    }
    run_node(index);
  }
}

void Execution::run_node(size_t index) {
  auto& node = nodes_[index];
  if (cancel_.is_set()) {
    constexpr std::string_view kWhy = "the run was cancelled before its turn";
    node.record.error = kWhy;
    if (const auto dropped = runs_.drop_task(run_.id, node.record.name, State::kCancelled, std::string(kWhy));
        !dropped) {
      return stop_on(dropped.error());
    }
    return settle(index, State::kCancelled);
  }
  auto state = run_attempts(node);
  if (!state)
    return stop_on(state.error());
  settle(index, *state);
}

Result<State> Execution::run_attempts(Node& node) {
  const auto policy = node.task->retry();
  const int before = node.record.attempts;  // of a run that goes on
  const int attempts = before + std::max(1, policy.attempts);
  Duration delay = policy.first_delay;
  for (int attempt = before + 1;; ++attempt) {
    const bool last = attempt >= attempts;
    TARN_TRY(const auto state, run_attempt(node, attempt, last));
    if (state != State::kWaiting)
      return state;
    // Half of the delay is chance, so that tasks which failed together do not return together.
    const auto half = delay.count() / 2;
    const Duration jittered{half +
                            (half > 0 ? static_cast<int64_t>(env_.random->next() % uint64_t(half)) : 0)};
    observer_.tell(
        [&](RunObserver& observer) { observer.task_retried(node.record.name, node.record.error, jittered); });
    pause(jittered);
    delay = std::min(kDelayMax,
                     Duration(static_cast<int64_t>(static_cast<double>(delay.count()) * policy.factor)));
  }
}

// kWaiting: failed, and to be tried again.
Result<State> Execution::run_attempt(Node& node, int attempt, bool last) {
  auto& record = node.record;
  TARN_CHECK(runs_.start_attempt(run_.id, record.name, attempt));
  record.attempts = attempt;
  if (!record.started_at)
    record.started_at = env_.clock->now();
  const bool first = record.state == State::kWaiting;
  record.state = State::kRunning;
  if (first) {
    observer_.tell([&](RunObserver& observer) { observer.task_started(record); });
  }
  AttemptLog log(env_, runs_, observer_, run_.id, record.name, attempt);
  if (attempt == 1 && !record.resumes.empty())
    log.line(fmt::format("goes on with the interrupted run {}", record.resumes));
  TaskReport report;
  RunningAttempt running(cancel_, sessions_);
  running.began = env_.clock->steady();
  TaskContext context{.env = env_,
                      .sessions = running.sessions,
                      .log = log,
                      .cancel = running.cancel,
                      .run_id = record.resumes.empty() ? run_.id : record.resumes,
                      .attempt = attempt,
                      .full_refresh = options_.full_refresh,
                      .data_folder = options_.data_folder,
                      .report = &report,
                      .task_name = record.name};
  {
    const std::lock_guard lock(mutex_);
    attempts_.insert(&running);
  }
  const auto done = node.task->run(context);
  bool timed_out = false;
  {
    const std::lock_guard lock(mutex_);
    attempts_.erase(&running);
    timed_out = running.timed_out;
  }
  auto end = end_of(node, attempt, done, timed_out);
  const bool again =
      !done && !last && end.state == State::kFailed && (timed_out || may_pass_by_itself(done.error().code));
  if (!done)
    log.line("error: " + end.error);
  for (const auto& warning : report.warnings)
    log.line("warning: " + warning);
  end.ends_task = !again;
  end.report = std::move(report);
  TARN_CHECK(runs_.end_attempt(end, log.take()));
  record.error = end.error;
  record.error_code = end.error_code;
  record.report = std::move(end.report);
  return again ? State::kWaiting : end.state;
}

AttemptEnd Execution::end_of(const Node& node, int attempt, const Status& done, bool timed_out) const {
  AttemptEnd end;
  end.run_id = run_.id;
  end.task = node.record.name;
  end.attempt = attempt;
  if (done)
    return end;
  const bool cancelled = cancel_.is_set() || (done.error().code == Code::kCancelled && !timed_out);
  end.state = cancelled ? State::kCancelled : State::kFailed;
  end.error = done.error().message;
  end.error_code = std::string(name_of(done.error().code));
  if (timed_out && !cancelled) {
    end.error = fmt::format("it was stopped after {} (task_timeout)", format_duration(options_.task_timeout));
    end.error_code = std::string(name_of(Code::kTimeout));
  }
  return end;
}

void Execution::settle(size_t index, State state) {
  auto& record = nodes_[index].record;
  record.state = state;
  record.finished_at = env_.clock->now();
  observer_.tell([&](RunObserver& observer) { observer.task_ended(record); });
  if (state != State::kDone)
    drop_downstream(index);
  const std::lock_guard lock(mutex_);
  --unsettled_;
  if (state == State::kDone) {
    for (const auto next : nodes_[index].downstream) {
      if (--nodes_[next].waits_for == 0 && nodes_[next].record.state == State::kWaiting)
        ready_.insert(next);
    }
  }
  changed_.notify_all();
}

// Everything below a task that is not done is skipped, with the name of the first that failed.
void Execution::drop_downstream(size_t index) {
  const auto& cause = nodes_[index].record;
  const bool cancelled = cause.state == State::kCancelled;
  const auto reason = cancelled ? std::string("the run was cancelled before its turn")
                                : fmt::format("skipped: upstream {} failed", cause.name);
  const auto state = cancelled ? State::kCancelled : State::kSkipped;
  std::vector<size_t> open = nodes_[index].downstream;
  while (!open.empty()) {
    auto& node = nodes_[open.back()];
    open.pop_back();
    {
      const std::lock_guard lock(mutex_);
      if (node.record.state != State::kWaiting)
        continue;
      node.record.state = state;
      node.record.error = reason;
      --unsettled_;
    }
    if (const auto dropped = runs_.drop_task(run_.id, node.record.name, state, reason); !dropped) {
      return stop_on(dropped.error());
    }
    observer_.tell([&](RunObserver& observer) { observer.task_ended(node.record); });
    open.insert(open.end(), node.downstream.begin(), node.downstream.end());
  }
}

// After a cancel: what nobody has started is over.
void Execution::drop_waiting() {
  std::set<size_t> dropped;
  {
    const std::lock_guard lock(mutex_);
    dropped.swap(ready_);
  }
  for (const auto index : dropped)
    run_node(index);
}

void Execution::pause(Duration delay) {
  while (delay.count() > 0 && !cancel_.is_set()) {
    const auto step = std::min(delay, kNap);
    env_.clock->sleep_for(step);
    delay -= step;
  }
}

void Execution::stop_on(const Error& error) {
  const std::lock_guard lock(mutex_);
  if (!broken_)
    broken_ = error.at("the records of the run cannot be written");
  changed_.notify_all();
}

Result<RunOutcome> Execution::finish() {
  RunOutcome outcome;
  for (auto& node : nodes_) {
    if (node.record.state == State::kFailed && run_.error.empty()) {
      run_.error = fmt::format("{}: {}", node.record.name, node.record.error);
    }
    outcome.tasks.push_back(std::move(node.record));
  }
  run_.exit_code = exit_code_of(outcome.tasks);
  run_.state = run_.exit_code == 0     ? State::kDone
               : run_.exit_code == 130 ? State::kCancelled
                                       : State::kFailed;
  if (timed_out_ && !asked_.is_set()) {
    run_.state = State::kFailed;
    run_.exit_code = 1;
    run_.error = fmt::format("the run was stopped after {} (timeout)", format_duration(options_.timeout));
  }
  TARN_CHECK(runs_.end_run(run_.id, run_.state, run_.exit_code, run_.error));
  run_.finished_at = env_.clock->now();
  observer_.tell([&](RunObserver& observer) { observer.run_ended(run_); });
  outcome.run = run_;
  return outcome;
}

}  // namespace

bool may_pass_by_itself(Code code) {
  return code == Code::kUnavailable || code == Code::kTimeout || code == Code::kConflict ||
         code == Code::kIo || code == Code::kExhausted;
}

int exit_code_of(const std::vector<TaskRecord>& tasks) {
  bool failed = false, unreachable = false;
  for (const auto& task : tasks) {
    if (task.state == State::kCancelled)
      return 130;
    if (task.state != State::kFailed)
      continue;
    (task.error_code == name_of(Code::kUnavailable) ? unreachable : failed) = true;
  }
  if (failed)
    return 1;
  return unreachable ? 4 : 0;
}

Result<RunOutcome> run_tasks(Env& env, session::SessionService& sessions, Runs& runs,
                             const std::vector<Task*>& tasks, const ExecutorOptions& options,
                             RunObserver& observer, const CancelFlag& cancel) {
  Execution execution(env, sessions, runs, options, observer, cancel);
  TARN_CHECK(execution.plan(tasks));
  return execution.run();
}

}  // namespace tarn::flow
