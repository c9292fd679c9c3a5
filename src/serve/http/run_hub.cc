#include "serve/http/run_hub.h"

#include <fmt/format.h>

#include "base/ids.h"
#include "serve/http/run_events.h"

namespace tarn::serve {
namespace {

constexpr size_t kRunsKept = 16;
constexpr size_t kEventsMax = 50'000;
constexpr std::chrono::milliseconds kLook{200};

}  // namespace

RunHub::~RunHub() {
  stop();
}

Result<std::string> RunHub::start(RunRequest request) {
  request.id = new_run_id(*env_.clock, *env_.random);
  return launch(request.id, [this, request](flow::RunObserver& observer, const flow::CancelFlag& cancel) {
    return backend_.run(request, observer, cancel);
  });
}

Result<std::string> RunHub::start_replay(ReplayRequest request) {
  request.id = new_run_id(*env_.clock, *env_.random);
  return launch(request.id, [this, request](flow::RunObserver& observer, const flow::CancelFlag& cancel) {
    return backend_.replay(request, observer, cancel);
  });
}

Result<std::string> RunHub::launch(std::string id, Body body) {
  TARN_TRY(const auto live, spawn(id, std::move(body)));
  std::unique_lock lock(live->mutex);
  live->changed.wait(lock, [&live] { return live->ended || !live->events.empty(); });
  if (live->error && live->events.empty())
    return *live->error;
  return id;
}

Result<std::shared_ptr<RunHub::Live>> RunHub::spawn(std::string id, Body body) {
  const std::lock_guard lock(mutex_);
  if (stopping_)
    return Error{Code::kUnavailable, "the server stops; run again without it"};
  if (running_) {
    const auto id = newest_.empty() ? std::string() : newest_.back()->id;
    return Error{Code::kExists,
                 fmt::format("run {0} is under way: wait for it, or cancel it by Ctrl-C where it was "
                             "started or by POST /api/v1/runs/{0}/cancel",
                             id)};
  }
  if (thread_.joinable())
    thread_.join();
  auto live = std::make_shared<Live>();
  live->id = std::move(id);
  newest_.push_back(live);
  if (newest_.size() > kRunsKept)
    newest_.pop_front();
  running_ = true;
  ++counts_.started;
  thread_ = std::thread([this, live, body = std::move(body)] { work(live, body); });
  return live;
}

void RunHub::work(const std::shared_ptr<Live>& live, const Body& body) {
  EventWriter observer([&live](const Json& event) {
    const std::lock_guard lock(live->mutex);
    if (live->events.size() >= kEventsMax && event.value("event", "") == "task_progress")
      return;
    live->events.push_back(event);
    live->changed.notify_all();
  });
  const auto outcome = body(observer, live->cancel);
  {
    const std::lock_guard lock(mutex_);
    running_ = false;
    ++(outcome && outcome->run.exit_code == 0 ? counts_.done : counts_.failed);
  }
  const std::lock_guard lock(live->mutex);
  if (!outcome)
    live->error = outcome.error();
  live->ended = true;
  live->changed.notify_all();
}

std::shared_ptr<RunHub::Live> RunHub::find(const std::string& id) {
  const std::lock_guard lock(mutex_);
  for (const auto& live : newest_) {
    if (live->id == id)
      return live;
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
  if (live) {
    const std::lock_guard lock(live->mutex);
    if (!live->ended) {
      live->cancel.set();
      return ok();
    }
  }
  return Error{Code::kNotFound, fmt::format("run '{}' is not running", id)};
}

RunHub::Counts RunHub::counts() {
  const std::lock_guard lock(mutex_);
  auto counts = counts_;
  counts.running = running_ ? 1 : 0;
  return counts;
}

void RunHub::stop() {
  std::thread thread;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    for (const auto& live : newest_)
      live->cancel.set();
    thread = std::move(thread_);
  }
  if (thread.joinable())
    thread.join();
}

}  // namespace tarn::serve
