// Goal: one alert an episode, whatever fails how often, whatever is killed when; what nobody took is tried
// again, what may have arrived is unknown; summaries, quiet hours and limits hold. Method: a clock that is
// set, real records of runs, and a sender that answers as the test says; a kill forgets everything but the
// records. Real receivers: tests/schedules/test_alerts.py.
#include "alert/desk.h"

#include <filesystem>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "alert/history.h"
#include "base/env/fault.h"
#include "base/time.h"
#include "flow/due_records.h"
#include "flow/runs.h"

namespace tarn::alert {
namespace {

using report::mail::Outcome;
using testing::ElementsAre;
using testing::IsEmpty;

class SetClock : public Clock {
 public:
  Timestamp now() override { return time; }
  Duration steady() override { return time.time_since_epoch(); }
  void sleep_for(Duration duration) override { time += duration; }
  Timestamp time = parse_time("2026-11-21T10:00:00Z").value();
};

class Dice : public Random {
 public:
  uint64_t next() override { return engine(); }
  std::mt19937_64 engine{7};
};

class DeskTest : public testing::Test {
 protected:
  DeskTest() {
    const bool in_memory = std::filesystem::exists("/dev/shm");
    std::string pattern = (in_memory ? "/dev/shm/" : testing::TempDir()) + "tarn_alerts_XXXXXX";
    folder_ = mkdtemp(pattern.data());
    plan_.project.name = "home";
    plan_.tasks = {"a", "b", "c", "d", "m"};
    plan_.channels.push_back(channel("me"));
    open();
  }
  ~DeskTest() override {
    close();
    std::filesystem::remove_all(folder_);
  }

  static Channel channel(const std::string& name) {
    Channel channel;
    channel.name = name;
    channel.kind = Kind::kWebhook;
    channel.events = {Event::kFailure, Event::kRecovery, Event::kLateness, Event::kTest, Event::kQuarantine};
    return channel;
  }

  void close() {
    desk_.reset();
    due_.reset();
    runs_.reset();
    store_.reset();
  }
  void open() {
    auto store = store::Store::open({.path = folder_ + "/control.sqlite", .faults = faults_});
    ASSERT_TRUE(store) << store.error().message;
    store_ = std::move(*store);
    auto runs = flow::Runs::open(env_, *store_);
    ASSERT_TRUE(runs);
    runs_ = std::move(*runs);
    auto due = flow::DueRecords::open(*store_);
    ASSERT_TRUE(due);
    due_ = std::move(*due);
    auto desk =
        Desk::open(env_, *store_, [this](const auto&, const auto& channel, const auto& letter, const auto&) {
          return take(channel, letter);
        });
    ASSERT_TRUE(desk) << desk.error().message;
    desk_ = std::move(*desk);
    desk_->load(plan_);
  }
  void kill() {
    close();
    open();
  }

  Sent take(const Channel& channel, const Letter& letter) {
    Sent sent{Outcome::kSent, "", Duration(0)};
    if (!answers_.empty()) {
      sent = answers_.front();
      answers_.erase(answers_.begin());
    }
    if (sent.outcome == Outcome::kSent)
      inbox_.push_back(channel.name + ": " + title(letter));
    if (killed_in_send_)
      throw Killed();
    return sent;
  }
  struct Killed {};

  struct Did {
    flow::State state = flow::State::kDone;
    std::string kind = "source";
    std::string error = {};
    std::vector<std::string> log = {};
    int64_t quarantined = 0;
  };
  static Did failed(std::string error = "no answer") {
    return {.state = flow::State::kFailed, .error = std::move(error)};
  }

  // A run of these tasks.
  std::string run(const std::map<std::string, Did>& tasks, const std::string& schedule = "",
                  std::optional<std::string> id = {}, const std::string& command = "run") {
    flow::RunRecord record;
    record.id = id.value_or(fmt::format("run{:03}", ++last_run_));
    record.command = command;
    record.started_at = clock_.time;
    record.schedule = schedule;
    if (!schedule.empty())
      record.due_at = clock_.time;
    std::vector<flow::TaskRecord> records;
    for (const auto& [name, did] : tasks) {
      records.push_back({.run_id = record.id, .name = name, .kind = did.kind, .path = "p"});
      records.back().position = static_cast<int>(records.size());
    }
    EXPECT_TRUE(runs_->start_run(record, records));
    bool well = true;
    for (const auto& [name, did] : tasks) {
      clock_.time += Duration(1'000'000);
      EXPECT_TRUE(runs_->start_attempt(record.id, name, 1));
      flow::AttemptEnd end{.run_id = record.id, .task = name, .attempt = 1, .state = did.state};
      end.error = did.error;
      end.report.counts.rows_quarantined = did.quarantined;
      std::vector<flow::LogLine> log;
      for (const auto& line : did.log)
        log.push_back({name, 1, static_cast<int>(log.size()) + 1, clock_.time, line});
      EXPECT_TRUE(runs_->end_attempt(end, log));
      well = well && did.state == flow::State::kDone;
    }
    EXPECT_TRUE(runs_->end_run(record.id, well ? flow::State::kDone : flow::State::kFailed, well ? 0 : 1,
                               well ? "" : "a: no answer"));
    return record.id;
  }

  void due(const std::string& run, flow::DueState state) {
    flow::Due due{.id = 1, .schedule = "nightly", .due_at = start_, .first_due_at = start_};
    due.trigger = "time";
    due.run_id = run;
    due.state = state;
    due.reason = "because";
    ASSERT_TRUE(due_->write({.schedules = {}, .due = {due}, .backfill = {}}));
  }

  // Rounds until nothing is to be done.
  void rounds() {
    for (int i = 0; i < 20; ++i) {
      const auto next = desk_->step();
      ASSERT_TRUE(next) << next.error().message;
      if (*next > clock_.time)
        return;
    }
    FAIL() << "it does not come to rest";
  }
  std::vector<std::string> told() {
    rounds();
    return std::exchange(inbox_, {});
  }
  std::vector<std::string> states() {
    std::vector<std::string> all;
    const auto newest = desk_->records().newest(1'000);
    EXPECT_TRUE(newest);
    for (const auto& one : *newest)
      all.push_back(fmt::format("{} {} {}", one.fact.subject, name_of(one.fact.event), name_of(one.state)));
    return all;
  }

  std::string folder_;
  SetClock clock_;
  Dice dice_;
  Env env_{.files = real_env().files, .clock = &clock_, .random = &dice_};
  FaultInjector* faults_ = nullptr;
  Plan plan_;
  const Timestamp start_ = clock_.time;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<flow::Runs> runs_;
  std::unique_ptr<flow::DueRecords> due_;
  std::unique_ptr<Desk> desk_;
  std::vector<Sent> answers_;
  std::vector<std::string> inbox_;
  bool killed_in_send_ = false;
  int last_run_ = 0;
};

TEST_F(DeskTest, OneAlertAnEpisode) {
  run({{"a", {}}});
  EXPECT_THAT(told(), IsEmpty());
  run({{"a", failed()}});
  EXPECT_THAT(told(), ElementsAre("me: [home] a failed"));
  for (int i = 0; i < 5; ++i) {
    run({{"a", failed("another error")}});
    EXPECT_THAT(told(), IsEmpty());
    kill();
  }
  run({{"b", {}}});
  EXPECT_THAT(told(), IsEmpty());
  run({{"a", {}}});
  EXPECT_THAT(told(), ElementsAre("me: [home] a is well again"));
  run({{"a", failed()}});
  EXPECT_THAT(told(), ElementsAre("me: [home] a failed"));
}

TEST_F(DeskTest, ManyThatFailAtOnceAreOneMessage) {
  run({{"a", failed()}, {"b", failed()}, {"c", {}}});
  EXPECT_THAT(told(), ElementsAre("me: [home] 2 failed"));
  run({{"a", {}}, {"b", failed()}});
  EXPECT_THAT(told(), ElementsAre("me: [home] a is well again"));
}

TEST_F(DeskTest, WhatIsOverBeforeItIsToldIsNotTold) {
  run({{"a", failed()}});
  run({{"a", {}}});
  EXPECT_THAT(told(), IsEmpty());
  answers_ = {{Outcome::kNotSent, "busy", Duration(0)}};
  run({{"a", failed()}});
  EXPECT_THAT(told(), IsEmpty());
  run({{"a", {}}});
  clock_.time += Duration(60'000'000);
  EXPECT_THAT(told(), IsEmpty());
  EXPECT_THAT(states(), ElementsAre("a failure over"));
}

TEST_F(DeskTest, ARunThatIsTriedAgainIsToldAfterItsLastTry) {
  const auto id = run({{"a", failed()}}, "nightly");
  due(id, flow::DueState::kRunning);
  EXPECT_THAT(told(), IsEmpty());
  due(id, flow::DueState::kWaiting);
  EXPECT_THAT(told(), IsEmpty());
  due(id, flow::DueState::kFailed);
  EXPECT_THAT(told(), ElementsAre("me: [home] a failed"));
}

// Nobody looked between the run's end and its schedule's.
TEST_F(DeskTest, EndsMayComeTogether) {
  const auto id = run({{"a", failed()}}, "nightly");
  due(id, flow::DueState::kRunning);
  due(id, flow::DueState::kFailed);
  due(id, flow::DueState::kDone);
  ASSERT_TRUE(runs_->end_run(id, flow::State::kFailed, 1, "again"));
  EXPECT_THAT(told(), ElementsAre("me: [home] a failed"));
}

TEST_F(DeskTest, ARunWithoutAFailedTaskIsToldBySchedule) {
  const auto id = run({{"a", {}}}, "nightly");
  EXPECT_THAT(told(), IsEmpty());
  clock_.time += Duration(1'000'000);
  flow::RunRecord record{.id = "run900", .command = "run", .started_at = clock_.time, .schedule = "nightly"};
  record.due_at = clock_.time;
  ASSERT_TRUE(runs_->start_run(record, {}));
  ASSERT_TRUE(runs_->end_run("run900", flow::State::kFailed, 1, "the run was stopped after 2 h (timeout)"));
  EXPECT_THAT(told(), ElementsAre("me: [home] schedule nightly failed"));
  clock_.time += Duration(1'000'000);
  run({{"a", {}}}, "nightly", "run901");
  EXPECT_THAT(told(), ElementsAre("me: [home] schedule nightly is well again"));
  // One that could not even be queued.
  due("run902", flow::DueState::kRunning);
  due("run902", flow::DueState::kFailed);
  EXPECT_THAT(told(), ElementsAre("me: [home] schedule nightly failed"));
}

TEST_F(DeskTest, KilledRunsAreToldUnlessTheyGoOn) {
  flow::RunRecord record{.id = "run800", .command = "run", .started_at = clock_.time, .schedule = "nightly"};
  record.due_at = start_;
  ASSERT_TRUE(runs_->start_run(record, {{.run_id = "run800", .name = "a", .kind = "source", .path = "p"}}));
  ASSERT_TRUE(runs_->start_attempt("run800", "a", 1));
  due("run800", flow::DueState::kRunning);
  kill();
  EXPECT_THAT(told(), IsEmpty());  // the scheduler goes on with it
  record.id = "run801";
  record.schedule.clear();
  ASSERT_TRUE(runs_->start_run(record, {{.run_id = "run801", .name = "b", .kind = "source", .path = "p"}}));
  ASSERT_TRUE(runs_->start_attempt("run801", "b", 1));
  kill();
  EXPECT_THAT(told(), ElementsAre("me: [home] b failed"));
}

TEST_F(DeskTest, DataTestsAndQuarantine) {
  run({{"m", {.kind = "model", .log = {"warning: not_null_m_n: 3 rows fail: (n=null)"}}}});
  EXPECT_THAT(told(), ElementsAre("me: [home] m: a data test warns"));
  run({{"m",
        {.state = flow::State::kFailed, .kind = "model", .error = "x", .log = {"failed: unique_m: 1"}}}});
  EXPECT_THAT(told(), IsEmpty());  // the same episode
  run({{"m", {.kind = "model"}}});
  EXPECT_THAT(told(), ElementsAre("me: [home] m: its data tests pass again"));
  run({{"a", {.quarantined = 12}}});
  EXPECT_THAT(told(), ElementsAre("me: [home] a: 12 rows in quarantine"));
  run({{"a", {.quarantined = 14}}});
  EXPECT_THAT(told(), IsEmpty());
  run({{"a", {}}});
  EXPECT_THAT(told(), ElementsAre("me: [home] a: no more rows go to quarantine"));
}

TEST_F(DeskTest, ChannelsHearWhatTheyAskFor) {
  auto few = channel("few");
  few.tasks = {"b"};
  few.quarantine_rows = 10;
  auto only = channel("only");
  only.events = {Event::kTest};
  plan_.channels = {few, only};
  desk_->load(plan_);
  run({{"a", failed()}, {"b", {.quarantined = 9}}});
  EXPECT_THAT(told(), IsEmpty());
  run({{"b", {.quarantined = 10}}});
  EXPECT_THAT(told(), ElementsAre("few: [home] b: 10 rows in quarantine"));
  run({{"b", {.state = flow::State::kFailed, .kind = "test", .error = "x"}}});
  EXPECT_THAT(told(), ElementsAre("few: [home] b: a data test failed", "only: [home] b: a data test failed"));
  run({{"b", failed()}}, "", {}, "report");
  run({{"b", {}}});
  EXPECT_THAT(told(), ElementsAre("few: [home] 2 well again"));  // of its test, and its rows
}

TEST_F(DeskTest, LatenessByTheClockAlone) {
  plan_.promises = {{"a", "source", "sources/a.yml", std::chrono::hours(24)},
                    {"b", "source", "sources/b.yml", std::chrono::hours(48)}};
  desk_->load(plan_);
  run({{"a", {}}});
  EXPECT_THAT(told(), IsEmpty());
  clock_.time += std::chrono::hours(23);
  EXPECT_THAT(told(), IsEmpty());
  const auto next = desk_->step();
  ASSERT_TRUE(next);
  clock_.time = *next;  // nothing but the clock
  EXPECT_THAT(told(), ElementsAre("me: [home] a is late"));
  kill();
  clock_.time += std::chrono::hours(25);
  EXPECT_THAT(told(), ElementsAre("me: [home] b is late"));  // it never ran
  run({{"a", {}}});
  EXPECT_THAT(told(), ElementsAre("me: [home] a is no longer late"));
  plan_.promises.clear();
  desk_->load(plan_);
  EXPECT_THAT(told(), IsEmpty());
  const auto open = desk_->records().open_episodes();
  ASSERT_TRUE(open);
  EXPECT_THAT(*open, IsEmpty());
}

TEST_F(DeskTest, TasksThatAreGoneAreNobodysTroubleAndNewOnesAreToldAtOnce) {
  run({{"a", failed()}, {"new", failed()}});
  EXPECT_THAT(told(), ElementsAre("me: [home] 2 failed"));
  clock_.time += Duration(1'000'000);
  plan_.tasks.insert("new");
  plan_.tasks.erase("a");
  desk_->load(plan_);
  EXPECT_THAT(told(), IsEmpty());
  const auto open = desk_->records().open_episodes();
  ASSERT_TRUE(open);
  ASSERT_EQ(open->size(), 1U);
  EXPECT_EQ(open->front().fact.task, "new");
}

TEST_F(DeskTest, TriedAgainWithMoreAndMoreTimeBetween) {
  plan_.channels[0].give_up = std::chrono::hours(3);
  desk_->load(plan_);
  answers_.assign(1000, {Outcome::kNotSent, "busy", Duration(0)});
  const auto began = clock_.time;
  run({{"a", failed()}});
  std::vector<int64_t> at;
  while (clock_.time < began + std::chrono::hours(5)) {
    const auto tries = answers_.size();
    const auto next = desk_->step();
    ASSERT_TRUE(next);
    if (answers_.size() < tries)
      at.push_back((clock_.time - began).count() / 1'000'000);
    clock_.time =
        std::max(std::min(*next, clock_.time + std::chrono::minutes(30)), clock_.time + Duration(1));
  }
  ASSERT_GE(at.size(), 8U);
  EXPECT_THAT(std::vector<int64_t>(at.begin(), at.begin() + 5), ElementsAre(1, 11, 31, 71, 151));
  EXPECT_LE(at.back(), 3 * 3600 + 1);
  EXPECT_THAT(states(), ElementsAre("a failure not sent"));
}

TEST_F(DeskTest, AReceiverSaysWhen) {
  answers_ = {{Outcome::kNotSent, "429", std::chrono::minutes(7)}};
  run({{"a", failed()}});
  EXPECT_THAT(told(), IsEmpty());
  clock_.time += std::chrono::minutes(6);
  EXPECT_THAT(told(), IsEmpty());
  run({{"b", failed()}});
  clock_.time += std::chrono::minutes(2);
  EXPECT_THAT(told(), ElementsAre("me: [home] 2 failed"));
}

TEST_F(DeskTest, RefusedAndUnknownAreFinal) {
  answers_ = {{Outcome::kRefused, "403", Duration(0)}, {Outcome::kUnknown, "closed", Duration(0)}};
  run({{"a", failed()}});
  rounds();
  run({{"b", failed()}});
  rounds();
  clock_.time += std::chrono::hours(2);
  EXPECT_THAT(told(), IsEmpty());
  EXPECT_THAT(states(), ElementsAre("b failure unknown", "a failure refused"));
  run({{"a", {}}, {"b", {}}});
  EXPECT_THAT(told(), ElementsAre("me: [home] b is well again"));  // who may have heard of it
}

TEST_F(DeskTest, RepeatableIsSentAgain) {
  plan_.channels[0].repeatable = true;
  desk_->load(plan_);
  answers_ = {{Outcome::kUnknown, "closed", Duration(0)}};
  run({{"a", failed()}});
  rounds();
  clock_.time += std::chrono::minutes(1);
  EXPECT_THAT(told(), ElementsAre("me: [home] a failed"));
}

TEST_F(DeskTest, AtMostSoManyAnHour) {
  plan_.channels[0].per_hour = 2;
  desk_->load(plan_);
  for (const auto* task : {"a", "b", "c"}) {
    run({{task, failed()}});
    rounds();
    clock_.time += std::chrono::minutes(1);
  }
  run({{"d", failed()}});
  EXPECT_THAT(told(), ElementsAre("me: [home] a failed", "me: [home] b failed"));
  clock_.time += std::chrono::minutes(58);
  EXPECT_THAT(told(), ElementsAre("me: [home] 2 failed"));
}

TEST_F(DeskTest, QuietHours) {
  plan_.channels[0].quiet = Quiet{.from = 22 * 60, .to = 7 * 60};
  desk_->load(plan_);
  clock_.time = parse_time("2026-11-21T23:00:00Z").value();
  run({{"a", failed()}, {"b", failed()}, {"c", failed()}});
  EXPECT_THAT(told(), IsEmpty());
  run({{"a", {}}});
  const auto next = desk_->step();
  ASSERT_TRUE(next);
  EXPECT_EQ(*next, parse_time("2026-11-22T07:00:00Z").value());
  clock_.time = *next;
  EXPECT_THAT(told(), ElementsAre("me: [home] 2 failed"));
}

TEST_F(DeskTest, KilledWhileItIsSentIsUnknown) {
  run({{"a", failed()}});
  killed_in_send_ = true;
  EXPECT_THROW((void)desk_->step(), Killed);
  killed_in_send_ = false;
  kill();
  EXPECT_THAT(states(), ElementsAre("a failure unknown"));
  inbox_.clear();
  EXPECT_THAT(told(), IsEmpty());
  plan_.channels[0].repeatable = true;
  kill();
  EXPECT_THAT(told(), ElementsAre("me: [home] a failed"));
}

// Somebody looked: it arrived, or it is to be sent again; the one answer stands for all of the message.
TEST_F(DeskTest, WhatIsUnknownIsSettledByHand) {
  answers_ = {{Outcome::kUnknown, "closed", Duration(0)}};
  run({{"a", failed()}, {"b", failed()}});
  rounds();
  EXPECT_THAT(states(), ElementsAre("b failure unknown", "a failure unknown"));
  ASSERT_TRUE(desk_->settle(1, true));
  EXPECT_THAT(states(), ElementsAre("b failure sent", "a failure sent"));
  EXPECT_THAT(told(), IsEmpty());
  EXPECT_EQ(desk_->settle(1, false).error().code, Code::kConflict);
  EXPECT_EQ(desk_->settle(99, true).error().code, Code::kNotFound);

  answers_ = {{Outcome::kUnknown, "closed", Duration(0)}, {Outcome::kRefused, "403", Duration(0)}};
  run({{"c", failed()}});
  rounds();
  ASSERT_TRUE(desk_->settle(3, false));
  rounds();
  EXPECT_EQ(states().front(), "c failure refused");
  EXPECT_EQ(desk_->settle(3, true).error().code, Code::kConflict);  // it did not arrive: the receiver said so
  ASSERT_TRUE(desk_->settle(3, false));
  kill();
  EXPECT_THAT(told(), ElementsAre("me: [home] c failed"));
}

TEST_F(DeskTest, WhatIsOverIsNotSentAgain) {
  answers_ = {{Outcome::kUnknown, "closed", Duration(0)}, {Outcome::kUnknown, "closed", Duration(0)}};
  run({{"a", failed()}, {"b", failed()}});
  rounds();
  run({{"a", {}}});
  rounds();
  EXPECT_THAT(states(), ElementsAre("a recovery unknown", "b failure unknown", "a failure unknown"));
  EXPECT_EQ(desk_->settle(1, false).error().code, Code::kConflict);
  ASSERT_TRUE(desk_->settle(3, false));
  EXPECT_THAT(told(), ElementsAre("me: [home] a is well again"));
  ASSERT_TRUE(desk_->settle(2, false));
  EXPECT_THAT(told(), ElementsAre("me: [home] b failed"));
  EXPECT_THAT(states(), ElementsAre("a recovery sent", "b failure sent", "a failure over"));
}

// It waited longer than its channel's patience, which must not end it before it is tried.
TEST_F(DeskTest, WhatWasGivenUpIsTriedOnceMoreWhenAsked) {
  plan_.channels[0].give_up = std::chrono::hours(1);
  desk_->load(plan_);
  answers_.assign(7, {Outcome::kNotSent, "busy", Duration(0)});
  run({{"a", failed()}});
  while (states() != std::vector<std::string>{"a failure not sent"}) {
    rounds();
    clock_.time += std::chrono::minutes(20);
  }
  answers_.clear();
  plan_.channels[0].name = "you";
  desk_->load(plan_);
  EXPECT_EQ(desk_->settle(1, false).error().code, Code::kNotFound);  // nobody hears it any more
  plan_.channels[0].name = "me";
  desk_->load(plan_);
  ASSERT_TRUE(desk_->settle(1, false));
  EXPECT_THAT(told(), ElementsAre("me: [home] a failed"));
}

TEST_F(DeskTest, AnOpenEpisodeSaysWhoWasToldAndHowOftenItFailed) {
  plan_.channels.push_back(channel("team"));
  desk_->load(plan_);
  answers_ = {{Outcome::kSent, "", Duration(0)}, {Outcome::kRefused, "403", Duration(0)}};
  run({{"a", failed()}});
  rounds();
  run({{"b", failed()}});
  const auto last = run({{"a", failed("another")}});
  run({{"c", {}}});
  rounds();
  const auto all = desk_->overview(10);
  ASSERT_TRUE(all);
  ASSERT_EQ(all->open.size(), 2U);
  const auto& a = all->open.back();
  EXPECT_EQ(a.fact.subject, "a");
  EXPECT_EQ(a.failed_runs, 2);
  EXPECT_EQ(a.last_run, last);
  ASSERT_EQ(a.told.size(), 2U);
  EXPECT_EQ(a.told[0].channel + " " + std::string(name_of(a.told[0].state)), "me sent");
  EXPECT_EQ(a.told[1].channel + " " + a.told[1].answer, "team 403");
  ASSERT_TRUE(all->channels[0].last);
  EXPECT_FALSE(all->channels[0].last->is_test);
  clock_.time += Duration(1'000'000);
  ASSERT_TRUE(desk_->test("me", [] { return false; }));
  const auto tested = desk_->overview(10);
  ASSERT_TRUE(tested);
  EXPECT_TRUE(tested->channels[0].last->is_test);
}

TEST_F(DeskTest, PagesAreFilteredSortedAndCut) {
  for (const auto* name : {"a", "b", "c", "d"})
    run({{name, failed(fmt::format("{} 100% 'gone'", name))}});
  rounds();
  run({{"b", {}}});
  rounds();
  const auto subjects = [&](PageQuery query) {
    std::string text;
    const auto page = alert_page(*store_, query);
    EXPECT_TRUE(page) << page.error().message;
    for (const auto& one : page->alerts)
      text += one.fact.subject + (one.fact.event == Event::kRecovery ? "! " : " ");
    return text + fmt::format("of {}", page->total);
  };
  EXPECT_EQ(subjects({}), "b! d c b a of 5");
  EXPECT_EQ(subjects({.sort = "at", .offset = 1, .limit = 2}), "b c of 5");
  EXPECT_EQ(subjects({.sort = "-subject", .limit = 3}), "d c b! of 5");
  EXPECT_EQ(subjects({.event = "recovery"}), "b! of 1");
  EXPECT_EQ(subjects({.state = "unknown"}), "of 0");
  EXPECT_EQ(subjects({.channel = "nobody"}), "of 0");
  EXPECT_EQ(subjects({.text = "C 100% 'GONE'"}), "c of 1");
  EXPECT_EQ(alert_page(*store_, {.sort = "text; DROP TABLE alerts"}).error().code, Code::kInvalid);
  EXPECT_EQ(alert_page(*store_, {.state = "lost"}).error().code, Code::kInvalid);
  EXPECT_EQ(alert_page(*store_, {.event = "lost"}).error().code, Code::kInvalid);
}

// Pages that show alerts hear of what they show, and of nothing else.
TEST_F(DeskTest, ChangesAreHeard) {
  int heard = 0;
  desk_->start({}, [&heard] { ++heard; });
  desk_->stop();  // its thread: steps are done by hand
  open();
  desk_->start({}, [&heard] { ++heard; });
  desk_->stop();
  heard = 0;
  run({{"a", {}}});
  rounds();
  EXPECT_EQ(heard, 0);
  run({{"a", failed()}});
  rounds();
  EXPECT_EQ(heard, 3);  // it is the matter, it is being told, it was told
  run({{"a", failed()}});
  rounds();
  EXPECT_EQ(heard, 3);
}

TEST_F(DeskTest, ATestMessageIsNoAlert) {
  answers_ = {{Outcome::kRefused, "404", Duration(0)}};
  auto results = desk_->test("", {});
  ASSERT_TRUE(results);
  ASSERT_EQ(results->size(), 1U);
  EXPECT_EQ(results->front().state, AlertState::kRefused);
  EXPECT_EQ(results->front().answer, "404");
  EXPECT_TRUE(desk_->test("me", {}));
  EXPECT_THAT(inbox_, ElementsAre("me: [home] a test message"));
  EXPECT_EQ(desk_->test("mee", {}).error().message, "there is no alert 'mee': did you mean 'me'?");
  EXPECT_THAT(states(), IsEmpty());
}

// Power cuts at every call of the records: what was told stays told once, and nothing that ended is missed.
TEST_F(DeskTest, CrashAtEveryCall) {
  for (int n = 1;; ++n) {
    close();
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    open();
    inbox_.clear();
    last_run_ = 0;
    run({{"a", failed()}, {"b", failed()}});
    close();
    FaultInjector faults({.layer = "sqlite", .fail_call = n, .mode = FaultMode::kCrash});
    faults_ = &faults;
    auto store = store::Store::open({.path = folder_ + "/control.sqlite", .faults = faults_});
    if (store) {
      store_ = std::move(*store);
      auto desk = Desk::open(env_, *store_,
                             [this](const auto&, const auto& channel, const auto& letter, const auto&) {
                               return take(channel, letter);
                             });
      if (desk) {
        desk_ = std::move(*desk);
        desk_->load(plan_);
        for (int i = 0; i < 3; ++i)
          (void)desk_->step();
      }
    }
    const bool fired = faults.fired();
    close();
    faults_ = nullptr;
    open();
    rounds();
    const auto all = states();
    ASSERT_EQ(all.size(), 2U) << n;
    for (const auto& one : all)
      ASSERT_TRUE(one.ends_with(" sent") || one.ends_with(" unknown")) << n << ": " << one;
    ASSERT_LE(inbox_.size(), 1U) << n;
    if (all.front().ends_with(" sent"))
      ASSERT_EQ(inbox_.size(), 1U) << n;
    if (!fired)
      break;
  }
}

// Goal: the answer about a message is kept for all of its alerts, or for none. Method: fail call 1, 2, ... of
// the settling until none.
TEST_F(DeskTest, SettlingIsWholeAtEveryCrash) {
  for (const bool done : {true, false}) {
    for (int n = 1;; ++n) {
      close();
      std::filesystem::remove_all(folder_);
      std::filesystem::create_directories(folder_);
      open();
      answers_ = {{Outcome::kUnknown, "closed", Duration(0)}};
      run({{"a", failed()}, {"b", failed()}});
      rounds();
      close();
      FaultInjector faults({.layer = "sqlite", .fail_call = n, .mode = FaultMode::kCrash});
      auto store = store::Store::open({.path = folder_ + "/control.sqlite", .faults = &faults});
      const bool settled = store && settle(**store, 1, done, clock_.time);
      const bool fired = faults.fired();
      store = Error{Code::kInternal, ""};
      open();
      const auto all = states();
      ASSERT_EQ(all.size(), 2U) << n;
      const auto end = all.front().substr(all.front().rfind(' '));
      EXPECT_TRUE(all.back().ends_with(end)) << n << ": " << all.front() << ", " << all.back();
      EXPECT_TRUE(end == " unknown" || end == (done ? " sent" : " waiting")) << n << end;
      if (settled)
        EXPECT_NE(end, " unknown") << n;
      if (!fired)
        break;
    }
  }
}

}  // namespace
}  // namespace tarn::alert
