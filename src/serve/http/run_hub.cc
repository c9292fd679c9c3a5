#include "serve/http/run_hub.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/ids.h"
#include "serve/http/run_events.h"

namespace tarn::serve {
namespace {

constexpr size_t kRunsKept = 16;
constexpr size_t kEventsMax = 50'000;
constexpr std::chrono::milliseconds kLook{200};

std::string words_of(const RunRequest& request) {
  std::string text;
  for (const auto& word : request.selection)
    text += (text.empty() ? "" : " ") + word;
  for (const auto& word : request.exclude)
    text += (text.empty() ? "--exclude " : " --exclude ") + word;
  return text;
}

}  // namespace

RunHub::~RunHub() {
  stop();
}

Result<RunHub::Submitted> RunHub::submit(RunRequest request, OnEnd on_end) {
  TARN_TRY(const auto tasks, backend_.tasks_of(request));
  if (request.id.empty())
    request.id = new_run_id(*env_.clock, *env_.random);
  auto live = std::make_shared<Live>();
  live->record.id = request.id;
  live->record.command = "run";
  live->record.selection = words_of(request);
  live->record.full_refresh = request.full_refresh;
  live->record.schedule = request.schedule;
  live->record.due_at = request.due_at;
  live->tasks.insert(tasks.begin(), tasks.end());
  live->on_end = std::move(on_end);
  live->body = [this, request](flow::RunObserver& observer, const flow::CancelFlag& cancel) {
    return backend_.run(request, observer, cancel);
  };
  TARN_TRY(const auto queued, enqueue(std::move(live)));
  const std::lock_guard lock(mutex_);
  return Submitted{queued->record.id, queued->record.waits_for};
}

Result<RunHub::Submitted> RunHub::start(RunRequest request) {
  TARN_TRY(const auto submitted, submit(std::move(request), {}));
  return wait_for_start(submitted.id);
}

Result<RunHub::Submitted> RunHub::wait_for_start(const std::string& id) {
  const auto live = find(id);
  return live ? first_word(live) : Result<Submitted>(Submitted{.id = id, .waits_for = ""});
}

Result<RunHub::Submitted> RunHub::start_replay(ReplayRequest request) {
  request.id = new_run_id(*env_.clock, *env_.random);
  auto live = std::make_shared<Live>();
  live->record.id = request.id;
  live->record.command = "replay";
  live->record.selection = request.source + " " + request.run;
  live->tasks.insert(request.source);
  live->body = [this, request](flow::RunObserver& observer, const flow::CancelFlag& cancel) {
    return backend_.replay(request, observer, cancel);
  };
  TARN_TRY(const auto queued, enqueue(std::move(live)));
  return first_word(queued);
}

// Waits until the run has begun, waits in the queue, or could not start.
Result<RunHub::Submitted> RunHub::first_word(const LivePtr& live) {
  {
    std::unique_lock lock(live->mutex);
    live->changed.wait(lock, [&live] { return live->ended || !live->events.empty(); });
    if (live->error && live->events.empty())
      return *live->error;
  }
  const std::lock_guard lock(mutex_);
  return Submitted{live->record.id, live->record.waits_for};
}

Result<RunHub::LivePtr> RunHub::enqueue(LivePtr live) {
  live->record.state = flow::State::kWaiting;
  live->record.started_at = env_.clock->now();
  const std::lock_guard lock(mutex_);
  if (stopping_)
    return Error{Code::kUnavailable, "the server stops; run again without it"};
  if (waiting_.size() >= options_.waiting_max) {
    return Error{Code::kExhausted,
                 fmt::format("{} runs wait already; cancel some, or try again later", waiting_.size())};
  }
  waiting_.push_back(live);
  newest_.push_back(live);
  forget_old();
  tell_obstacles();
  const auto limit = static_cast<size_t>(std::max(1, options_.runs_at_once));
  if (idle_ == 0 && workers_.size() < limit)
    workers_.emplace_back([this] { work_loop(); });
  changed_.notify_one();
  return live;
}

void RunHub::forget_old() {
  while (newest_.size() > kRunsKept + waiting_.size() + running_.size()) {
    const auto over = std::find_if(newest_.begin(), newest_.end(), [](const LivePtr& live) {
      const std::lock_guard lock(live->mutex);
      return live->ended;
    });
    if (over == newest_.end())
      return;
    newest_.erase(over);
  }
}

// Why it cannot start now; empty: it can. `taken`: the run that has each task, of those before it.
std::string RunHub::obstacle_of(const Live& live, const std::map<std::string, std::string>& taken) const {
  for (const auto& task : live.tasks) {
    if (const auto found = taken.find(task); found != taken.end())
      return fmt::format("waits for run {}, which works on {}, too", found->second, task);
  }
  if (running_.size() >= static_cast<size_t>(std::max(1, options_.runs_at_once)))
    return fmt::format("waits for a free place: {} runs are under way (runs_at_once)", running_.size());
  return "";
}

RunHub::LivePtr RunHub::take_startable() {
  std::map<std::string, std::string> taken;
  for (const auto& live : running_) {
    for (const auto& task : live->tasks)
      taken.emplace(task, live->record.id);
  }
  for (auto at = waiting_.begin(); at != waiting_.end(); ++at) {
    if (obstacle_of(**at, taken).empty()) {
      auto live = *at;
      waiting_.erase(at);
      return live;
    }
    for (const auto& task : (*at)->tasks)
      taken.emplace(task, (*at)->record.id);
  }
  return nullptr;
}

// Records and tells the reason of each that waits, where it is a new one.
void RunHub::tell_obstacles() {
  std::map<std::string, std::string> taken;
  size_t startable = 0;
  for (const auto& live : running_) {
    for (const auto& task : live->tasks)
      taken.emplace(task, live->record.id);
  }
  const auto free = static_cast<size_t>(std::max(1, options_.runs_at_once)) - running_.size();
  for (const auto& live : waiting_) {
    auto reason = obstacle_of(*live, taken);
    if (reason.empty() && startable++ >= free)
      reason = "waits for a free place (runs_at_once)";
    for (const auto& task : live->tasks)
      taken.emplace(task, live->record.id);
    if (reason.empty() || reason == live->record.waits_for)
      continue;
    live->record.waits_for = reason;
    // Records that cannot be written fail the run itself, when it starts.
    (void)runs_.queue_run(live->record);
    emit(live, {{"event", "run_waiting"}, {"id", live->record.id}, {"reason", reason}});
  }
}

void RunHub::work_loop() {
  std::unique_lock lock(mutex_);
  while (true) {
    LivePtr live;
    ++idle_;
    changed_.wait(lock, [&] { return stopping_ || (live = take_startable()) != nullptr; });
    --idle_;
    if (!live)
      return;
    live->record.waits_for.clear();
    running_.push_back(live);
    ++counts_.started;
    tell_obstacles();
    // What else can start needs a thread, too.
    if (!waiting_.empty() && idle_ == 0 && !stopping_ &&
        workers_.size() < static_cast<size_t>(std::max(1, options_.runs_at_once))) {
      workers_.emplace_back([this] { work_loop(); });
    }
    lock.unlock();
    run_one(live);
    lock.lock();
  }
}

// A part of a run is heard of as a run of its own.
class RunHub::Observer final : public EventWriter {
 public:
  Observer(RunHub& hub, std::function<void(const Json&)> emit) : EventWriter(std::move(emit)), hub_(hub) {}
  std::unique_ptr<flow::RunObserver> part(const std::string& run_id) override {
    return std::make_unique<Observer>(
        hub_, [&hub = hub_, run_id](const Json& event) { hub.publish(run_id, event); });
  }

 private:
  RunHub& hub_;
};

void RunHub::run_one(const LivePtr& live) {
  Observer observer(*this, [this, &live](const Json& event) { emit(live, event); });
  const auto outcome = live->body(observer, live->cancel);
  if (!outcome)
    (void)runs_.fail_waiting(live->record.id, outcome.error().message);
  {
    const std::lock_guard lock(mutex_);
    running_.erase(std::find(running_.begin(), running_.end(), live));
    ++(outcome && outcome->run.exit_code == 0 ? counts_.done : counts_.failed);
    tell_obstacles();
    changed_.notify_all();
  }
  end(live, outcome);
}

// A run that ended before its tasks could has told nobody yet.
void RunHub::end(const LivePtr& live, const Result<flow::RunOutcome>& outcome) {
  if (!outcome) {
    auto record = live->record;
    record.state = outcome.error().code == Code::kCancelled ? flow::State::kCancelled : flow::State::kFailed;
    record.exit_code = record.state == flow::State::kCancelled ? 130 : 1;
    record.error = outcome.error().message;
    record.waits_for.clear();
    record.finished_at = env_.clock->now();
    publish(record.id, {{"event", "run_ended"}, {"run", to_json(record)}});
  }
  {
    const std::lock_guard lock(live->mutex);
    if (!outcome)
      live->error = outcome.error();
    live->ended = true;
    live->changed.notify_all();
  }
  if (live->on_end)
    live->on_end(outcome);
}

void RunHub::emit(const LivePtr& live, const Json& event) {
  {
    const std::lock_guard lock(live->mutex);
    if (live->events.size() < kEventsMax || event.value("event", "") != "task_progress")
      live->events.push_back(event);
    live->changed.notify_all();
  }
  publish(live->record.id, event);
}

int RunHub::listen(Listener listener) {
  const std::unique_lock lock(listeners_mutex_);
  listeners_.emplace(next_listener_, std::move(listener));
  return next_listener_++;
}

void RunHub::unlisten(int listener) {
  const std::unique_lock lock(listeners_mutex_);
  listeners_.erase(listener);
}

void RunHub::publish(const std::string& run_id, const Json& event) {
  const std::shared_lock lock(listeners_mutex_);
  for (const auto& [number, listener] : listeners_)
    listener(run_id, event);
}

RunHub::LivePtr RunHub::find(const std::string& id) {
  const std::lock_guard lock(mutex_);
  // The newest first: a run that goes on has the id of before.
  for (auto live = newest_.rbegin(); live != newest_.rend(); ++live) {
    if ((*live)->record.id == id)
      return *live;
  }
  return nullptr;
}

Status RunHub::watch(const std::string& id, const std::function<Status(const Json&)>& sink,
                     const std::function<bool()>& is_gone) {
  const auto live = find(id);
  if (!live)
    return Error{Code::kNotFound, fmt::format("run '{}' is not one of the newest of this server", id)};
  size_t next = 0;
  while (!is_gone()) {
    std::vector<Json> events;
    bool ended = false;
    {
      std::unique_lock lock(live->mutex);
      live->changed.wait_for(lock, kLook, [&] { return live->ended || live->events.size() > next; });
      events.assign(live->events.begin() + static_cast<int64_t>(next), live->events.end());
      next = live->events.size();
      ended = live->ended;
    }
    for (const auto& event : events)
      TARN_CHECK(sink(event));
    if (!ended)
      continue;
    if (live->error)
      return sink(to_json(*live->error));
    return ok();
  }
  return Error{Code::kCancelled, "the client closed the connection"};
}

Status RunHub::cancel(const std::string& id) {
  const auto live = find(id);
  bool waited = false;
  if (live) {
    const std::lock_guard lock(mutex_);
    const auto at = std::find(waiting_.begin(), waiting_.end(), live);
    waited = at != waiting_.end();
    if (waited) {
      waiting_.erase(at);
      (void)runs_.end_run(id, flow::State::kCancelled, 130, "cancelled before its turn");
      tell_obstacles();
      changed_.notify_all();
    }
  }
  if (waited) {
    end(live, Error{Code::kCancelled, fmt::format("run {} was cancelled before its turn", id)});
    return ok();
  }
  if (live) {
    const std::lock_guard lock(live->mutex);
    if (!live->ended) {
      live->cancel.set();
      return ok();
    }
  }
  return Error{Code::kNotFound, fmt::format("run '{}' is not running", id)};
}

std::string RunHub::waits_for(const std::string& id) {
  const auto live = find(id);
  const std::lock_guard lock(mutex_);
  const bool waits = std::find(waiting_.begin(), waiting_.end(), live) != waiting_.end();
  return waits ? live->record.waits_for : "";
}

std::vector<std::string> RunHub::under_way() {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> ids;
  for (const auto& live : running_)
    ids.push_back(live->record.id);
  return ids;
}

RunHub::Counts RunHub::counts() {
  const std::lock_guard lock(mutex_);
  auto counts = counts_;
  counts.running = static_cast<int64_t>(running_.size());
  counts.waiting = static_cast<int64_t>(waiting_.size());
  return counts;
}

void RunHub::stop() {
  std::deque<LivePtr> dropped;
  std::vector<std::thread> workers;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    dropped.swap(waiting_);
    for (const auto& live : running_)
      live->cancel.set();
    workers.swap(workers_);
  }
  changed_.notify_all();
  for (const auto& live : dropped) {
    constexpr std::string_view kWhy = "the server stopped before its turn";
    if (!live->record.waits_for.empty())
      (void)runs_.end_run(live->record.id, flow::State::kCancelled, 130, std::string(kWhy));
    end(live, Error{Code::kCancelled, fmt::format("run {}: {}", live->record.id, kWhy)});
  }
  for (auto& worker : workers)
    worker.join();
}

}  // namespace tarn::serve
