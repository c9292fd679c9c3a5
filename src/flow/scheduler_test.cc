// Goal: every due time is run once or recorded as left out, whatever is killed; catch-up, retries, pausing,
// `after`, changes of the text and backfills do as docs/schedules.md says. Method: a clock that is set, real
// records, and a host whose runs last and fail as the test says; a kill forgets everything but the records.
#include "flow/scheduler.h"

#include <filesystem>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/env/fault.h"
#include "base/time.h"

namespace tarn::flow {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Timestamp at(std::string_view text) {
  return parse_time(text).value();
}

class SetClock : public Clock {
 public:
  Timestamp now() override { return time; }
  Duration steady() override { return time.time_since_epoch(); }
  void sleep_for(Duration duration) override { time += duration; }
  Timestamp time = at("2026-11-21T10:00:00Z");
};

class Dice : public Random {
 public:
  explicit Dice(uint64_t seed) : engine(seed) {}
  uint64_t next() override { return engine(); }
  std::mt19937_64 engine;
};

// Keeps what it is given, until the test ends it.
class TestHost : public SchedulerHost {
 public:
  explicit TestHost(Runs& runs) : runs_(runs) {}

  Status launch(const Launch& launch, OnEnd on_end) override {
    launched.push_back(launch);
    if (refuse)
      return *refuse;
    RunRecord run;
    run.id = launch.run_id;
    run.command = "run";
    run.schedule = launch.schedule;
    run.due_at = launch.due_at;
    TARN_CHECK(runs_.start_run(run, {}));
    running.emplace_back(run, std::move(on_end));
    return ok();
  }
  std::optional<SchedulePlan> reload() override { return std::nullopt; }
  Result<std::map<std::string, std::string>> versions(const std::set<std::string>&) override {
    return tables;
  }
  void changed(const std::string& schedule) override { heard.push_back(schedule); }

  // Ends the oldest; `heard_of` false: killed before anybody heard.
  void end(State state = State::kDone, bool heard_of = true) {
    ASSERT_FALSE(running.empty());
    auto [run, on_end] = std::move(running.front());
    running.erase(running.begin());
    run.state = state;
    run.error = state == State::kFailed ? "raw_bars: no answer" : "";
    ASSERT_TRUE(runs_.end_run(run.id, state, state == State::kDone ? 0 : 1, run.error));
    if (heard_of)
      on_end(run);
  }

  std::vector<Launch> launched;
  std::vector<std::pair<RunRecord, OnEnd>> running;
  std::map<std::string, std::string> tables;
  std::vector<std::string> heard;
  std::optional<Error> refuse;

 private:
  Runs& runs_;
};

Schedule cron(const std::string& name, const std::string& text, CatchUp catch_up = CatchUp::kLast) {
  Schedule schedule;
  schedule.name = name;
  schedule.run = {"raw_bars+"};
  schedule.cron = parse_cron(text).value();
  schedule.catch_up = catch_up;
  return schedule;
}

class SchedulerTest : public testing::Test {
 protected:
  SchedulerTest() {
    // Kills are simulated, so nothing depends on a real disk: thousands of syncs are for nothing.
    const bool in_memory = std::filesystem::exists("/dev/shm");
    std::string pattern = (in_memory ? "/dev/shm/" : testing::TempDir()) + "tarn_scheduler_XXXXXX";
    folder_ = mkdtemp(pattern.data());
    open();
  }
  ~SchedulerTest() override {
    close();
    std::filesystem::remove_all(folder_);
  }

  void close() {
    scheduler_.reset();
    host_.reset();
    runs_.reset();
    store_.reset();
  }
  void open() {
    auto store = store::Store::open({.path = folder_ + "/control.sqlite", .faults = faults_});
    ASSERT_TRUE(store) << store.error().message;
    store_ = std::move(*store);
    auto runs = Runs::open(env_, *store_);
    ASSERT_TRUE(runs) << runs.error().message;
    runs_ = std::move(*runs);
    auto scheduler = Scheduler::open(env_, *store_, *runs_);
    ASSERT_TRUE(scheduler) << scheduler.error().message;
    scheduler_ = std::move(*scheduler);
    host_ = std::make_unique<TestHost>(*runs_);
  }
  // kill -9, and a new start.
  void kill() {
    close();
    open();
    load();
  }
  void load() { scheduler_->load({.schedules = schedules_, .mistakes = {}}); }
  void load(std::vector<Schedule> schedules) {
    schedules_ = std::move(schedules);
    load();
  }
  Timestamp step() {
    const auto next = scheduler_->step(*host_);
    EXPECT_TRUE(next) << next.error().message;
    return next.value_or(Timestamp());
  }
  Timestamp step_at(std::string_view time) {
    clock_.time = at(time);
    return step();
  }
  std::vector<Due> due(const std::string& name) { return scheduler_->history(name, 100'000).value(); }
  // "03:00 done", newest first.
  std::vector<std::string> states(const std::string& name) {
    std::vector<std::string> all;
    for (const auto& one : due(name))
      all.push_back(format_utc(one.due_at).substr(11, 5) + " " + std::string(name_of(one.state)));
    return all;
  }

  FaultInjector* faults_ = nullptr;
  SetClock clock_;
  Dice random_{1};
  Env env_{.files = real_env().files, .clock = &clock_, .random = &random_};
  std::string folder_;
  std::vector<Schedule> schedules_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<Runs> runs_;
  std::unique_ptr<Scheduler> scheduler_;
  std::unique_ptr<TestHost> host_;
};

TEST_F(SchedulerTest, ARunStartsWhenItIsDue) {
  load({cron("nightly", "0 3 * * *")});
  EXPECT_EQ(step(), at("2026-11-22T03:00:00Z"));
  step_at("2026-11-22T02:59:59Z");
  EXPECT_THAT(host_->launched, IsEmpty());
  step_at("2026-11-22T03:00:00Z");
  ASSERT_EQ(host_->launched.size(), 1U);
  EXPECT_EQ(host_->launched[0].schedule, "nightly");
  EXPECT_EQ(host_->launched[0].due_at, at("2026-11-22T03:00:00Z"));
  EXPECT_THAT(host_->launched[0].selection, ElementsAre("raw_bars+"));
  EXPECT_THAT(states("nightly"), ElementsAre("03:00 running"));
  host_->end();
  EXPECT_EQ(step(), at("2026-11-23T03:00:00Z"));
  EXPECT_THAT(states("nightly"), ElementsAre("03:00 done"));
  EXPECT_THAT(host_->heard, ElementsAre("nightly", "nightly"));
  const auto list = scheduler_->list().value();
  ASSERT_EQ(list.size(), 1U);
  EXPECT_EQ(list[0].last->state, DueState::kDone);
  EXPECT_EQ(list[0].next_at, at("2026-11-23T03:00:00Z"));
}

TEST_F(SchedulerTest, OneRunAtATimeAndWhatComesMeanwhileIsOne) {
  load({cron("hourly", "0 * * * *")});
  step_at("2026-11-21T11:00:00Z");
  step_at("2026-11-21T12:00:00Z");
  step_at("2026-11-21T13:00:00Z");
  EXPECT_EQ(host_->launched.size(), 1U);
  EXPECT_THAT(scheduler_->list().value()[0].open[1].reason, HasSubstr("waits for run"));
  host_->end();
  step();
  ASSERT_EQ(host_->launched.size(), 2U);
  EXPECT_EQ(host_->launched[1].due_at, at("2026-11-21T13:00:00Z"));
  EXPECT_THAT(states("hourly"), ElementsAre("13:00 running", "11:00 done"));
  EXPECT_EQ(due("hourly")[0].count, 2);
  EXPECT_EQ(due("hourly")[0].first_due_at, at("2026-11-21T12:00:00Z"));
}

TEST_F(SchedulerTest, WithCatchUpAllEachHasItsRun) {
  load({cron("hourly", "0 * * * *", CatchUp::kAll)});
  step_at("2026-11-21T13:30:00Z");
  EXPECT_EQ(host_->launched.size(), 1U);
  for (int i = 0; i < 3; ++i) {
    host_->end();
    step();
  }
  EXPECT_THAT(states("hourly"), ElementsAre("13:00 done", "12:00 done", "11:00 done"));
}

TEST_F(SchedulerTest, WithCatchUpNoneABusyScheduleLeavesOut) {
  load({cron("hourly", "0 * * * *", CatchUp::kNone)});
  step_at("2026-11-21T11:00:00Z");
  step_at("2026-11-21T12:00:00Z");
  host_->end();
  step();
  EXPECT_THAT(states("hourly"), ElementsAre("12:00 skipped", "11:00 done"));
  EXPECT_THAT(due("hourly")[0].reason, HasSubstr("still under way"));
}

TEST_F(SchedulerTest, WhatADownTimeMissedIsCaughtUp) {
  load({cron("nightly", "0 3 * * *")});
  step_at("2026-11-22T03:00:00Z");
  host_->end();
  step();
  clock_.time = at("2026-11-26T09:00:00Z");
  kill();
  step();
  ASSERT_EQ(host_->launched.size(), 1U);
  EXPECT_EQ(due("nightly")[0].count, 4);
  host_->end();
  EXPECT_EQ(step(), at("2026-11-27T03:00:00Z"));
}

TEST_F(SchedulerTest, ARunThatWasKilledGoesOnUnderItsId) {
  load({cron("nightly", "0 3 * * *")});
  step_at("2026-11-22T03:00:00Z");
  const auto id = host_->launched[0].run_id;
  kill();
  step();
  ASSERT_EQ(host_->launched.size(), 1U);
  EXPECT_EQ(host_->launched[0].run_id, id);
  EXPECT_THAT(states("nightly"), ElementsAre("03:00 running"));
  EXPECT_EQ(due("nightly")[0].tries, 1) << "being killed is not a try";
  // What becomes due now is not its affair: it may have fetched already.
  step_at("2026-11-23T03:00:00Z");
  host_->end();
  step();
  EXPECT_THAT(states("nightly"), ElementsAre("03:00 running", "03:00 done"));
}

TEST_F(SchedulerTest, ARunThatEndedUnheardIsNotRunAgain) {
  load({cron("nightly", "0 3 * * *")});
  step_at("2026-11-22T03:00:00Z");
  host_->end(State::kDone, false);
  kill();
  step();
  EXPECT_THAT(host_->launched, IsEmpty());
  EXPECT_THAT(states("nightly"), ElementsAre("03:00 done"));
}

TEST_F(SchedulerTest, AFailedRunIsTriedAgainLater) {
  auto schedule = cron("nightly", "0 3 * * *");
  schedule.retries = 1;
  schedule.retry_delay = std::chrono::minutes(5);
  load({schedule});
  step_at("2026-11-22T03:00:00Z");
  host_->end(State::kFailed);
  EXPECT_EQ(step(), at("2026-11-22T03:05:00Z"));
  EXPECT_THAT(scheduler_->list().value()[0].open[0].reason,
              HasSubstr("try 1 of 2 failed: raw_bars: no answer"));
  step_at("2026-11-22T03:05:00Z");
  ASSERT_EQ(host_->launched.size(), 2U);
  EXPECT_EQ(host_->launched[1].run_id, host_->launched[0].run_id) << "it goes on with what is not done";
  host_->end(State::kFailed);
  step();
  EXPECT_THAT(states("nightly"), ElementsAre("03:00 failed"));
  EXPECT_EQ(due("nightly")[0].reason, "raw_bars: no answer");
}

TEST_F(SchedulerTest, WhatCannotStartFailsAndTheNextIsTried) {
  load({cron("hourly", "0 * * * *")});
  host_->refuse = Error{Code::kInvalid, "models/x.sql:1:1: there is no table y"};
  step_at("2026-11-21T11:00:00Z");
  step();
  EXPECT_THAT(due("hourly")[0].reason, HasSubstr("no table y"));
  EXPECT_THAT(states("hourly"), ElementsAre("11:00 failed"));
  host_->refuse = Error{Code::kExhausted, "1000 runs wait already"};
  step_at("2026-11-21T12:00:00Z");
  EXPECT_EQ(step(), at("2026-11-21T12:00:10Z"));
  EXPECT_THAT(states("hourly"), ElementsAre("12:00 waiting", "11:00 failed"));
  host_->refuse.reset();
  step_at("2026-11-21T12:00:10Z");
  host_->end();
  step();
  EXPECT_THAT(states("hourly"), ElementsAre("12:00 done", "11:00 failed"));
}

TEST_F(SchedulerTest, APausedOneLeavesOutWhatComes) {
  load({cron("hourly", "0 * * * *")});
  step();
  ASSERT_TRUE(scheduler_->set_paused("hourly", true));
  kill();
  step_at("2026-11-21T14:00:00Z");
  EXPECT_THAT(host_->launched, IsEmpty());
  EXPECT_TRUE(scheduler_->list().value()[0].paused);
  ASSERT_TRUE(scheduler_->set_paused("hourly", false));
  EXPECT_EQ(step(), at("2026-11-21T15:00:00Z"));
  EXPECT_THAT(host_->launched, IsEmpty());
  EXPECT_FALSE(scheduler_->set_paused("hurly", true));
  EXPECT_THAT(scheduler_->set_paused("hurly", true).error().message, HasSubstr("did you mean 'hourly'?"));
}

TEST_F(SchedulerTest, ByHandWhateverTheTime) {
  load({cron("hourly", "0 * * * *")});
  step_at("2026-11-21T11:00:00Z");
  const auto id = scheduler_->run_now("hourly", *host_);
  ASSERT_TRUE(id) << id.error().message;
  ASSERT_EQ(host_->launched.size(), 2U);
  EXPECT_EQ(host_->launched[1].run_id, *id);
  host_->end();
  host_->end();
  step();
  EXPECT_THAT(states("hourly"), ElementsAre("11:00 done", "11:00 done"));
  host_->refuse = Error{Code::kInvalid, "a mistake"};
  const auto refused = scheduler_->run_now("hourly", *host_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "a mistake");
  step();
  EXPECT_EQ(due("hourly")[0].state, DueState::kFailed);
}

TEST_F(SchedulerTest, AfterFollowsNewVersions) {
  Schedule schedule;
  schedule.name = "then";
  schedule.run = {"report"};
  schedule.after = {"raw_bars", "public.prices"};
  load({schedule});
  host_->tables = {{"raw_bars", "run1"}};
  step();
  EXPECT_THAT(host_->launched, IsEmpty()) << "what stands there already is no news";
  host_->tables = {{"raw_bars", "run2"}, {"public.prices", "17"}};
  clock_.time += std::chrono::seconds(5);
  step();
  EXPECT_EQ(host_->launched.size(), 1U) << "two news, one run";
  host_->tables["raw_bars"] = "run3";
  clock_.time += std::chrono::seconds(5);
  step();
  EXPECT_EQ(host_->launched.size(), 1U);
  host_->end();
  step();
  EXPECT_EQ(host_->launched.size(), 2U);
  host_->end();
  step();
  kill();
  host_->tables = {{"raw_bars", "run3"}, {"public.prices", "17"}};
  step();
  EXPECT_THAT(host_->launched, IsEmpty());
  host_->tables["public.prices"] = "18";
  clock_.time += std::chrono::seconds(5);
  step();
  EXPECT_EQ(host_->launched.size(), 1U);
}

TEST_F(SchedulerTest, AnotherTextBeginsAnewAndABrokenOneChangesNothing) {
  load({cron("a", "0 * * * *"), cron("b", "0 3 * * *")});
  step_at("2026-11-21T11:00:00Z");
  load({cron("a", "30 * * * *")});
  EXPECT_EQ(step(), at("2026-11-21T11:30:00Z"));
  EXPECT_EQ(scheduler_->list().value().size(), 1U);
  host_->end();
  step();
  EXPECT_THAT(states("a"), ElementsAre("11:00 done"));
  scheduler_->load({.schedules = {}, .mistakes = {{{"tarn.yml", 3, 5}, "there is no task 'x'"}}});
  EXPECT_THAT(scheduler_->problem(), HasSubstr("tarn.yml:3:5: there is no task 'x'"));
  EXPECT_EQ(scheduler_->list().value().size(), 1U);
  // One that was away is not caught up.
  clock_.time = at("2026-11-24T08:00:00Z");
  load({cron("a", "30 * * * *"), cron("b", "0 3 * * *")});
  EXPECT_EQ(scheduler_->problem(), "");
  step();
  EXPECT_THAT(due("b"), IsEmpty());
}

TEST_F(SchedulerTest, BackfillRunsItsStepsOneAfterTheOther) {
  BackfillRequest request;
  request.selection = {"raw_bars+"};
  request.from = "2026-01-30";
  request.to = "2026-02-02";
  const auto plan = scheduler_->backfill(request, TimeZone());
  ASSERT_TRUE(plan) << plan.error().message;
  ASSERT_EQ(plan->steps.size(), 3U);
  load({});
  step();
  ASSERT_EQ(host_->launched.size(), 1U);
  EXPECT_EQ(host_->launched[0].vars.at("from"), "2026-01-30");
  EXPECT_EQ(host_->launched[0].vars.at("to"), "2026-01-31");
  host_->end();
  step();
  kill();
  step();
  ASSERT_EQ(host_->launched.size(), 1U);
  EXPECT_EQ(host_->launched[0].run_id, plan->steps[1].run_id);
  EXPECT_EQ(host_->launched[0].vars.at("from"), "2026-01-31");
  EXPECT_THAT(host_->launched[0].selection, ElementsAre("raw_bars+"));
  host_->end();
  step();
  host_->end();
  step();
  EXPECT_EQ(states("backfill " + plan->id), (std::vector<std::string>(3, "00:00 done")));
  EXPECT_THAT(scheduler_->list().value(), IsEmpty());
}

TEST_F(SchedulerTest, ACancelledBackfillStops) {
  BackfillRequest request;
  request.from = "2026-01-01";
  request.to = "2026-03-01";
  request.step = "month";
  const auto plan = scheduler_->backfill(request, TimeZone());
  ASSERT_TRUE(plan) << plan.error().message;
  step();
  const auto running = scheduler_->cancel_waiting("backfill " + plan->id);
  ASSERT_TRUE(running) << running.error().message;
  EXPECT_THAT(*running, ElementsAre(plan->steps[0].run_id));
  host_->end(State::kCancelled);
  step();
  EXPECT_EQ(states("backfill " + plan->id), (std::vector<std::string>(2, "00:00 cancelled")));
}

TEST_F(SchedulerTest, StepsOfABackfill) {
  const auto amsterdam = TimeZone::find("Europe/Amsterdam").value();
  const auto steps = [&](const std::string& from, const std::string& to, const std::string& step) {
    std::vector<std::string> texts;
    const auto all =
        backfill_steps({.selection = {}, .exclude = {}, .from = from, .to = to, .step = step}, amsterdam);
    if (!all)
      return std::vector<std::string>{all.error().message};
    for (const auto& one : *all)
      texts.push_back(one.from + " " + one.to);
    return texts;
  };
  EXPECT_THAT(steps("2026-01-31", "2026-04-01", "month"),
              ElementsAre("2026-01-31 2026-02-28", "2026-02-28 2026-03-31", "2026-03-31 2026-04-01"));
  EXPECT_THAT(steps("2026-01-01", "2026-01-16", "week"),
              ElementsAre("2026-01-01 2026-01-08", "2026-01-08 2026-01-15", "2026-01-15 2026-01-16"));
  // The day on which the clocks go forward has 23 hours.
  EXPECT_EQ(steps("2026-03-29", "2026-03-30", "hour").size(), 23U);
  EXPECT_THAT(steps("2026-03-29T00:00", "2026-03-29T12:00", "12h"),
              ElementsAre("2026-03-28T23:00:00Z 2026-03-29T10:00:00Z"));
  EXPECT_THAT(steps("2026-01-02", "2026-01-02", "day")[0], HasSubstr("is not after from"));
  EXPECT_THAT(steps("2026-01-02", "2026-01-03", "fortnight")[0], HasSubstr("hour, day, week, month"));
  EXPECT_THAT(steps("2026-01-02", "soon", "day")[0], HasSubstr("to"));
  EXPECT_THAT(steps("1900-01-01", "2026-01-01", "hour")[0], HasSubstr("more than 10000 steps"));
}

TEST_F(SchedulerTest, UpcomingIsInOrderOfTime) {
  load({cron("nightly", "0 3 * * *"), cron("noon", "0 12 * * *")});
  std::vector<std::string> texts;
  for (const auto& one : scheduler_->upcoming(at("2026-11-23T00:00:00Z"), 10))
    texts.push_back(format_utc(one.at).substr(5, 8) + " " + one.schedule);
  EXPECT_THAT(texts, ElementsAre("11-21T12 noon", "11-22T03 nightly", "11-22T12 noon"));
  EXPECT_EQ(scheduler_->upcoming(at("2027-11-23T00:00:00Z"), 10).size(), 10U);
}

TEST_F(SchedulerTest, AClockThatWasSetBackHoldsNothingUp) {
  load({cron("hourly", "0 * * * *")});
  step_at("2030-01-01T00:00:00Z");
  host_->end();
  step();
  clock_.time = at("2026-11-21T10:30:00Z");
  load();
  EXPECT_EQ(step(), at("2026-11-21T11:00:00Z"));
  step_at("2026-11-21T11:00:00Z");
  EXPECT_EQ(host_->launched.size(), 2U);
  host_->end();
  step();
  // Years later the same due time comes again.
  clock_.time = at("2029-12-31T23:59:00Z");
  step();
  host_->end();
  step();
  step_at("2030-01-01T00:00:00Z");
  host_->end();
  step();
  EXPECT_EQ(states("hourly")[0], "00:00 done");
}

// One write of the records fails: nothing is forgotten, nothing is done twice, and the next rounds go on.
TEST_F(SchedulerTest, RecordsThatCannotBeWrittenOnce) {
  auto schedule = cron("hourly", "0 * * * *", CatchUp::kAll);
  schedule.retries = 5;
  schedule.retry_delay = Duration(1'000'000);
  load({schedule});
  step();
  int fired = 0;
  int64_t opening = 0;  // calls until everything is open
  for (int64_t call = 0;; call += 3) {
    close();
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directory(folder_);
    open();
    clock_.time = at("2026-11-21T10:00:00Z");
    load();
    step();
    close();
    FaultInjector faults({.layer = "sqlite",
                          .fail_call = call == 0 ? 0 : opening + call,
                          .mode = FaultMode::kError,
                          .for_ever = false});
    faults_ = &faults;
    open();
    load();
    if (call == 0)
      opening = faults.calls()["sqlite"];
    std::map<std::string, int> done;
    for (int round = 0; round < 40; ++round) {
      clock_.time = std::min(clock_.time + std::chrono::minutes(10), at("2026-11-21T12:30:00Z"));
      clock_.time += Duration(2'000'000);
      (void)scheduler_->step(*host_);
      if (host_->running.empty())
        continue;
      auto [run, on_end] = std::move(host_->running.front());
      host_->running.erase(host_->running.begin());
      run.state = State::kDone;
      const auto ended = runs_->end_run(run.id, State::kDone, 0, "");
      done[run.id] += ended ? 1 : 0;
      on_end(ended ? Result<RunRecord>(run) : Result<RunRecord>(ended.error()));
    }
    fired += faults.fired() ? 1 : 0;
    faults_ = nullptr;
    kill();
    step();
    EXPECT_THAT(states("hourly"), ElementsAre("12:00 done", "11:00 done")) << "call " << call;
    EXPECT_EQ(done.size(), 2U) << "call " << call;
    for (const auto& [id, times] : done)
      EXPECT_EQ(times, 1) << "call " << call;
    if (call > 0 && !faults.fired())
      break;
  }
  EXPECT_GT(fired, 10);
}

// Checks that the rows of a schedule stand for every due time of (begin, end], each once, and are over.
void check_whole(const std::vector<Due>& newest_first, const Schedule& schedule, Timestamp begin,
                 Timestamp end) {
  auto expected = next_due(schedule, begin);
  for (auto due = newest_first.rbegin(); due != newest_first.rend(); ++due) {
    EXPECT_TRUE(due->state != DueState::kWaiting && due->state != DueState::kRunning) << due->reason;
    EXPECT_EQ(due->first_due_at, *expected) << schedule.name;
    int64_t count = 1;
    for (; *expected < due->due_at; expected = next_due(schedule, *expected))
      ++count;
    EXPECT_EQ(*expected, due->due_at) << schedule.name;
    EXPECT_EQ(count, due->count) << schedule.name;
    expected = next_due(schedule, *expected);
  }
  EXPECT_GT(*expected, end) << schedule.name;
}

// Days over a change of the clock, with runs that last, fail and are killed at random moments.
TEST_F(SchedulerTest, DaysWithKillsDoEveryDueTimeOnce) {
  const auto seed = std::random_device()();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937_64 dice(seed);
  const auto begin = at("2026-10-24T00:00:00Z"), end = at("2026-10-29T00:00:00Z");
  clock_.time = begin;
  auto nightly = cron("nightly", "30 2 * * *", CatchUp::kAll);
  nightly.zone = TimeZone::find("Europe/Amsterdam").value();
  nightly.retries = 1;
  auto often = cron("often", "*/10 * * * *");
  often.zone = TimeZone::find("America/New_York").value();
  auto hourly = cron("hourly", "0 * * * *", CatchUp::kNone);
  load({nightly, often, hourly});
  std::map<std::string, int> done;
  int kills = 0, failures = 0;
  while (clock_.time < end || !host_->running.empty()) {
    const auto next = step();
    const auto rolled = dice() % 10;
    if (rolled < 5 && !host_->running.empty()) {
      std::rotate(host_->running.begin(),
                  host_->running.begin() + static_cast<int64_t>(dice() % host_->running.size()),
                  host_->running.end());
      const auto id = host_->running.front().first.id;
      const bool fails = dice() % 8 == 0, heard_of = dice() % 8 != 0;
      failures += fails ? 1 : 0;
      done[id] += fails ? 0 : 1;
      host_->end(fails ? State::kFailed : State::kDone, heard_of);
      if (!heard_of) {
        ++kills;
        kill();
      }
    } else if (rolled == 5) {
      ++kills;
      kill();
    }
    clock_.time += Duration(static_cast<int64_t>(dice() % 400'000'000));
    if (next < Timestamp::max() && next > clock_.time && dice() % 2 == 0)
      clock_.time = next;
    clock_.time = std::min(clock_.time, end);
  }
  step();
  const auto is_open = [&](const Schedule& schedule) {
    const auto rows = due(schedule.name);
    return std::any_of(rows.begin(), rows.end(), [&](const Due& row) {
      return row.first_due_at <= end && (row.state == DueState::kWaiting || row.state == DueState::kRunning);
    });
  };
  while (std::any_of(schedules_.begin(), schedules_.end(), is_open)) {
    clock_.time += std::chrono::seconds(61);  // retries wait
    step();
    if (host_->running.empty())
      continue;
    ++done[host_->running.front().first.id];
    host_->end();
  }
  for (const auto& schedule : schedules_) {
    auto rows = due(schedule.name);
    std::erase_if(rows, [&](const Due& row) { return row.first_due_at > end; });
    check_whole(rows, schedule, begin, end);
    for (const auto& row : rows) {
      if (row.state == DueState::kDone)
        EXPECT_EQ(done[row.run_id], 1) << row.run_id;
    }
  }
  EXPECT_GT(kills, 20);
  EXPECT_GT(failures, 3);
}

}  // namespace
}  // namespace tarn::flow
