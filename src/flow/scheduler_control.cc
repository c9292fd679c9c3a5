// What people ask of the scheduler: lists, pausing, a run now, backfills.
#include <algorithm>

#include <fmt/format.h>

#include "base/ids.h"
#include "base/time.h"
#include "codec/text_distance.h"
#include "flow/scheduler.h"

namespace tarn::flow {
namespace {

constexpr size_t kStepsMax = 10'000;
constexpr size_t kOpenShown = 20;  // of a schedule, in lists

struct WallStep {
  std::chrono::months months{0};
  Duration span{0};
};

Result<WallStep> parse_step(const std::string& text) {
  if (text == "month")
    return WallStep{.months = std::chrono::months(1)};
  if (text == "week" || text == "day")
    return WallStep{.span = std::chrono::hours(text == "day" ? 24 : 24 * 7)};
  if (text == "hour")
    return WallStep{.span = std::chrono::hours(1)};
  const auto span = parse_duration(text);
  if (!span || *span < std::chrono::seconds(1)) {
    return Error{Code::kInvalid,
                 fmt::format("step '{}' is not known; write hour, day, week, month, or e.g. 6h", text)};
  }
  return WallStep{.span = *span};
}

bool is_date(std::string_view text) {
  return text.size() == 10;
}

// A text without a zone is a time on the wall.
Result<WallTime> parse_wall(const std::string& text, std::string_view name, const TimeZone& zone) {
  const auto time = parse_time(text);
  if (!time)
    return time.error().at(name);
  const bool has_zone = text.size() > 10 && (text.back() == 'Z' || text.find('+', 11) != std::string::npos ||
                                             text.find('-', 11) != std::string::npos);
  return has_zone ? zone.wall_at(*time) : WallTime(time->time_since_epoch());
}

WallTime add_step(WallTime start, const WallStep& step, int64_t times) {
  if (step.months.count() == 0)
    return start + step.span * times;
  const auto day = std::chrono::floor<std::chrono::days>(start.time_since_epoch());
  auto date = std::chrono::year_month_day(std::chrono::sys_days(day)) + step.months * times;
  if (!date.ok())
    date = date.year() / date.month() / std::chrono::last;  // the 31st of a short month
  return WallTime(std::chrono::sys_days(date).time_since_epoch() + (start.time_since_epoch() - day));
}

std::string unknown_schedule(const std::string& name, const std::vector<std::string>& names) {
  const auto near = codec::nearest(name, names);
  return fmt::format("there is no schedule '{}'; {}", name,
                     names.empty()  ? "the project has none: see docs/schedules.md"
                     : near.empty() ? fmt::format("there are {}", fmt::join(names, ", "))
                                    : fmt::format("did you mean '{}'?", near));
}

}  // namespace

Result<std::vector<BackfillStep>> backfill_steps(const BackfillRequest& request, const TimeZone& zone) {
  TARN_TRY(const auto step, parse_step(request.step));
  TARN_TRY(const auto from, parse_wall(request.from, "from", zone));
  TARN_TRY(const auto to, parse_wall(request.to, "to", zone));
  if (to <= from) {
    return Error{Code::kInvalid, fmt::format("to ({}) is not after from ({}); the time to is not part of it",
                                             request.to, request.from)};
  }
  const bool whole_days = step.months.count() > 0 || step.span % std::chrono::hours(24) == Duration(0);
  const bool dates = is_date(request.from) && is_date(request.to) && whole_days;
  const auto text_of = [&](WallTime wall) {
    const auto text = format_utc(dates ? Timestamp(wall.time_since_epoch()) : zone.first_at(wall));
    return dates ? text.substr(0, 10) : text;
  };
  std::vector<BackfillStep> steps;
  for (int64_t i = 0;; ++i) {
    const auto begin = add_step(from, step, i);
    if (begin >= to)
      return steps;
    if (steps.size() >= kStepsMax) {
      return Error{Code::kInvalid, fmt::format("these are more than {} steps; choose a longer step than {}",
                                               kStepsMax, request.step)};
    }
    const auto end = std::min(to, add_step(from, step, i + 1));
    const auto at = zone.first_at(begin);
    // Steps of hours that a change of the clock makes one.
    if (!steps.empty() && at <= steps.back().at)
      continue;
    steps.push_back({.at = at, .from = text_of(begin), .to = text_of(end), .run_id = ""});
  }
}

Result<Scheduler::Entry*> Scheduler::find(const std::string& name) {
  const auto found = entries_.find(name);
  if (found != entries_.end() && !found->second.gone)
    return &found->second;
  std::vector<std::string> names;
  for (const auto& [known, entry] : entries_) {
    if (!entry.gone && !entry.is_backfill)
      names.push_back(known);
  }
  return Error{Code::kNotFound, unknown_schedule(name, names)};
}

Result<std::vector<ScheduleInfo>> Scheduler::list() {
  TARN_TRY(auto newest, records_->newest());
  const std::lock_guard lock(mutex_);
  std::vector<ScheduleInfo> all;
  for (const auto& [name, entry] : entries_) {
    if (entry.gone)
      continue;
    ScheduleInfo info;
    info.name = name;
    info.place = entry.schedule.place;
    info.run = entry.schedule.run;
    info.exclude = entry.schedule.exclude;
    info.pattern = entry.is_backfill ? "" : pattern_of(entry.schedule);
    info.time_zone = entry.schedule.zone.value_or(TimeZone()).name();
    info.catch_up = entry.schedule.catch_up;
    info.paused = entry.paused();
    info.paused_in_file = entry.schedule.pause;
    info.next_at = entry.next;
    if (const auto last = newest.find(name); last != newest.end())
      info.last = last->second;
    info.open = entry.running;
    info.waiting = entry.waiting.size();
    for (auto due : entry.waiting) {
      if (info.open.size() >= kOpenShown)
        break;
      if (due.reason.empty() && entry.paused())
        due.reason = "the schedule is paused";
      if (due.reason.empty() && !info.open.empty())
        due.reason = fmt::format("waits for run {}, which is this schedule's, too", info.open.front().run_id);
      info.open.push_back(std::move(due));
    }
    all.push_back(std::move(info));
  }
  return all;
}

std::vector<Upcoming> Scheduler::upcoming(Timestamp until, size_t limit) {
  const std::lock_guard lock(mutex_);
  std::set<std::pair<Timestamp, const Entry*>> next;
  for (const auto& [name, entry] : entries_) {
    if (entry.next && !entry.gone && *entry.next <= until)
      next.emplace(*entry.next, &entry);
  }
  std::vector<Upcoming> all;
  while (!next.empty() && all.size() < limit) {
    const auto [at, entry] = *next.begin();
    next.erase(next.begin());
    all.push_back({at, entry->schedule.name});
    if (const auto later = next_due(entry->schedule, at); later && *later <= until)
      next.emplace(*later, entry);
  }
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) {
    return std::tie(a.at, a.schedule) < std::tie(b.at, b.schedule);
  });
  return all;
}

// What was due during a pause is not caught up: somebody meant it.
Status Scheduler::set_paused(const std::string& name, bool paused) {
  {
    const std::lock_guard lock(mutex_);
    TARN_TRY(auto* entry, find(name));
    if (entry->is_backfill)
      return Error{Code::kInvalid, "a backfill cannot be paused; cancel it"};
    if (!paused && entry->schedule.pause) {
      return Error{Code::kInvalid, fmt::format("schedule {} is paused by {}: take 'pause: true' out there",
                                               name, to_string(entry->schedule.place))};
    }
    if (entry->state.paused == paused)
      return ok();
    auto state = entry->state;
    state.name = name;
    state.paused = paused;
    if (!paused) {
      state.last_due_at = std::max(state.last_due_at, env_.clock->now());
      state.seen.clear();
    }
    TARN_CHECK(records_->write({.schedules = {state}, .due = {}, .backfill = {}}));
    entry->state = state;
    states_[name] = state;
    entry->next = entry->paused() ? std::nullopt : next_due(entry->schedule, state.last_due_at);
    put_on_agenda(*entry);
    after_checked_at_.reset();
  }
  nudge();
  return ok();
}

// Beside what the schedule itself does: the host keeps two runs of the same tasks apart.
Result<std::string> Scheduler::run_now(const std::string& name, SchedulerHost& host) {
  Round round;
  std::string id;
  {
    const std::lock_guard lock(mutex_);
    TARN_TRY(auto* entry, find(name));
    round.now = env_.clock->now();
    const auto at = moment_of_its_own(round.now);
    auto due = new_due(*entry, {.first = at, .last = at}, "hand");
    due.state = DueState::kRunning;
    due.tries = entry->schedule.retries + 1;  // who asks by hand sees it fail
    id = due.run_id;
    round.launches.push_back(launch_of(*entry, due));
    round.changes.due.push_back(due);
    TARN_CHECK(records_->write(round.changes));
    entry->running.push_back(std::move(due));
    launched_.insert(id);
    put_on_agenda(*entry);
  }
  TARN_CHECK(launch_all(round, host));
  host.changed(name);
  std::optional<Error> failed;
  {
    // A run that could not even be queued is this call's error; the next round records it.
    const std::lock_guard lock(inbox_mutex_);
    for (const auto& one : ended_) {
      if (one.run_id == id && !one.outcome)
        failed = one.outcome.error();
    }
  }
  if (failed)
    return *failed;
  return id;
}

Result<BackfillPlan> Scheduler::backfill(const BackfillRequest& request, const TimeZone& zone) {
  TARN_TRY(auto steps, backfill_steps(request, zone));
  BackfillPlan plan;
  DueChanges changes;
  {
    const std::lock_guard lock(mutex_);
    plan.id = new_run_id(*env_.clock, *env_.random);
    changes.backfill = Backfill{.id = plan.id,
                                .selection = request.selection,
                                .exclude = request.exclude,
                                .from = request.from,
                                .to = request.to,
                                .step = request.step,
                                .full_refresh = request.full_refresh,
                                .created_at = env_.clock->now()};
    Entry entry;
    entry.is_backfill = true;
    entry.schedule.name = "backfill " + plan.id;
    entry.state.name = entry.schedule.name;
    entry.schedule.run = request.selection;
    entry.schedule.exclude = request.exclude;
    entry.schedule.full_refresh = request.full_refresh;
    entry.schedule.catch_up = CatchUp::kAll;
    for (auto& step : steps) {
      auto due = new_due(entry, {.first = step.at, .last = step.at}, "backfill");
      due.vars = {{"from", step.from}, {"to", step.to}};
      step.run_id = due.run_id;
      changes.due.push_back(due);
      entry.waiting.push_back(std::move(due));
    }
    TARN_CHECK(records_->write(changes));
    const auto name = entry.schedule.name;
    put_on_agenda(entries_[name] = std::move(entry));
  }
  plan.steps = std::move(steps);
  nudge();
  return plan;
}

Result<std::vector<std::string>> Scheduler::cancel_waiting(const std::string& name) {
  const std::lock_guard lock(mutex_);
  TARN_TRY(auto* entry, find(name));
  DueChanges changes;
  changes.due = entry->waiting;
  for (auto& due : changes.due) {
    due.state = DueState::kCancelled;
    due.reason = "cancelled before its turn";
    due.finished_at = env_.clock->now();
  }
  TARN_CHECK(records_->write(changes));
  entry->waiting.clear();
  put_on_agenda(*entry);
  std::vector<std::string> running;
  for (const auto& due : entry->running)
    running.push_back(due.run_id);
  if (entry->is_backfill && running.empty())
    entries_.erase(name);
  return running;
}

Status Scheduler::finish(const std::string& name, SchedulerHost& host, const CancelFlag& cancel) {
  constexpr Duration kNap{50'000};
  while (!cancel.is_set()) {
    TARN_CHECK(settle_ended());
    Round round;
    {
      const std::lock_guard lock(mutex_);
      round.now = env_.clock->now();
      const auto found = entries_.find(name);
      if (found == entries_.end())
        return ok();
      auto& entry = found->second;
      if (entry.running.empty() && entry.waiting.empty())
        return ok();
      start_next(entry, round);
      TARN_CHECK(save(round));
      for (const auto& launch : round.launches)
        launched_.insert(launch.run_id);
    }
    TARN_CHECK(launch_all(round, host));
    if (round.launches.empty())
      env_.clock->sleep_for(kNap);
  }
  TARN_CHECK(settle_ended());
  TARN_TRY([[maybe_unused]] const auto running, cancel_waiting(name));
  return Error{Code::kCancelled, "cancelled"};
}

Status Scheduler::settle_ended() {
  std::vector<Ended> ended;
  take_ended(ended);
  Round round;
  const std::lock_guard lock(mutex_);
  round.now = env_.clock->now();
  for (const auto& one : ended) {
    launched_.erase(one.run_id);
    for (auto& [name, entry] : entries_)
      settle(entry, one, round);
  }
  return save(round);
}

Result<bool> Scheduler::is_open(const std::string& run_id) {
  TARN_TRY(const auto open, records_->open_ones());
  return std::any_of(open.begin(), open.end(), [&](const Due& due) { return due.run_id == run_id; });
}

Result<std::vector<Due>> Scheduler::history(const std::string& name, int limit) {
  return records_->of_schedule(name, limit);
}

Result<std::vector<Due>> Scheduler::due_between(Timestamp from, Timestamp to, size_t limit) {
  return records_->between(from, to, limit);
}

Result<std::vector<BackfillProgress>> Scheduler::backfills(int limit) {
  return records_->backfills(limit);
}

}  // namespace tarn::flow
