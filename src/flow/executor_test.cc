// Goal: tasks run in order and in parallel, are retried by policy, skipped below a failure, cancelled at
// once, and every step is in the records first. Method: small tasks of the test's own, a real SQLite file, a
// clock that does not wait.
#include "flow/executor.h"

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <mutex>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "flow/due_records.h"
#include "flow/run_tables.h"
#include "flow/status.h"

namespace tarn::flow {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class QuickClock : public Clock {
 public:
  Timestamp now() override {
    const std::lock_guard lock(mutex_);
    now_ += Duration(1);
    return now_;
  }
  Duration steady() override { return now().time_since_epoch(); }
  void sleep_for(Duration duration) override {
    const std::lock_guard lock(mutex_);
    now_ += duration;
    slept_ += duration;
  }
  Duration slept() {
    const std::lock_guard lock(mutex_);
    return slept_;
  }

 private:
  std::mutex mutex_;
  Timestamp now_{Duration(1'700'000'000'000'000)};
  Duration slept_{0};
};

// These tasks open no sessions.
class NoSessions : public session::SessionService {
 public:
  Result<std::unique_ptr<session::Session>> open(session::SessionOptions) override {
    return Error{Code::kUnsupported, "no sessions in this test"};
  }
  engine::LakeCatalog& catalog() override { std::abort(); }
  [[nodiscard]] const std::set<std::string>& attachments() const override { std::abort(); }
};

class TestTask : public Task {
 public:
  using Body = std::function<Status(TaskContext&)>;
  TestTask(std::string name, std::vector<std::string> upstream, Body body)
      : name_(std::move(name)), upstream_(std::move(upstream)), body_(std::move(body)) {}
  [[nodiscard]] std::string name() const override { return name_; }
  [[nodiscard]] std::string kind() const override { return task_kind; }
  [[nodiscard]] std::string path() const override { return "models/" + name_ + ".sql"; }
  [[nodiscard]] std::vector<std::string> tags() const override { return {}; }
  [[nodiscard]] std::vector<std::string> upstream() const override { return upstream_; }
  [[nodiscard]] std::vector<std::string> writes() const override { return {"public." + name_}; }
  [[nodiscard]] RetryPolicy retry() const override { return policy; }
  [[nodiscard]] Join join() const override { return joins; }
  [[nodiscard]] TaskGroup group() const override { return of; }
  [[nodiscard]] Duration timeout() const override { return limit; }
  [[nodiscard]] Freshness freshness() const override { return fresh; }
  Status run(TaskContext& context) override { return body_(context); }

  Result<bool> can_resume(session::SessionService&, const std::string&) override { return has_work; }

  RetryPolicy policy;
  Join joins = Join::kAllDone;
  TaskGroup of;
  Duration limit{0};
  Freshness fresh;
  std::string task_kind = "model";
  bool has_work = true;

 private:
  std::string name_;
  std::vector<std::string> upstream_;
  Body body_;
};

class Recorder : public RunObserver {
 public:
  void run_started(const RunRecord&, size_t) override {}
  void task_started(const TaskRecord& task) override { events.push_back("start " + task.name); }
  void task_progress(const std::string&, const std::string&) override {}
  void task_line(const std::string&, const std::string&) override {}
  void task_retried(const std::string& task, const std::string&, Duration) override {
    events.push_back("retry " + task);
  }
  void task_ended(const TaskRecord& task) override {
    events.push_back(std::string(name_of(task.state)) + " " + task.name);
  }
  void run_ended(const RunRecord&) override {}
  std::vector<std::string> events;
};

class ExecutorTest : public testing::Test {
 protected:
  ExecutorTest() {
    std::string pattern = testing::TempDir() + "tarn_flow_XXXXXX";
    folder_ = mkdtemp(pattern.data());
    open();
  }
  ~ExecutorTest() override {
    runs_.reset();
    store_.reset();
    std::filesystem::remove_all(folder_);
  }

  void open() {
    runs_.reset();
    store_.reset();
    auto store = store::Store::open({.path = folder_ + "/control.sqlite"});
    ASSERT_TRUE(store) << store.error().message;
    store_ = std::move(*store);
    auto runs = Runs::open(env_, *store_);
    ASSERT_TRUE(runs) << runs.error().message;
    runs_ = std::move(*runs);
  }

  TestTask& add(const std::string& name, std::vector<std::string> upstream, TestTask::Body body) {
    auto task = std::make_unique<TestTask>(name, std::move(upstream), std::move(body));
    auto& added = *task;
    tasks_.push_back(std::move(task));
    return added;
  }
  TestTask& add(const std::string& name, std::vector<std::string> upstream = {}) {
    return add(name, std::move(upstream), [](TaskContext&) { return ok(); });
  }

  std::vector<Task*> all() {
    std::vector<Task*> tasks;
    for (const auto& task : tasks_)
      tasks.push_back(task.get());
    return tasks;
  }

  RunOutcome run_on(int threads) {
    ExecutorOptions options;
    options.threads = threads;
    return run(options);
  }
  RunOutcome run(const ExecutorOptions& options = {}) {
    recorder_.events.clear();
    auto outcome = run_tasks(env_, sessions_, *runs_, all(), options, recorder_, cancel_);
    EXPECT_TRUE(outcome) << outcome.error().message;
    return outcome ? std::move(*outcome) : RunOutcome{};
  }

  QuickClock clock_;
  Env env_{real_env().files, &clock_, real_env().random};
  NoSessions sessions_;
  std::string folder_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<Runs> runs_;
  std::vector<std::unique_ptr<Task>> tasks_;
  Recorder recorder_;
  CancelFlag cancel_;
};

TEST_F(ExecutorTest, RunsInOrderOfTheEdges) {
  add("c", {"b"});
  add("b", {"a", "outside"});
  add("a");
  const auto outcome = run();
  EXPECT_EQ(outcome.run.exit_code, 0);
  EXPECT_THAT(recorder_.events, ElementsAre("start a", "done a", "start b", "done b", "start c", "done c"));
  const auto tasks = runs_->tasks(outcome.run.id);
  ASSERT_TRUE(tasks);
  for (const auto& task : *tasks)
    EXPECT_EQ(task.state, State::kDone) << task.name;
  EXPECT_EQ(runs_->get(outcome.run.id)->state, State::kDone);
}

TEST_F(ExecutorTest, RecordsStandBeforeATaskStarts) {
  add("a", {}, [this](TaskContext& context) {
    const auto tasks = runs_->tasks(context.run_id);
    EXPECT_EQ(tasks->size(), 2U);
    EXPECT_EQ(tasks->at(0).state, State::kRunning);
    EXPECT_EQ(tasks->at(0).attempts, 1);
    EXPECT_EQ(tasks->at(1).state, State::kWaiting);
    EXPECT_EQ(context.token("load"), context.run_id + "/a/load");
    return ok();
  });
  add("b", {"a"});
  run();
}

TEST_F(ExecutorTest, IndependentTasksRunAtTheSameTime) {
  std::mutex mutex;
  std::condition_variable met;
  int inside = 0;
  const auto meet = [&](TaskContext&) -> Status {
    std::unique_lock lock(mutex);
    ++inside;
    met.notify_all();
    if (met.wait_for(lock, std::chrono::seconds{20}, [&] { return inside == 2; }))
      return ok();
    return Error{Code::kFailed, "the other task did not start"};
  };
  add("a", {}, meet);
  add("b", {}, meet);
  EXPECT_EQ(run_on(2).run.exit_code, 0);
}

TEST_F(ExecutorTest, RetriesByPolicyWithBackOff) {
  int calls = 0;
  add("a", {}, [&](TaskContext& context) -> Status {
    EXPECT_EQ(context.attempt, ++calls);
    context.log.line("try " + std::to_string(calls));
    if (calls < 3)
      return Error{Code::kUnavailable, "the server is away"};
    return ok();
  }).policy = {.attempts = 3, .first_delay = Duration(1'000'000), .factor = 2.0};
  const auto outcome = run();
  EXPECT_EQ(outcome.run.exit_code, 0);
  EXPECT_EQ(outcome.tasks[0].attempts, 3);
  EXPECT_GE(clock_.slept(), Duration(1'500'000));  // at least half of 1 s and of 2 s
  EXPECT_LE(clock_.slept(), Duration(3'000'000));
  std::vector<std::string> lines;
  const auto log = runs_->log(outcome.run.id, "a");
  for (const auto& line : *log)
    lines.push_back(line.text);
  EXPECT_THAT(lines, ElementsAre("try 1", "error: the server is away", "try 2", "error: the server is away",
                                 "try 3"));
}

TEST_F(ExecutorTest, AMistakeIsNotRetried) {
  int calls = 0;
  add("a", {}, [&](TaskContext&) -> Status {
    ++calls;
    return Error{Code::kInvalid, "wrong column"};
  }).policy = {.attempts = 5};
  EXPECT_EQ(run().run.exit_code, 1);
  EXPECT_EQ(calls, 1);
}

TEST_F(ExecutorTest, BelowAFailureAllIsSkippedAndTheRestGoesOn) {
  add("bad", {}, [](TaskContext&) -> Status { return Error{Code::kFailed, "unique failed on id"}; });
  add("child", {"bad"});
  add("grandchild", {"child", "good"});
  add("good");
  const auto outcome = run();
  EXPECT_EQ(outcome.run.exit_code, 1);
  EXPECT_EQ(outcome.run.error, "bad: unique failed on id");
  EXPECT_EQ(outcome.tasks[1].state, State::kSkipped);
  EXPECT_EQ(outcome.tasks[1].error, "skipped: upstream bad failed");
  EXPECT_EQ(outcome.tasks[2].state, State::kSkipped);
  EXPECT_EQ(outcome.tasks[3].state, State::kDone);
  EXPECT_EQ(runs_->tasks(outcome.run.id)->at(2).error, "skipped: upstream bad failed");
}

TEST_F(ExecutorTest, OnlyUnreachableSourcesGiveFour) {
  add("a", {}, [](TaskContext&) -> Status { return Error{Code::kUnavailable, "no route"}; });
  EXPECT_EQ(run().run.exit_code, 4);
  add("b", {}, [](TaskContext&) -> Status { return Error{Code::kFailed, "bad"}; });
  EXPECT_EQ(run().run.exit_code, 1);
}

TEST_F(ExecutorTest, CancelStopsTheRunningAndDropsTheWaiting) {
  add("a", {}, [this](TaskContext& context) -> Status {
    cancel_.set();
    while (!context.cancel.is_set())
      std::this_thread::yield();
    return Error{Code::kCancelled, "stopped"};
  });
  add("b", {"a"});
  add("c");
  const auto outcome = run_on(1);
  EXPECT_EQ(outcome.run.exit_code, 130);
  EXPECT_EQ(outcome.run.state, State::kCancelled);
  for (const auto& task : outcome.tasks)
    EXPECT_EQ(task.state, State::kCancelled) << task.name;
  const auto kept = runs_->tasks(outcome.run.id);
  for (const auto& task : *kept)
    EXPECT_EQ(task.state, State::kCancelled) << task.name;
}

TEST_F(ExecutorTest, ACycleIsRefusedBeforeAnythingIsRecorded) {
  add("a", {"b"});
  add("b", {"a"});
  add("c");
  const auto outcome = run_tasks(env_, sessions_, *runs_, all(), {}, recorder_, cancel_);
  ASSERT_FALSE(outcome);
  EXPECT_THAT(outcome.error().message, HasSubstr("a, b"));
  EXPECT_TRUE(runs_->list(10)->empty());
}

TEST_F(ExecutorTest, AnInterruptedRunIsMarkedAndItsSourceIsResumed) {
  RunRecord dead;
  dead.id = "20200101T000000-000001";
  dead.command = "run";
  dead.started_at = clock_.now();
  TaskRecord source;
  source.name = "s";
  source.kind = "source";
  TaskRecord model;
  model.name = "m";
  model.kind = "model";
  model.position = 1;
  ASSERT_TRUE(runs_->start_run(dead, {source, model}));
  ASSERT_TRUE(runs_->start_attempt(dead.id, "s", 1));
  open();  // as the next process does
  EXPECT_EQ(runs_->get(dead.id)->state, State::kInterrupted);
  EXPECT_EQ(runs_->tasks(dead.id)->at(0).state, State::kInterrupted);
  std::string seen_by_source, seen_by_model;
  add("s", {}, [&](TaskContext& context) {
    seen_by_source = context.run_id;
    return ok();
  }).task_kind = "source";
  add("m", {"s"}, [&](TaskContext& context) {
    seen_by_model = context.run_id;
    return ok();
  });
  const auto first = run();
  EXPECT_EQ(seen_by_source, dead.id);
  EXPECT_EQ(seen_by_model, first.run.id);
  const auto second = run();
  EXPECT_EQ(seen_by_source, second.run.id);
}

// It committed, and died before it could say so.
TEST_F(ExecutorTest, AnInterruptedRunWithoutWorkLeftIsNotResumed) {
  RunRecord dead;
  dead.id = "20200101T000000-000001";
  dead.command = "run";
  dead.started_at = clock_.now();
  TaskRecord source;
  source.name = "s";
  source.kind = "source";
  ASSERT_TRUE(runs_->start_run(dead, {source}));
  ASSERT_TRUE(runs_->start_attempt(dead.id, "s", 1));
  open();
  std::string seen;
  auto& task = add("s", {}, [&](TaskContext& context) {
    seen = context.run_id;
    return ok();
  });
  task.task_kind = "source";
  task.has_work = false;
  EXPECT_EQ(run().run.id, seen);
}

TEST_F(ExecutorTest, StatusSaysWhatIsLateAndWhy) {
  bool broken = false;
  add("a");
  add("b", {"a"}, [&](TaskContext&) -> Status {
    if (broken)
      return Error{Code::kFailed, "first line\nsecond line"};
    return ok();
  });
  add("c", {"b"});
  EXPECT_EQ(status_of(clock_, *runs_, tasks_)->at(0).state, "never run");
  run();
  const auto at_first = status_of(clock_, *runs_, tasks_);
  for (const auto& status : *at_first)
    EXPECT_EQ(status.state, "fresh") << status.name;
  broken = true;
  run();
  const auto all = status_of(clock_, *runs_, tasks_);
  EXPECT_EQ(all->at(0).state, "fresh");
  EXPECT_EQ(all->at(1).state, "failed");
  EXPECT_EQ(all->at(1).why, "first line");
  EXPECT_TRUE(all->at(1).last_done_at);
  EXPECT_EQ(all->at(2).state, "late");
  EXPECT_THAT(all->at(2).why, HasSubstr("b is failed"));
}

TEST_F(ExecutorTest, FreshnessSaysHowOldASuccessMayBe) {
  using std::chrono::hours;
  add("a").fresh = {.warn_after = hours(26), .error_after = hours(48)};
  add("b", {"a"});
  EXPECT_EQ(status_of(clock_, *runs_, tasks_)->at(0).state, "never run");
  run();
  clock_.sleep_for(hours(25));
  EXPECT_EQ(status_of(clock_, *runs_, tasks_)->at(0).state, "fresh");
  clock_.sleep_for(hours(2));
  const auto late = status_of(clock_, *runs_, tasks_);
  EXPECT_EQ(late->at(0).state, "late");
  EXPECT_EQ(late->at(0).why, "updated 27 h 0 min ago; freshness says warn_after 26 h 0 min");
  EXPECT_EQ(late->at(1).state, "late");
  EXPECT_THAT(late->at(1).why, HasSubstr("a is late"));
  clock_.sleep_for(hours(22));
  const auto stale = status_of(clock_, *runs_, tasks_);
  EXPECT_EQ(stale->at(0).state, "stale");
  EXPECT_THAT(stale->at(0).why, HasSubstr("error_after 48 h"));
  EXPECT_EQ(stale->at(1).state, "late");
  run();
  EXPECT_EQ(status_of(clock_, *runs_, tasks_)->at(0).state, "fresh");
}

// A task that brings about rows; `each` is what a row does.
TestTask::Body bringing(int rows, const TestTask::Body& each, TaskGroup group = {}) {
  return [=](TaskContext& context) {
    context.report->result = "{\"rows\":" + std::to_string(rows) + "}";
    for (int i = 1; i <= rows; ++i) {
      auto row = std::make_shared<TestTask>(context.task_name + "[" + std::to_string(i) + "]",
                                            std::vector<std::string>{context.task_name}, each);
      row->of = group;
      context.sequel->follow_ups.push_back({row, "{\"i\":" + std::to_string(i) + "}"});
    }
    return ok();
  };
}

TestTask::Body left_out() {
  return [](TaskContext& context) {
    context.sequel->left_out = "nothing to do";
    return ok();
  };
}

Status broken(TaskContext&) {
  return Error{Code::kFailed, "it broke"};
}

std::map<std::string, State> states_of(const RunOutcome& outcome) {
  std::map<std::string, State> states;
  for (const auto& task : outcome.tasks)
    states[task.name] = task.state;
  return states;
}

TEST_F(ExecutorTest, WhatWaitsForATaskWaitsForThoseItBringsAbout) {
  std::atomic<int> rows = 0;
  const auto row = [&rows](TaskContext&) {
    ++rows;
    return ok();
  };
  int seen = 0;
  add("each", {}, bringing(20, row));
  add("after", {"each"}, [&](TaskContext&) {
    seen = rows;
    return ok();
  });
  const auto outcome = run();
  EXPECT_EQ(outcome.run.exit_code, 0);
  EXPECT_EQ(seen, 20);
  EXPECT_EQ(outcome.tasks.size(), 22U);
  const auto values = runs_->values(outcome.run.id);
  ASSERT_TRUE(values);
  EXPECT_EQ(values->at("each").result, R"({"rows":20})");
  EXPECT_EQ(values->at("each[7]").input, R"({"i":7})");
  EXPECT_EQ(runs_->tasks(outcome.run.id)->size(), 22U);
}

TEST_F(ExecutorTest, NoRowsAreNoObstacle) {
  add("each", {}, bringing(0, broken));
  add("after", {"each"});
  EXPECT_EQ(states_of(run()).at("after"), State::kDone);
}

TEST_F(ExecutorTest, ARowThatFailsStopsWhatComesAfterButNoOtherRow) {
  std::atomic<int> rows = 0;
  add("each", {}, bringing(3, [&rows](TaskContext& context) -> Status {
        ++rows;
        return context.task_name == "each[1]" ? Error{Code::kFailed, "no"} : ok();
      }));
  add("after", {"each"});
  const auto outcome = run();
  EXPECT_EQ(rows, 3);
  EXPECT_EQ(outcome.run.exit_code, 1);
  EXPECT_EQ(states_of(outcome).at("after"), State::kSkipped);
}

TEST_F(ExecutorTest, AGroupRunsSoManyAtATime) {
  std::atomic<int> now = 0, most = 0, rows = 0;
  const auto row = [&](TaskContext&) {
    const int inside = ++now;
    int before = most;
    while (inside > before && !most.compare_exchange_weak(before, inside)) {
    }
    std::this_thread::yield();
    ++rows;
    --now;
    return ok();
  };
  add("each", {}, bringing(200, row, {.name = "each", .at_once = 2}));
  EXPECT_EQ(run_on(8).run.exit_code, 0);
  EXPECT_EQ(rows, 200);
  EXPECT_LE(most, 2);
}

TEST_F(ExecutorTest, WhatIsLeftOutIsNoFailureAndAJoinGoesOnWithTheRest) {
  add("no", {}, left_out());
  add("yes");
  add("below_no", {"no"});
  add("join", {"below_no", "yes"});
  const auto outcome = run();
  EXPECT_EQ(outcome.run.exit_code, 0);
  const auto states = states_of(outcome);
  EXPECT_EQ(states.at("no"), State::kSkipped);
  EXPECT_EQ(states.at("below_no"), State::kSkipped);
  EXPECT_EQ(states.at("join"), State::kDone);
  const auto records = runs_->tasks(outcome.run.id);
  EXPECT_EQ(records->at(0).error, "nothing to do");
  EXPECT_EQ(records->at(0).error_code, kLeftOut);
  EXPECT_EQ(records->at(2).error_code, kLeftOut);
}

TEST_F(ExecutorTest, TasksMayAskForAFailureOrForAnyEnd) {
  add("bad", {}, broken);
  add("good");
  add("if_bad", {"bad"}).joins = Join::kSomeFailed;
  add("if_good_failed", {"good"}).joins = Join::kSomeFailed;
  add("child", {"bad"});
  add("at_last", {"child", "good"}).joins = Join::kAllEnded;
  const auto outcome = run();
  EXPECT_EQ(outcome.run.exit_code, 1);
  const auto states = states_of(outcome);
  EXPECT_EQ(states.at("if_bad"), State::kDone);
  EXPECT_EQ(states.at("if_good_failed"), State::kSkipped);
  EXPECT_EQ(states.at("child"), State::kSkipped);
  EXPECT_EQ(states.at("at_last"), State::kDone);
}

TEST_F(ExecutorTest, ARunThatGoesOnKeepsWhatWasDoneAndLeftOut) {
  int looks = 0, rows = 0;
  add("look", {}, [&](TaskContext& context) {
    ++looks;
    context.sequel->left_out = "no";
    return ok();
  });
  add("each", {}, bringing(2, [&rows](TaskContext& context) -> Status {
        ++rows;
        return context.task_name == "each[2]" ? Error{Code::kFailed, "later"} : ok();
      }));
  add("join", {"look", "each"});
  const auto first = run();
  EXPECT_EQ(first.run.exit_code, 1);
  EXPECT_EQ(rows, 2);
  // Whoever resumes makes the rows of the records again.
  auto again = std::vector<std::string>{"each[1]", "each[2]"};
  for (const auto& name : again)
    add(name, {"each"}, [&rows](TaskContext&) {
      ++rows;
      return ok();
    });
  add("join2", {"look", "each", "each[1]", "each[2]"});
  const auto second = run({.run_id = first.run.id, .resume = true});
  EXPECT_EQ(second.run.exit_code, 0);
  EXPECT_EQ(looks, 1);
  EXPECT_EQ(rows, 3);
  EXPECT_EQ(states_of(second).at("look"), State::kSkipped);
  EXPECT_EQ(states_of(second).at("join2"), State::kDone);
  EXPECT_EQ(runs_->tasks(first.run.id)->at(0).error_code, kLeftOut);
}

TEST_F(ExecutorTest, UnknownIsAStateOfItsOwnAndNotTriedAgain) {
  int calls = 0;
  add("call", {}, [&](TaskContext& context) -> Status {
    ++calls;
    context.sequel->unknown = true;
    return Error{Code::kTimeout, "no answer"};
  }).policy = {.attempts = 5, .any_failure = true};
  add("after", {"call"});
  const auto outcome = run();
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(outcome.run.exit_code, 1);
  EXPECT_EQ(outcome.run.error, "call: no answer");
  EXPECT_EQ(states_of(outcome).at("call"), State::kUnknown);
  EXPECT_EQ(runs_->tasks(outcome.run.id)->at(0).state, State::kUnknown);
}

TEST_F(ExecutorTest, AnyFailureIsTriedAgainWhereThePolicySaysSo) {
  int calls = 0;
  add("a", {}, [&](TaskContext&) -> Status {
    return ++calls < 3 ? Status(Error{Code::kFailed, "exit code 1"}) : ok();
  }).policy = {.attempts = 3, .any_failure = true};
  EXPECT_EQ(run().run.exit_code, 0);
  EXPECT_EQ(calls, 3);
}

TEST_F(ExecutorTest, ATaskMayHaveATimeLimitOfItsOwn) {
  add("slow", {}, [this](TaskContext& context) -> Status {
    while (!context.cancel.is_set())
      clock_.sleep_for(std::chrono::milliseconds(10));
    return Error{Code::kCancelled, "stopped"};
  }).limit = std::chrono::seconds(5);
  const auto outcome = run();
  EXPECT_EQ(outcome.tasks[0].state, State::kFailed);
  EXPECT_THAT(outcome.tasks[0].error, HasSubstr("it was stopped after 5"));
}

TEST_F(ExecutorTest, TheRecordsAreTables) {
  add("a", {}, [](TaskContext& context) {
    context.report->counts.rows_written = 7;
    return ok();
  });
  const auto outcome = run();
  ASSERT_TRUE(DueRecords::open(*store_));
  std::map<std::string, std::vector<engine::TextRow>> rows;
  for (const auto& table : run_tables(*store_)) {
    ASSERT_TRUE(table->scan([&](engine::TextRow row) {
      EXPECT_EQ(row.size(), table->columns().size());
      rows[table->name()].push_back(std::move(row));
      return true;
    }));
  }
  ASSERT_EQ(rows["runs"].size(), 1U);
  EXPECT_EQ(rows["runs"][0][0], outcome.run.id);
  EXPECT_EQ(rows["runs"][0][4], "done");
  ASSERT_EQ(rows["tasks"].size(), 1U);
  EXPECT_EQ(rows["tasks"][0][9], "7");
}

}  // namespace
}  // namespace tarn::flow
