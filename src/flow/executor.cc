#include "flow/executor.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include <fmt/format.h>

#include "base/ids.h"
#include "base/time.h"
#include "codec/utf8.h"
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
      text = codec::as_utf8(std::move(text));
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

constexpr int kThreadsMax = 64;
constexpr std::string_view kNoTurn = "the run was cancelled before its turn";

// How a task ended, for those that wait for it.
enum class Ending { kDone, kLeftOut, kFailed, kCancelled };

struct Node {
  Task* task = nullptr;
  TaskRecord record;
  TaskGroup group;
  std::vector<Node*> downstream;  // fixed once the workers run
  // Guarded by the execution's mutex once the workers run.
  size_t waits_for = 0;
  size_t done_before = 0, left_out_before = 0, failed_before = 0;
};

struct ByPosition {
  bool operator()(const Node* a, const Node* b) const { return a->record.position < b->record.position; }
};

Ending ending_of(const TaskRecord& record) {
  switch (record.state) {
    case State::kDone: return Ending::kDone;
    case State::kSkipped: return record.error_code == kLeftOut ? Ending::kLeftOut : Ending::kFailed;
    case State::kCancelled: return Ending::kCancelled;
    case State::kWaiting:
    case State::kRunning:
    case State::kFailed:
    case State::kInterrupted:
    case State::kUnknown: return Ending::kFailed;
  }
  return Ending::kFailed;
}

// An attempt that runs: what stops it alone.
struct RunningAttempt {
  RunningAttempt(const CancelFlag& run, session::SessionService& all) : cancel(&run), sessions(all) {}
  CancelFlag cancel;
  StoppableSessions sessions;
  Duration began{0}, limit{0};
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
  TaskRecord record_of(const Task& task, size_t position) const;
  Status check_for_cycle() const;
  Status start_records();
  void work();
  void run_node(Node& node);
  Result<State> run_attempts(Node& node);
  Result<State> run_attempt(Node& node, int attempt, bool last);
  AttemptEnd end_of(const Node& node, int attempt, const Status& done, const RunningAttempt& running,
                    const Sequel& sequel) const;
  Status load_records();
  void look_at_clock();
  void settle(Node& node, State state);
  void tell_downstream(Node& node);
  void follow(Node& node, const Sequel& sequel, const std::vector<TaskRecord>& records);
  std::vector<TaskRecord> records_of(const Sequel& sequel);
  // The two below need mutex_.
  Node* take_ready();
  bool hear_end(Node& node, Ending ending, const std::string& cause);
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
  std::vector<Node*> settled_;  // of a run that goes on

  std::mutex mutex_;  // guards all below, and the records' state inside nodes_
  std::deque<Node> nodes_;
  std::vector<std::shared_ptr<Task>> brought_about_;  // tasks of nodes_ that nobody else keeps
  std::condition_variable changed_;
  std::set<Node*, ByPosition> ready_;
  std::map<std::string, int> running_of_;  // by group
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
  run_.part_of = options_.part_of;
  run_.started_at = env_.clock->now();
  std::map<std::string, Node*> by_name;
  for (auto* task : tasks) {
    auto& node = nodes_.emplace_back();
    node.task = task;
    node.record = record_of(*task, nodes_.size() - 1);
    node.group = task->group();
    if (!options_.full_refresh && options_.command == "run") {
      TARN_TRY(node.record.resumes, run_to_resume(*task));
    }
    if (!by_name.emplace(task->name(), &node).second) {
      return Error{Code::kInvalid, fmt::format("two tasks are named '{}'; rename one of them", task->name())};
    }
  }
  for (auto& node : nodes_) {
    const auto names = node.task->upstream();
    for (const auto& name : std::set<std::string>(names.begin(), names.end())) {
      const auto found = by_name.find(name);
      if (found == by_name.end())
        continue;
      found->second->downstream.push_back(&node);
      ++node.waits_for;
    }
  }
  unsettled_ = nodes_.size();
  TARN_CHECK(check_for_cycle());
  return options_.resume ? load_records() : ok();
}

TaskRecord Execution::record_of(const Task& task, size_t position) const {
  TaskRecord record;
  record.run_id = run_.id;
  record.name = task.name();
  record.kind = task.kind();
  record.path = task.path();
  record.position = static_cast<int>(position);
  return record;
}

// What the run had done when it stopped is done, what it had left out stays so.
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
    const auto ending = ending_of(node.record);
    if (ending == Ending::kDone || ending == Ending::kLeftOut) {
      --unsettled_;
      settled_.push_back(&node);
      continue;
    }
    node.record.error.clear();
    node.record.error_code.clear();
    node.record.state = State::kWaiting;
    node.record.finished_at.reset();
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
  std::map<const Node*, size_t> waits_for;
  std::vector<const Node*> open;
  for (const auto& node : nodes_) {
    waits_for[&node] = node.waits_for;
    if (node.waits_for == 0)
      open.push_back(&node);
  }
  size_t done = 0;
  while (!open.empty()) {
    const auto* node = open.back();
    open.pop_back();
    ++done;
    for (const auto* next : node->downstream) {
      if (--waits_for[next] == 0)
        open.push_back(next);
    }
  }
  if (done == nodes_.size())
    return ok();
  std::string names;
  for (const auto& node : nodes_) {
    if (waits_for[&node] > 0)
      names += (names.empty() ? "" : ", ") + node.record.name;
  }
  return Error{Code::kInvalid, fmt::format("these tasks wait for each other, so none can start: {}", names)};
}

Status Execution::start_records() {
  std::vector<TaskRecord> records;
  records.reserve(nodes_.size());
  for (auto& node : nodes_) {
    records.push_back(node.record);
    if (node.waits_for == 0 && node.record.state == State::kWaiting)
      ready_.insert(&node);
  }
  began_ = env_.clock->steady();
  return runs_.start_run(run_, records);
}

Result<RunOutcome> Execution::run() {
  TARN_CHECK(start_records());
  observer_.tell([&](RunObserver& observer) { observer.run_started(run_, nodes_.size()); });
  for (auto* node : settled_)
    tell_downstream(*node);
  const auto count = std::clamp(options_.threads, 1, kThreadsMax);
  std::vector<std::thread> workers;
  workers.reserve(static_cast<size_t>(count));
  for (int i = 0; i < count; ++i)
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
  for (auto* attempt : attempts_) {
    if (attempt->limit.count() == 0 || now - attempt->began <= attempt->limit)
      continue;
    attempt->timed_out = true;
    attempt->cancel.set();
    attempt->sessions.cancel_all();  // again and again: a statement may start after the last time
  }
}

// Needs mutex_. The first whose group has room.
Node* Execution::take_ready() {
  for (auto* node : ready_) {
    const auto& group = node->group;
    if (group.at_once > 0 && running_of_[group.name] >= group.at_once)
      continue;
    ready_.erase(node);
    if (group.at_once > 0)
      ++running_of_[group.name];
    return node;
  }
  return nullptr;
}

void Execution::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    Node* node = nullptr;
    changed_.wait(lock, [&] { return unsettled_ == 0 || broken_ || (node = take_ready()) != nullptr; });
    if (node == nullptr)
      return;
    lock.unlock();
    run_node(*node);
    lock.lock();
    if (node->group.at_once > 0) {
      --running_of_[node->group.name];
      changed_.notify_all();
    }
  }
}

void Execution::run_node(Node& node) {
  if (cancel_.is_set()) {
    auto dropped = node.record;
    dropped.state = State::kCancelled;
    dropped.error = node.record.error = kNoTurn;
    if (const auto written = runs_.drop_task(dropped); !written)
      return stop_on(written.error());
    return settle(node, State::kCancelled);
  }
  auto state = run_attempts(node);
  if (!state)
    return stop_on(state.error());
  settle(node, *state);
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

// Mistakes in the text stay mistakes.
bool is_tried_again(const RetryPolicy& policy, Code code, bool timed_out) {
  const bool hopeless = code == Code::kInvalid || code == Code::kDenied || code == Code::kUnsupported;
  return timed_out || may_pass_by_itself(code) || (policy.any_failure && !hopeless);
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
  Sequel sequel;
  RunningAttempt running(cancel_, sessions_);
  running.began = env_.clock->steady();
  running.limit = node.task->timeout().count() > 0 ? node.task->timeout() : options_.task_timeout;
  TaskContext context{.env = env_,
                      .sessions = running.sessions,
                      .log = log,
                      .cancel = running.cancel,
                      .run_id = record.resumes.empty() ? run_.id : record.resumes,
                      .attempt = attempt,
                      .full_refresh = options_.full_refresh,
                      .data_folder = options_.data_folder,
                      .report = &report,
                      .task_name = record.name,
                      .sequel = &sequel};
  {
    const std::lock_guard lock(mutex_);
    attempts_.insert(&running);
  }
  auto done = options_.admit ? options_.admit() : ok();
  if (done)
    done = node.task->run(context);
  {
    const std::lock_guard lock(mutex_);
    attempts_.erase(&running);
  }
  auto end = end_of(node, attempt, done, running, sequel);
  const bool again = !last && !sequel.final && end.state == State::kFailed &&
                     is_tried_again(node.task->retry(), done.error().code, running.timed_out);
  if (!done)
    log.line("error: " + end.error);
  for (const auto& warning : report.warnings)
    log.line("warning: " + warning);
  end.ends_task = !again;
  end.report = std::move(report);
  if (end.state == State::kDone)
    end.follow_ups = records_of(sequel);
  for (const auto& one : sequel.follow_ups)
    end.inputs.push_back(one.input);
  TARN_CHECK(runs_.end_attempt(end, log.take()));
  record.error = end.error;
  record.error_code = end.error_code;
  record.report = std::move(end.report);
  follow(node, sequel, end.follow_ups);
  return again ? State::kWaiting : end.state;
}

AttemptEnd Execution::end_of(const Node& node, int attempt, const Status& done, const RunningAttempt& running,
                             const Sequel& sequel) const {
  AttemptEnd end;
  end.run_id = run_.id;
  end.task = node.record.name;
  end.attempt = attempt;
  if (done) {
    if (!sequel.left_out.empty()) {
      end.state = State::kSkipped;
      end.error = sequel.left_out;
      end.error_code = kLeftOut;
    }
    return end;
  }
  const bool timed_out = running.timed_out;
  const bool cancelled = cancel_.is_set() || (done.error().code == Code::kCancelled && !timed_out);
  end.state = cancelled ? State::kCancelled : sequel.unknown ? State::kUnknown : State::kFailed;
  end.error = codec::as_utf8(done.error().message);
  end.error_code = std::string(name_of(done.error().code));
  if (timed_out && !cancelled) {
    const bool own = node.task->timeout().count() > 0;
    end.error =
        fmt::format("it was stopped after {} ({}){}", format_duration(running.limit),
                    own ? "timeout" : "task_timeout", sequel.unknown ? ": " + done.error().message : "");
    end.error_code = std::string(name_of(Code::kTimeout));
  }
  return end;
}

std::vector<TaskRecord> Execution::records_of(const Sequel& sequel) {
  const std::lock_guard lock(mutex_);
  std::vector<TaskRecord> records;
  for (const auto& one : sequel.follow_ups)
    records.push_back(record_of(*one.task, nodes_.size() + records.size()));
  return records;
}

// They begin before what brought them about is settled, so that what waits for it waits for them.
void Execution::follow(Node& node, const Sequel& sequel, const std::vector<TaskRecord>& records) {
  const std::lock_guard lock(mutex_);
  for (size_t i = 0; i < records.size(); ++i) {
    auto& fresh = nodes_.emplace_back();
    fresh.task = sequel.follow_ups[i].task.get();
    brought_about_.push_back(sequel.follow_ups[i].task);
    fresh.record = records[i];
    fresh.group = fresh.task->group();
    fresh.downstream = node.downstream;
    for (auto* next : fresh.downstream)
      ++next->waits_for;
    ++unsettled_;
    ready_.insert(&fresh);
  }
  changed_.notify_all();
}

void Execution::settle(Node& node, State state) {
  auto& record = node.record;
  record.state = state;
  record.finished_at = env_.clock->now();
  observer_.tell([&](RunObserver& observer) { observer.task_ended(record); });
  tell_downstream(node);
  const std::lock_guard lock(mutex_);
  --unsettled_;
  changed_.notify_all();
}

// What waits for it begins, or is dropped with the name of the first that failed, and what waits for that.
void Execution::tell_downstream(Node& node) {
  const auto cause = node.record.name;
  std::vector<Node*> open = {&node};
  while (!open.empty()) {
    auto& ended = *open.back();
    open.pop_back();
    for (auto* next : ended.downstream) {
      {
        const std::lock_guard lock(mutex_);
        if (next->record.state != State::kWaiting || !hear_end(*next, ending_of(ended.record), cause))
          continue;
        --unsettled_;
      }
      if (const auto dropped = runs_.drop_task(next->record); !dropped)
        return stop_on(dropped.error());
      observer_.tell([&](RunObserver& observer) { observer.task_ended(next->record); });
      open.push_back(next);
    }
  }
}

// Needs mutex_. True: the node is dropped, as its record now says.
bool Execution::hear_end(Node& node, Ending ending, const std::string& cause) {
  const auto join = node.task->join();
  --node.waits_for;
  node.done_before += ending == Ending::kDone ? 1 : 0;
  node.left_out_before += ending == Ending::kLeftOut ? 1 : 0;
  node.failed_before += ending == Ending::kFailed ? 1 : 0;
  const auto drop = [&node](State state, std::string why, std::string_view code = "") {
    node.record.state = state;
    node.record.error = std::move(why);
    node.record.error_code = code;
    return true;
  };
  if (ending == Ending::kCancelled && (join == Join::kAllDone || cancel_.is_set()))
    return drop(State::kCancelled, std::string(kNoTurn));
  if (ending == Ending::kFailed && join == Join::kAllDone)
    return drop(State::kSkipped, fmt::format("skipped: upstream {} failed", cause));
  if (node.waits_for > 0)
    return false;
  if (join == Join::kAllDone && node.done_before == 0)
    return drop(State::kSkipped, "left out: nothing before it was done", kLeftOut);
  if (join == Join::kSomeFailed && node.failed_before == 0)
    return drop(State::kSkipped, "left out: nothing before it failed", kLeftOut);
  ready_.insert(&node);
  return false;
}

// After a cancel: what nobody has started is over.
void Execution::drop_waiting() {
  std::set<Node*, ByPosition> dropped;
  {
    const std::lock_guard lock(mutex_);
    dropped.swap(ready_);
  }
  for (auto* node : dropped)
    run_node(*node);
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
    const bool failed = node.record.state == State::kFailed || node.record.state == State::kUnknown;
    if (failed && run_.error.empty()) {
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
    if (task.state != State::kFailed && task.state != State::kUnknown)
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
