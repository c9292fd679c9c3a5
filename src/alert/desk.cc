#include "alert/desk.h"

#include <algorithm>

#include <fmt/format.h>

#include "alert/history.h"
#include "codec/text_distance.h"

namespace tarn::alert {
namespace {

using report::mail::Outcome;

constexpr Duration kLook{15'000'000};         // nothing is expected, and something may have been missed
constexpr Duration kTroubleDelay{5'000'000};  // the records cannot be written
constexpr Duration kDelayMax{900'000'000};
constexpr Duration kRetryAfterMax{3'600'000'000};
constexpr Timestamp kNever = Timestamp::max();

Duration delay_of(const Channel& channel, int failures, Duration asked) {
  auto delay = channel.first_delay;
  for (int i = 0; i < failures && delay < kDelayMax; ++i)
    delay *= 2;
  return std::max(std::min(delay, kDelayMax), std::min(asked, kRetryAfterMax));
}

}  // namespace

Desk::Desk(Env& env, std::unique_ptr<AlertRecords> records, Sender sender)
    : env_(env), records_(std::move(records)), sender_(std::move(sender)) {}

Desk::~Desk() {
  stop();
}

Result<std::unique_ptr<Desk>> Desk::open(Env& env, store::Store& store, Sender sender) {
  TARN_TRY(auto records, AlertRecords::open(env, store));
  if (!sender) {
    sender = [&env](const auto& project, const auto& channel, const auto& letter, const auto& cancelled) {
      return send(env, project, channel, letter, cancelled);
    };
  }
  return std::unique_ptr<Desk>(new Desk(env, std::move(records), std::move(sender)));
}

std::shared_ptr<const Plan> Desk::plan() {
  const std::lock_guard lock(mutex_);
  return plan_;
}

void Desk::load(Plan plan) {
  {
    const std::lock_guard lock(mutex_);
    plan.read_at = env_.clock->now();
    plan_ = std::make_shared<const Plan>(std::move(plan));
    loaded_ = true;
    judge_at_.reset();
    send_at_.clear();
    nudged_ = true;
    wake_.notify_all();
  }
  tell_change();
}

bool Desk::has_plan() {
  const std::lock_guard lock(mutex_);
  return loaded_;
}

void Desk::start(Tell tell, Changed changed) {
  tell_ = std::move(tell);
  changed_ = std::move(changed);
  running_ = true;
  thread_ = std::thread([this] { loop(); });
}

void Desk::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    wake_.notify_all();
  }
  if (thread_.joinable())
    thread_.join();
  join_sendings(true);
}

void Desk::nudge() {
  const std::lock_guard lock(mutex_);
  nudged_ = true;
  wake_.notify_all();
}

void Desk::say(bool is_trouble, const std::string& text) {
  if (tell_)
    tell_(is_trouble, text);
}

void Desk::tell_change() {
  if (changed_)
    changed_();
}

// When to look again.
Result<Timestamp> Desk::judge_all() {
  const auto plan = this->plan();
  bool repeat = false;
  {
    const std::lock_guard lock(mutex_);
    repeat = !std::exchange(repeated_, true);
  }
  if (repeat) {
    for (const auto& channel : plan->channels) {
      if (channel.repeatable)
        TARN_CHECK(records_->repeat_unknown(channel));
    }
  }
  TARN_TRY(const auto ended, records_->store().read([](store::Connection& db) {
    return db.integer("SELECT 1 FROM alert_ended LIMIT 1");
  }));
  const auto now = env_.clock->now();
  {
    const std::lock_guard lock(mutex_);
    if (!ended && judge_at_ && now < *judge_at_)
      return *judge_at_;
  }
  TARN_TRY(const auto verdict, judge(records_->store(), *plan, now));
  if (verdict.changed)
    tell_change();
  const std::lock_guard lock(mutex_);
  judge_at_ = verdict.next.value_or(kNever);
  if (verdict.told)
    send_at_.clear();
  return *judge_at_;
}

Letter Desk::letter_of(const Plan& plan, const Message& message) const {
  return {.project = plan.project.name,
          .id = message.id,
          .url = plan.project.http_url,
          .zone = plan.zone,
          .at = env_.clock->now(),
          .alerts = message.alerts};
}

Result<Timestamp> Desk::serve(const Channel& channel, const Plan& plan) {
  TARN_TRY(auto taken, records_->take(channel, plan.zone));
  if (!taken.message)
    return taken.look_again.value_or(kNever);
  tell_change();
  const auto sent =
      sender_(plan.project, channel, letter_of(plan, *taken.message), [this] { return stopping_.load(); });
  TARN_CHECK(end(channel, *taken.message, sent));
  tell_change();
  return env_.clock->now();
}

Status Desk::end(const Channel& channel, const Message& message, const Sent& sent) {
  const auto count = message.alerts.size();
  const auto what = count == 1 ? headline(message.alerts.front().fact) : fmt::format("{} alerts", count);
  AlertRecords::End end{.state = AlertState::kSent, .answer = sent.answer, .not_before = {}};
  switch (sent.outcome) {
    case Outcome::kSent: end.state = AlertState::kSent; break;
    case Outcome::kRefused: end.state = AlertState::kRefused; break;
    case Outcome::kUnknown:
      end.state = channel.repeatable ? AlertState::kWaiting : AlertState::kUnknown;
      break;
    case Outcome::kNotSent: end.state = AlertState::kWaiting; break;
  }
  if (end.state == AlertState::kWaiting) {
    TARN_TRY(const auto before, records_->trouble(channel.name));
    // Broken off by our own end: the next start sends it at once.
    const auto delay = stopping_ ? Duration(0) : delay_of(channel, before.failures, sent.retry_after);
    end.not_before = env_.clock->now() + delay;
  }
  TARN_CHECK(records_->end(message, end));
  if (end.state == AlertState::kSent) {
    say(false, fmt::format("alert {}: told {}", channel.name, what));
  } else {
    say(true, fmt::format("alert {}: {}: {} ({})", channel.name, what,
                          end.state == AlertState::kWaiting ? "to be tried again" : name_of(end.state),
                          sent.answer));
  }
  return ok();
}

Result<Timestamp> Desk::step() {
  TARN_TRY(auto next, judge_all());
  const auto plan = this->plan();
  for (const auto& channel : plan->channels) {
    TARN_TRY(const auto again, serve(channel, *plan));
    next = std::min(next, again);
  }
  return next;
}

void Desk::join_sendings(bool all) {
  std::vector<std::unique_ptr<Sending>> done;
  {
    const std::lock_guard lock(mutex_);
    for (auto at = sendings_.begin(); at != sendings_.end();) {
      if (all || at->second->over) {
        done.push_back(std::move(at->second));
        at = sendings_.erase(at);
      } else {
        ++at;
      }
    }
  }
  for (auto& one : done)
    one->thread.join();
}

void Desk::start_sending(const std::shared_ptr<const Plan>& plan) {
  const auto now = env_.clock->now();
  for (const auto& channel : plan->channels) {
    const std::lock_guard lock(mutex_);
    const auto at = send_at_.find(channel.name);
    if (stopping_ || sendings_.contains(channel.name) || (at != send_at_.end() && at->second > now))
      continue;
    auto sending = std::make_unique<Sending>();
    auto* one = sending.get();
    send_at_[channel.name] = kNever;
    sending->thread = std::thread([this, one, plan, channel] {
      const auto again = serve(channel, *plan);
      if (!again)
        say(true, fmt::format("alert {} waits: {}", channel.name, again.error().message));
      const std::lock_guard lock(mutex_);
      auto& next = send_at_[channel.name];
      next = std::min(next, again ? *again : env_.clock->now() + kTroubleDelay);
      one->over = true;
      nudged_ = true;
      wake_.notify_all();
    });
    sendings_.emplace(channel.name, std::move(sending));
  }
}

void Desk::loop() {
  while (!stopping_) {
    const auto next = judge_all();
    if (!next)
      say(true, fmt::format("alerts wait: {}", next.error().message));
    join_sendings(false);
    start_sending(plan());
    std::unique_lock lock(mutex_);
    auto until = next ? *next : env_.clock->now() + kTroubleDelay;
    for (const auto& [name, at] : send_at_)
      until = std::min(until, at);
    const auto now = env_.clock->now();
    const auto pause = until == kNever ? kLook
                                       : std::clamp(std::chrono::duration_cast<Duration>(until - now),
                                                    Duration(50'000), kLook);
    wake_.wait_for(lock, pause, [this] { return stopping_ || nudged_; });
    nudged_ = false;
  }
}

Result<Overview> Desk::overview(int newest) {
  const auto plan = this->plan();
  Overview all;
  for (const auto& channel : plan->channels) {
    ChannelInfo info{.name = channel.name,
                     .kind = std::string(name_of(channel.kind)),
                     .target = target_of(channel),
                     .of = channel.of};
    for (const auto event : channel.events)
      info.events.emplace_back(name_of(event));
    TARN_TRY(info.waiting, records_->waiting(channel.name));
    TARN_TRY(info.trouble, records_->trouble(channel.name));
    TARN_TRY(info.last, records_->last(channel.name));
    all.channels.push_back(std::move(info));
  }
  TARN_TRY(all.open, records_->open_episodes());
  TARN_TRY(all.newest, records_->newest(newest));
  if (!plan->mistakes.empty())
    all.problem = to_string(plan->mistakes.front());
  return all;
}

Status Desk::settle(int64_t id, bool done) {
  const auto plan = this->plan();
  const auto channel_of = [&]() -> Result<std::string> {
    TARN_TRY(const auto name, records_->store().read([&](store::Connection& db) {
      return db.text("SELECT channel FROM alerts WHERE id = ?", {id});
    }));
    return name.value_or("");
  };
  if (!done) {
    TARN_TRY(const auto name, channel_of());
    const bool known = std::any_of(plan->channels.begin(), plan->channels.end(),
                                   [&](const auto& one) { return one.name == name; });
    if (!name.empty() && !known)
      return Error{Code::kNotFound, fmt::format("tarn.yml has no alert '{}' any more: nobody can be told "
                                                "again",
                                                name)};
  }
  TARN_TRY(const auto channel, alert::settle(records_->store(), id, done, env_.clock->now()));
  tell_change();
  const std::lock_guard lock(mutex_);
  send_at_.erase(channel);
  nudged_ = true;
  wake_.notify_all();
  return ok();
}

Result<std::vector<TestResult>> Desk::test(const std::string& name, const std::function<bool()>& cancelled) {
  const auto plan = this->plan();
  std::vector<std::string> names;
  std::vector<TestResult> results;
  for (const auto& channel : plan->channels) {
    names.push_back(channel.name);
    if (!name.empty() && channel.name != name)
      continue;
    TARN_TRY(const auto message, records_->begin_test(channel));
    const auto began = env_.clock->steady();
    const auto sent = sender_(plan->project, channel, letter_of(*plan, message), cancelled);
    AlertState state = AlertState::kSent;
    switch (sent.outcome) {
      case Outcome::kSent: break;
      case Outcome::kRefused: state = AlertState::kRefused; break;
      case Outcome::kNotSent: state = AlertState::kNotSent; break;
      case Outcome::kUnknown: state = AlertState::kUnknown; break;
    }
    TARN_CHECK(records_->end_test(message, state, sent.answer));
    tell_change();
    results.push_back({.channel = channel.name,
                       .kind = std::string(name_of(channel.kind)),
                       .target = target_of(channel),
                       .state = state,
                       .answer = sent.answer,
                       .took = env_.clock->steady() - began});
  }
  if (!results.empty())
    return results;
  if (!plan->mistakes.empty())
    return Error{Code::kInvalid, to_string(plan->mistakes.front())};
  if (names.empty())
    return Error{Code::kNotFound, "tarn.yml tells nobody: write 'alerts: {me: {mail: ada@example.org}}'"};
  const auto near = codec::nearest(name, names);
  return Error{Code::kNotFound, fmt::format("there is no alert '{}': {}", name,
                                            near.empty() ? fmt::format("there are {}", fmt::join(names, ", "))
                                                         : fmt::format("did you mean '{}'?", near))};
}

}  // namespace tarn::alert
