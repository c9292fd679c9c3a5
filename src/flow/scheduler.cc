#include "flow/scheduler.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/ids.h"
#include "base/time.h"
#include "codec/text_distance.h"

namespace tarn::flow {
namespace {

constexpr Duration kLook{3'000'000};          // the project's text, and tables that others write
constexpr Duration kBusyDelay{10'000'000};    // too many runs wait
constexpr Duration kTroubleDelay{5'000'000};  // the records cannot be written
constexpr Duration kRetryDelayMax{3'600'000'000};
constexpr Duration kClockLeapMax{86'400'000'000};
constexpr Timestamp kNever = Timestamp::max();

// Another one means: begin anew, nothing is missed.
std::string pattern_key(const Schedule& schedule) {
  return fmt::format("{} [{}]{}", pattern_of(schedule), schedule.zone.value_or(TimeZone()).name(),
                     schedule.pause ? " paused" : "");
}

Duration retry_delay(const Schedule& schedule, int tries) {
  auto delay = schedule.retry_delay;
  for (int i = 1; i < tries && delay < kRetryDelayMax; ++i)
    delay *= 2;
  return std::min(delay, std::max(kRetryDelayMax, schedule.retry_delay));
}

std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

bool is_over(State state) {
  return state == State::kDone || state == State::kFailed;
}

}  // namespace

Result<std::unique_ptr<Scheduler>> Scheduler::open(Env& env, store::Store& store, Runs& runs) {
  TARN_TRY(auto records, DueRecords::open(store));
  std::unique_ptr<Scheduler> scheduler(new Scheduler(env, runs, std::move(records)));
  TARN_TRY(scheduler->states_, scheduler->records_->states());
  TARN_TRY(scheduler->last_id_, scheduler->records_->last_id());
  return scheduler;
}

Scheduler::~Scheduler() {
  stop();
}

void Scheduler::load(SchedulePlan plan) {
  const std::lock_guard lock(mutex_);
  if (!plan.mistakes.empty()) {
    problem_ =
        fmt::format("the project has {} mistake{}, so the schedules of before stay: {}", plan.mistakes.size(),
                    plan.mistakes.size() == 1 ? "" : "s", to_string(plan.mistakes.front()));
    return;
  }
  problem_.clear();
  const auto now = env_.clock->now();
  for (auto& [name, entry] : entries_)
    entry.gone = !entry.is_backfill;
  for (auto& schedule : plan.schedules)
    keep_entry(std::move(schedule), now);
  // One that was taken out begins anew when it comes back.
  for (auto& [name, state] : states_) {
    const auto found = entries_.find(name);
    if (state.pattern.empty() || (found != entries_.end() && !found->second.gone))
      continue;
    state.pattern.clear();
    unsaved_.schedules.push_back(state);
  }
  if (!recovered_) {
    if (const auto recovered = recover(); !recovered)
      problem_ = recovered.error().message;
  }
  for (auto& [name, entry] : entries_) {
    if (!entry.gone)
      continue;
    for (auto& due : entry.waiting) {
      due.state = DueState::kCancelled;
      due.reason = "the schedule is no longer in the project";
      due.finished_at = now;
      unsaved_.due.push_back(due);
    }
    entry.waiting.clear();
    entry.next.reset();
    put_on_agenda(entry);
  }
  std::erase_if(entries_, [](const auto& item) { return item.second.gone && item.second.running.empty(); });
}

// A schedule that is new, or has other times than before, begins now: nothing before counts as missed.
void Scheduler::keep_entry(Schedule schedule, Timestamp now) {
  const auto name = schedule.name;
  auto& entry = entries_[name];
  auto& state = states_[name];
  const auto key = pattern_key(schedule);
  const bool clock_leapt = state.last_due_at - now > kClockLeapMax;
  if (state.name.empty() || state.pattern != key || clock_leapt) {
    state = {.name = name, .pattern = key, .paused = state.paused, .last_due_at = now, .seen = {}};
    unsaved_.schedules.push_back(state);
  }
  entry.schedule = std::move(schedule);
  entry.state = state;
  entry.gone = false;
  entry.next = entry.paused() ? std::nullopt : next_due(entry.schedule, state.last_due_at);
  put_on_agenda(entry);
  after_checked_at_.reset();
}

// What was open when the process ended. Rows of runs that this process has started are its own affair.
Status Scheduler::recover() {
  TARN_TRY(auto open, records_->open_ones());
  for (auto& due : open) {
    if (!launched_.contains(due.run_id))
      TARN_CHECK(attach(std::move(due)));
  }
  recovered_ = true;
  return ok();
}

Status Scheduler::attach(Due due) {
  auto found = entries_.find(due.schedule);
  if (found == entries_.end()) {
    found = entries_.emplace(due.schedule, Entry{}).first;
    auto& entry = found->second;
    entry.schedule.name = due.schedule;
    entry.state.name = due.schedule;
    constexpr std::string_view kPrefix = "backfill ";
    entry.is_backfill = due.schedule.starts_with(kPrefix);
    entry.gone = !entry.is_backfill;
    if (entry.is_backfill) {
      TARN_TRY(auto backfill, records_->backfill(due.schedule.substr(kPrefix.size())));
      entry.gone = !backfill.has_value();
      if (backfill) {
        entry.schedule.run = std::move(backfill->selection);
        entry.schedule.exclude = std::move(backfill->exclude);
        entry.schedule.full_refresh = backfill->full_refresh;
        entry.schedule.catch_up = CatchUp::kAll;
      }
    }
  }
  auto& entry = found->second;
  if (due.state == DueState::kRunning) {
    const auto run = runs_.get(due.run_id);
    if (!run && run.error().code != Code::kNotFound)
      return run.error();
    if (run && is_over(run->state)) {
      Round round{.now = env_.clock->now(), .changes = {}, .launches = {}, .touched = {}};
      settle_due(entry, std::move(due), *run, round);
      unsaved_.due.insert(unsaved_.due.end(), round.changes.due.begin(), round.changes.due.end());
      put_on_agenda(entry);
      return ok();
    }
    due.state = DueState::kWaiting;
    due.tries = std::max(0, due.tries - 1);  // being killed is not a try
    due.begun = run.has_value();
    due.reason = run ? "goes on: the process ended in the middle of it" : "";
  }
  entry.waiting.push_back(std::move(due));
  put_on_agenda(entry);
  return ok();
}

void Scheduler::put_on_agenda(Entry& entry) {
  const auto& name = entry.schedule.name;
  auto at = entry.next.value_or(kNever);
  const bool may_start = entry.running.empty() && !entry.paused() && !entry.gone && !entry.waiting.empty();
  if (may_start)
    at = std::min(at, entry.waiting.front().not_before.value_or(Timestamp::min()));
  if (const auto old = on_agenda_.find(name); old != on_agenda_.end()) {
    agenda_.erase(old->second);
    on_agenda_.erase(old);
  }
  if (at == kNever)
    return;
  agenda_.emplace(at, name);
  on_agenda_.emplace(name, std::pair{at, name});
}

Due Scheduler::new_due(const Entry& entry, const DueSpan& span, std::string trigger) {
  Due due;
  due.id = ++last_id_;
  due.schedule = entry.schedule.name;
  due.first_due_at = span.first;
  due.due_at = span.last;
  due.count = span.count;
  due.trigger = std::move(trigger);
  if (span.runs) {
    due.run_id = new_run_id(*env_.clock, *env_.random);
  } else {
    due.state = DueState::kSkipped;
    due.reason = span.reason;
    due.finished_at = env_.clock->now();
  }
  return due;
}

// A due time that no cron text and no `every` makes, so that a row has it alone.
Timestamp Scheduler::moment_of_its_own(Timestamp now) {
  last_moment_ = std::max(now, last_moment_ + Duration(1));
  if (last_moment_.time_since_epoch().count() % 1'000 == 0)
    last_moment_ += Duration(1);
  return last_moment_;
}

// While a run is under way, what comes waits: by the schedule's catch_up as one, each, or not at all.
void Scheduler::add_span(Entry& entry, const DueSpan& span, std::string trigger, Round& round) {
  const auto& schedule = entry.schedule;
  const bool busy = !entry.running.empty() || !entry.waiting.empty();
  auto left_out = span;
  left_out.runs = false;
  if (span.runs && busy && schedule.catch_up == CatchUp::kNone) {
    left_out.reason = "the run before it was still under way (catch_up: none)";
    round.changes.due.push_back(new_due(entry, left_out, std::move(trigger)));
    return;
  }
  if (span.runs && schedule.catch_up == CatchUp::kLast) {
    for (auto& due : entry.waiting) {
      if (due.tries > 0 || due.begun || due.trigger == "hand")
        continue;
      due.due_at = span.last;
      due.count += span.count;
      round.changes.due.push_back(due);
      return;
    }
  }
  if (span.runs && schedule.catch_up == CatchUp::kAll &&
      entry.waiting.size() >= static_cast<size_t>(schedule.catch_up_max)) {
    left_out.reason = fmt::format("{} wait already (catch_up_max)", entry.waiting.size());
    round.changes.due.push_back(new_due(entry, left_out, std::move(trigger)));
    return;
  }
  auto due = new_due(entry, span, std::move(trigger));
  round.changes.due.push_back(due);
  if (span.runs)
    entry.waiting.push_back(std::move(due));
}

void Scheduler::decide_due(Entry& entry, Round& round) {
  if (entry.next && *entry.next <= round.now) {
    const auto decision = decide(entry.schedule, entry.state.last_due_at, round.now);
    for (const auto& span : decision.due) {
      add_span(entry, span, "time", round);
      entry.state.last_due_at = span.last;
    }
    entry.next = decision.next;
    states_[entry.schedule.name] = entry.state;
    round.changes.schedules.push_back(entry.state);
  }
  round.touched.insert(entry.schedule.name);
}

void Scheduler::check_after(SchedulerHost& host, Round& round) {
  std::set<std::string> names;
  for (const auto& [name, entry] : entries_) {
    if (!entry.gone && !entry.paused())
      names.insert(entry.schedule.after.begin(), entry.schedule.after.end());
  }
  if (names.empty())
    return;
  const auto versions = host.versions(names);
  if (!versions)
    return;  // asked again with the next look
  for (auto& [name, entry] : entries_) {
    if (entry.gone || entry.paused() || entry.schedule.after.empty())
      continue;
    bool news = false, known = true;
    for (const auto& one : entry.schedule.after) {
      const auto version = versions->find(one);
      const auto now = version == versions->end() ? std::string("-") : version->second;
      auto [seen, first] = entry.state.seen.emplace(one, now);
      known = known && !first;
      news = news || (!first && seen->second != now);
      seen->second = now;
    }
    if (!news && known)
      continue;
    if (news) {
      const auto at = moment_of_its_own(round.now);
      entry.state.last_due_at = at;
      add_span(entry, {.first = at, .last = at}, "after", round);
      round.touched.insert(name);
    }
    states_[name] = entry.state;
    round.changes.schedules.push_back(entry.state);
  }
}

Launch Scheduler::launch_of(const Entry& entry, const Due& due) const {
  Launch launch;
  launch.run_id = due.run_id;
  launch.schedule = entry.schedule.name;
  launch.due_at = due.due_at;
  launch.selection = entry.schedule.run;
  launch.exclude = entry.schedule.exclude;
  launch.full_refresh = entry.schedule.full_refresh;
  launch.vars = entry.schedule.vars;
  for (const auto& [name, value] : due.vars)
    launch.vars[name] = value;
  launch.timeout = entry.schedule.timeout;
  launch.task_timeout = entry.schedule.task_timeout;
  return launch;
}

void Scheduler::start_next(Entry& entry, Round& round) {
  if (entry.running.empty() && !entry.waiting.empty() && !entry.paused() && !entry.gone) {
    auto& front = entry.waiting.front();
    if (!front.not_before || *front.not_before <= round.now) {
      auto due = std::move(front);
      entry.waiting.erase(entry.waiting.begin());
      due.state = DueState::kRunning;
      due.not_before.reset();
      due.reason.clear();
      ++due.tries;
      round.launches.push_back(launch_of(entry, due));
      round.changes.due.push_back(due);
      entry.running.push_back(std::move(due));
    }
  }
  put_on_agenda(entry);
}

void Scheduler::settle(Entry& entry, const Ended& ended, Round& round) {
  const auto at = std::find_if(entry.running.begin(), entry.running.end(),
                               [&](const Due& due) { return due.run_id == ended.run_id; });
  if (at == entry.running.end())
    return;
  auto due = std::move(*at);
  entry.running.erase(at);
  round.touched.insert(entry.schedule.name);
  settle_due(entry, std::move(due), ended.outcome, round);
}

void Scheduler::settle_due(Entry& entry, Due due, const Result<RunRecord>& outcome, Round& round) {
  const bool cancelled =
      outcome ? outcome->state == State::kCancelled : outcome.error().code == Code::kCancelled;
  const bool done = outcome && outcome->state == State::kDone;
  due.reason = first_line(outcome ? outcome->error : outcome.error().message);
  if (!outcome && outcome.error().code == Code::kExhausted) {
    due.state = DueState::kWaiting;
    due.tries = std::max(0, due.tries - 1);
    due.not_before = round.now + kBusyDelay;
  } else if (!done && !cancelled && !entry.gone && due.tries <= entry.schedule.retries) {
    due.state = DueState::kWaiting;
    due.not_before = round.now + retry_delay(entry.schedule, due.tries);
    due.reason = fmt::format("try {} of {} failed: {}", due.tries, entry.schedule.retries + 1, due.reason);
  } else {
    due.state = done ? DueState::kDone : cancelled ? DueState::kCancelled : DueState::kFailed;
    due.finished_at = round.now;
  }
  round.changes.due.push_back(due);
  if (due.state == DueState::kWaiting)
    entry.waiting.insert(entry.waiting.begin(), std::move(due));
}

// Before anything starts. When the records cannot be written, memory is read anew from them.
Status Scheduler::save(Round& round) {
  auto& changes = round.changes;
  changes.schedules.insert(changes.schedules.begin(), unsaved_.schedules.begin(), unsaved_.schedules.end());
  changes.due.insert(changes.due.begin(), unsaved_.due.begin(), unsaved_.due.end());
  if (changes.empty())
    return ok();
  auto saved = records_->write(changes);
  if (saved) {
    unsaved_ = {};
    return ok();
  }
  round.launches.clear();
  for (auto& [name, entry] : entries_) {
    entry.waiting.clear();
    std::erase_if(entry.running, [this](const Due& due) { return !launched_.contains(due.run_id); });
  }
  if (auto states = records_->states())
    states_ = std::move(*states);
  for (auto& [name, entry] : entries_) {
    if (const auto known = states_.find(name); known != states_.end())
      entry.state = known->second;
    entry.next =
        entry.paused() || entry.gone ? std::nullopt : next_due(entry.schedule, entry.state.last_due_at);
    put_on_agenda(entry);
  }
  (void)recover();
  return saved;
}

void Scheduler::take_ended(std::vector<Ended>& ended) {
  const std::lock_guard lock(inbox_mutex_);
  ended.swap(ended_);
  nudged_ = false;
}

Result<Timestamp> Scheduler::step(SchedulerHost& host) {
  std::vector<Ended> ended;
  take_ended(ended);
  Round round;
  Timestamp next = kNever;
  {
    const std::lock_guard lock(mutex_);
    round.now = env_.clock->now();
    for (const auto& one : ended) {
      launched_.erase(one.run_id);
      for (auto& [name, entry] : entries_)
        settle(entry, one, round);
    }
    if (!ended.empty() || !after_checked_at_ || round.now - *after_checked_at_ >= kLook ||
        round.now < *after_checked_at_) {
      check_after(host, round);
      after_checked_at_ = round.now;
    }
    while (!agenda_.empty() && agenda_.begin()->first <= round.now) {
      auto& entry = entries_.at(agenda_.begin()->second);
      on_agenda_.erase(entry.schedule.name);
      agenda_.erase(agenda_.begin());
      decide_due(entry, round);
    }
    for (const auto& name : round.touched)
      start_next(entries_.at(name), round);
    TARN_CHECK(save(round));
    for (const auto& launch : round.launches)
      launched_.insert(launch.run_id);
    std::erase_if(entries_, [](const auto& item) {
      const auto& entry = item.second;
      return (entry.gone || entry.is_backfill) && entry.running.empty() && entry.waiting.empty();
    });
    if (!agenda_.empty())
      next = agenda_.begin()->first;
  }
  TARN_CHECK(launch_all(round, host));
  for (const auto& name : round.touched)
    host.changed(name);
  const std::lock_guard lock(inbox_mutex_);
  return ended_.empty() ? next : round.now;
}

Status Scheduler::launch_all(Round& round, SchedulerHost& host) {
  for (const auto& launch : round.launches) {
    {
      const std::lock_guard lock(inbox_mutex_);
      if (stopping_)
        return ok();
    }
    const auto id = launch.run_id;
    const auto on_end = [this, id](const Result<RunRecord>& outcome) {
      const std::lock_guard lock(inbox_mutex_);
      if (stopping_ && (!outcome || outcome->state == State::kCancelled))
        return;  // by our own end: the next start goes on with it
      ended_.push_back({id, outcome});
      nudged_ = true;
      wake_.notify_all();
    };
    if (const auto launched = host.launch(launch, on_end); !launched)
      on_end(launched.error());
  }
  return ok();
}

void Scheduler::nudge() {
  const std::lock_guard lock(inbox_mutex_);
  nudged_ = true;
  wake_.notify_all();
}

void Scheduler::start(SchedulerHost& host) {
  if (auto plan = host.reload())
    load(std::move(*plan));
  thread_ = std::thread([this, &host] { loop(host); });
}

void Scheduler::look_at_text(SchedulerHost& host) {
  const auto now = env_.clock->steady();
  if (text_looked_at_ && now - *text_looked_at_ < kLook)
    return;
  text_looked_at_ = now;
  if (auto plan = host.reload()) {
    load(std::move(*plan));
    host.changed("");
  }
}

void Scheduler::loop(SchedulerHost& host) {
  while (true) {
    look_at_text(host);
    const auto next = step(host);
    {
      const std::lock_guard lock(mutex_);
      trouble_ = next ? "" : fmt::format("schedules wait: {}", next.error().message);
    }
    auto pause = next ? kLook : kTroubleDelay;
    if (next && *next < kNever)
      pause = std::clamp(std::chrono::duration_cast<Duration>(*next - env_.clock->now()), Duration(0), kLook);
    std::unique_lock lock(inbox_mutex_);
    wake_.wait_for(lock, pause, [this] { return stopping_ || nudged_; });
    if (stopping_)
      return;
  }
}

void Scheduler::stop() {
  {
    const std::lock_guard lock(inbox_mutex_);
    stopping_ = true;
    wake_.notify_all();
  }
  if (thread_.joinable())
    thread_.join();
}

std::string Scheduler::problem() {
  const std::lock_guard lock(mutex_);
  return trouble_.empty() ? problem_ : trouble_;
}

}  // namespace tarn::flow
