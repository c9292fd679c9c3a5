#include "serve/http/event_feed.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "base/ids.h"

namespace tarn::serve {
namespace {

constexpr std::chrono::milliseconds kTick{200};
constexpr std::chrono::seconds kHeartbeat{15};
constexpr std::chrono::seconds kStatusEvery{30};
constexpr std::chrono::seconds kStatusPause{1};
constexpr size_t kSentKept = 512;
constexpr size_t kLinesKept = 5000;
constexpr size_t kLinesAtOnce = 200;

std::string event_text(std::string_view kind, std::string_view id, const std::string& data) {
  return fmt::format("{}event: {}\ndata: {}\n\n", id.empty() ? "" : fmt::format("id: {}\n", id), kind, data);
}

// The names of tables and views that are new, gone or changed from one version to the next.
std::vector<std::string> changed_tables(const engine::LakeVersion& before, const engine::LakeVersion& after) {
  using Places = std::map<std::string, std::string>;
  const auto places_of = [](const engine::LakeVersion& version) {
    Places places;
    for (const auto& [folded, schema] : version.schemas) {
      for (const auto& [name, table] : schema->tables)
        places[schema->name + "." + table->name().name] = table->metadata_location();
      for (const auto& [name, view] : schema->views)
        places[schema->name + "." + view->name.name] = view->uuid + view->sql;
    }
    return places;
  };
  const auto old_places = places_of(before), new_places = places_of(after);
  std::vector<std::string> changed;
  for (const auto& [name, place] : new_places) {
    const auto found = old_places.find(name);
    if (found == old_places.end() || found->second != place)
      changed.push_back(name);
  }
  for (const auto& [name, place] : old_places) {
    if (!new_places.contains(name))
      changed.push_back(name);
  }
  return changed;
}

}  // namespace

EventFeed::EventFeed(Env& env, Insight& insight, Backend& backend)
    : env_(env), insight_(insight), backend_(backend), epoch_(new_uuid(*env.random).substr(0, 8)) {
  if (const auto head = insight_.lake().head())
    seen_ = *head;
  thread_ = std::thread([this] { work(); });
}

EventFeed::~EventFeed() {
  stop();
}

void EventFeed::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    pages_.clear();
  }
  changed_.notify_all();
  if (thread_.joinable())
    thread_.join();
}

void EventFeed::open(const net::HttpServerRequest& request, net::HttpServerResponse& response) {
  auto push = response.detach(200, "text/event-stream", {{"Cache-Control", "no-store"}});
  if (!push)
    return;
  const auto run = request.query.find("run");
  const auto last = request.headers.find("last-event-id");
  const std::lock_guard lock(mutex_);
  if (stopping_)
    return;
  push->push("retry: 2000\n\n");
  catch_up(*push, last == request.headers.end() ? "" : last->second);
  pages_.push_back({std::move(push), run == request.query.end() ? "" : run->second});
  changed_.notify_all();
}

void EventFeed::catch_up(net::HttpPush& push, const std::string& last) {
  const auto here = event_text("hello", fmt::format("{}-{}", epoch_, last_number_), "{}");
  if (last.empty()) {
    push.push(here);
    return;
  }
  int64_t number = -1;
  const auto dash = last.find('-');
  if (dash != std::string::npos && last.substr(0, dash) == epoch_)
    std::from_chars(last.data() + dash + 1, last.data() + last.size(), number);
  const auto oldest = sent_.empty() ? last_number_ + 1 : sent_.front().number;
  if (number < 0 || number > last_number_ || number + 1 < oldest) {
    push.push(event_text("refresh", fmt::format("{}-{}", epoch_, last_number_), "{}"));
    return;
  }
  push.push(event_text("hello", "", "{}"));
  for (const auto& sent : sent_) {
    if (sent.number > number)
      push.push(sent.text);
  }
}

void EventFeed::push_to_all(const std::string& text) {
  pages_.remove_if([&text](const Page& page) { return !page.push->push(text); });
}

void EventFeed::publish(const char* kind, const Json& data) {
  ++last_number_;
  sent_.push_back({last_number_, event_text(kind, fmt::format("{}-{}", epoch_, last_number_), dump(data))});
  if (sent_.size() > kSentKept)
    sent_.pop_front();
  push_to_all(sent_.back().text);
}

void EventFeed::hear_run(const std::string& run, const Json& event) {
  const auto kind = text_of(event, "event");
  const std::lock_guard lock(mutex_);
  if (kind == "run_started" || kind == "run_ended") {
    if (kind == "run_started")
      live_[run];
    else
      live_.erase(run);
    publish("run", event.value("run", Json::object()));
    status_due_ = true;
  } else if (kind == "run_waiting") {
    publish("run", {{"id", run}, {"state", "waiting"}, {"waits_for", text_of(event, "reason")}});
  } else if (kind == "schedule_changed") {
    publish("schedule", {{"name", text_of(event, "name")}});
  } else if (kind == "task_started" || kind == "task_ended") {
    progress_.erase({run, text_of(event.value("task", Json()), "name")});
    publish("task", event.value("task", Json::object()));
    status_due_ = true;
  } else if (kind == "task_progress") {
    progress_[{run, text_of(event, "name")}] = text_of(event, "text");
  } else if (kind == "task_line" || kind == "task_retried") {
    const auto found = live_.find(run);
    if (found == live_.end())
      return;
    auto text = text_of(event, kind == "task_line" ? "text" : "error");
    if (kind == "task_retried")
      text = "tried again: " + text;
    found->second.lines.push_back({{"task", text_of(event, "name")}, {"text", std::move(text)}});
    if (found->second.lines.size() > kLinesKept) {
      found->second.lines.pop_front();
      ++found->second.first;
    }
  }
}

// A message changes its state several times in a moment: pages hear of it once.
void EventFeed::hear_alerts() {
  const std::lock_guard lock(mutex_);
  alerts_due_ = true;
}

std::optional<EventFeed::Lines> EventFeed::live_lines(const std::string& run) {
  const std::lock_guard lock(mutex_);
  const auto found = live_.find(run);
  if (found == live_.end())
    return std::nullopt;
  const auto& lines = found->second.lines;
  return Lines{{lines.begin(), lines.end()}, found->second.first};
}

int64_t EventFeed::changes() {
  const std::lock_guard lock(mutex_);
  return last_number_;
}

size_t EventFeed::pages() {
  const std::lock_guard lock(mutex_);
  return pages_.size();
}

// A flood of lines is sent as far as a page can read it; the page asks for the rest when it is looked at.
void EventFeed::send_lines() {
  for (auto& [run, live] : live_) {
    const size_t end = live.first + live.lines.size();
    if (live.sent == end)
      continue;
    const size_t begin = std::max({live.sent, live.first, end - std::min(end, kLinesAtOnce)});
    Json data = {{"run", run}, {"from", begin}, {"lines", Json::array()}};
    for (size_t i = begin; i < end; ++i)
      data["lines"].push_back(live.lines[i - live.first]);
    live.sent = end;
    const auto text = event_text("lines", "", dump(data));
    pages_.remove_if([&](const Page& page) { return page.run == run && !page.push->push(text); });
  }
  for (const auto& [of, text] : progress_)
    push_to_all(event_text("progress", "", dump({{"run", of.first}, {"name", of.second}, {"text", text}})));
  progress_.clear();
}

void EventFeed::look_at_lake() {
  const auto head = insight_.lake().head();
  if (!head || *head == seen_)
    return;
  const auto before = std::exchange(seen_, *head);
  if (!before || before->number == seen_->number)
    return;
  const auto tables = changed_tables(*before, *seen_);
  const std::lock_guard lock(mutex_);
  publish("lake", {{"version", seen_->number}, {"tables", tables}});
  status_due_ = true;
}

void EventFeed::look_at_status() {
  const auto statuses = backend_.status();
  std::string text;
  if (statuses) {
    for (const auto& status : *statuses)
      text += dump(to_json(status));
  } else {
    text = statuses.error().message;
  }
  if (text == seen_status_)
    return;
  seen_status_ = std::move(text);
  const std::lock_guard lock(mutex_);
  publish("status", Json::object());
}

// While nobody listens nothing is looked at.
void EventFeed::work() {
  Duration beat_at{0}, status_at{0};
  while (true) {
    bool looks_at_status = false;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return stopping_ || !pages_.empty(); });
      changed_.wait_for(lock, kTick, [this] { return stopping_; });
      if (stopping_)
        return;
      const auto now = env_.clock->steady();
      send_lines();
      if (std::exchange(alerts_due_, false))
        publish("alert", Json::object());
      if (now - beat_at >= kHeartbeat) {
        push_to_all(": \n\n");
        beat_at = now;
      }
      looks_at_status = now - status_at >= (status_due_ ? kStatusPause : kStatusEvery);
      if (looks_at_status) {
        status_at = now;
        status_due_ = false;
      }
    }
    look_at_lake();
    if (looks_at_status)
      look_at_status();
  }
}

}  // namespace tarn::serve
