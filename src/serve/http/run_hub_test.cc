// Goal: runs with disjoint tasks go side by side, others wait in the order in which they came, with the
// reason told and recorded; listeners hear everything. Method: a backend whose runs end when the test says.
#include "serve/http/run_hub.h"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tarn::serve {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// A run of the selection [a, b] has the tasks a and b.
class GatedBackend : public RunBackend {
 public:
  explicit GatedBackend(flow::Runs& runs) : runs_(runs) {}

  Result<std::vector<std::string>> tasks_of(const RunRequest& request) override {
    if (request.selection.empty())
      return Error{Code::kInvalid, "nothing is selected"};
    return request.selection;
  }

  Result<flow::RunOutcome> run(const RunRequest& request, flow::RunObserver& observer,
                               const flow::CancelFlag& cancel) override {
    flow::RunOutcome outcome;
    outcome.run.id = request.id;
    outcome.run.command = "run";
    outcome.run.selection = request.selection[0];
    TARN_CHECK(runs_.start_run(outcome.run, {}));
    observer.run_started(outcome.run, request.selection.size());
    {
      std::unique_lock lock(mutex_);
      begun.push_back(request.selection[0]);
      changed_.notify_all();
      while (!cancel.is_set() && !open_.contains(request.selection[0]))
        changed_.wait_for(lock, std::chrono::milliseconds(5));
    }
    outcome.run.exit_code = cancel.is_set() ? 130 : 0;
    outcome.run.state = cancel.is_set() ? flow::State::kCancelled : flow::State::kDone;
    TARN_CHECK(runs_.end_run(request.id, outcome.run.state, outcome.run.exit_code, ""));
    observer.run_ended(outcome.run);
    return outcome;
  }

  void open(const std::string& name) {
    const std::lock_guard lock(mutex_);
    open_.insert(name);
    changed_.notify_all();
  }
  void wait_for_begun(size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return begun.size() >= count; });
  }
  std::vector<std::string> begun;

  Result<flow::RunOutcome> replay(const ReplayRequest&, flow::RunObserver&,
                                  const flow::CancelFlag&) override {
    return Error{Code::kUnsupported, "not in this test"};
  }

 private:
  flow::Runs& runs_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::set<std::string> open_;
};

class RunHubTest : public testing::Test {
 protected:
  RunHubTest() {
    std::string pattern = testing::TempDir() + "tarn_hub_XXXXXX";
    folder_ = mkdtemp(pattern.data());
    store_ = store::Store::open({.path = folder_ + "/control.sqlite"}).value();
    runs_ = flow::Runs::open(real_env(), *store_).value();
    backend_ = std::make_unique<GatedBackend>(*runs_);
    hub_ = std::make_unique<RunHub>(real_env(), *backend_, *runs_,
                                    RunHubOptions{.runs_at_once = 2, .waiting_max = 3});
  }
  ~RunHubTest() override {
    hub_.reset();
    backend_.reset();
    runs_.reset();
    store_.reset();
    std::filesystem::remove_all(folder_);
  }

  RunHub::Submitted start(std::vector<std::string> tasks) {
    auto started = hub_->start({.id = "", .selection = std::move(tasks)});
    EXPECT_TRUE(started) << started.error().message;
    return started.value_or(RunHub::Submitted{});
  }
  void wait_for_end(const std::string& id) {
    EXPECT_TRUE(hub_->watch(id, [](const Json&) { return ok(); }, [] { return false; }));
  }
  flow::RunRecord record(const std::string& id) { return runs_->get(id).value(); }

  std::string folder_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<flow::Runs> runs_;
  std::unique_ptr<GatedBackend> backend_;
  std::unique_ptr<RunHub> hub_;
};

TEST_F(RunHubTest, DisjointRunsGoSideBySideOthersWaitInOrder) {
  const auto a = start({"a", "shared"});
  EXPECT_EQ(a.waits_for, "");
  const auto b = start({"b", "shared"});
  EXPECT_THAT(b.waits_for, HasSubstr("waits for run " + a.id + ", which works on shared, too"));
  EXPECT_EQ(hub_->waits_for(b.id), b.waits_for);
  EXPECT_EQ(record(b.id).state, flow::State::kWaiting);
  EXPECT_EQ(record(b.id).waits_for, b.waits_for);
  const auto c = start({"c"});
  EXPECT_EQ(c.waits_for, "");
  // Free of the running ones, but b came before it.
  const auto d = start({"d", "b"});
  EXPECT_THAT(d.waits_for, HasSubstr(b.id));
  backend_->wait_for_begun(2);
  EXPECT_EQ(hub_->counts().running, 2);
  EXPECT_EQ(hub_->counts().waiting, 2);
  for (const auto* name : {"a", "b", "c", "d"})
    backend_->open(name);
  for (const auto& id : {a.id, b.id, c.id, d.id}) {
    wait_for_end(id);
    EXPECT_EQ(record(id).state, flow::State::kDone);
    EXPECT_EQ(record(id).waits_for, "");
  }
  EXPECT_THAT(backend_->begun, ElementsAre("a", "c", "b", "d"));
  EXPECT_EQ(hub_->counts().done, 4);
}

TEST_F(RunHubTest, NoMoreAtOnceThanAllowedAndNoMoreWaitingThanTheLimit) {
  const auto a = start({"a"});
  const auto b = start({"b"});
  const auto c = start({"c"});
  EXPECT_THAT(c.waits_for, HasSubstr("runs_at_once"));
  start({"d"});
  start({"e"});
  const auto refused = hub_->start({.id = "", .selection = {"f"}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kExhausted);
  EXPECT_THAT(refused.error().message, HasSubstr("3 runs wait already"));
  EXPECT_EQ(hub_->start({.id = "", .selection = {}}).error().message, "nothing is selected");
}

TEST_F(RunHubTest, ARunIsCancelledInTheQueueAndUnderWay) {
  const auto a = start({"a"});
  const auto b = start({"a", "b"});
  ASSERT_TRUE(hub_->cancel(b.id));
  EXPECT_EQ(record(b.id).state, flow::State::kCancelled);
  EXPECT_EQ(hub_->waits_for(b.id), "");
  ASSERT_TRUE(hub_->cancel(a.id));
  wait_for_end(a.id);
  EXPECT_EQ(record(a.id).state, flow::State::kCancelled);
  EXPECT_EQ(hub_->cancel(a.id).error().code, Code::kNotFound);
}

TEST_F(RunHubTest, ListenersHearTheWholeOfEachRun) {
  std::mutex mutex;
  std::vector<std::string> heard;
  std::condition_variable changed;
  const auto listener = hub_->listen([&](const std::string& run, const Json& event) {
    const std::lock_guard lock(mutex);
    heard.push_back(event.value("event", "") + (run.empty() ? "" : " of a run"));
    changed.notify_all();
  });
  const auto wait_for = [&](size_t count) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return heard.size() >= count; });
  };
  start({"a"});
  wait_for(1);
  const auto b = start({"a", "b"});
  wait_for(2);
  ASSERT_TRUE(hub_->cancel(b.id));
  hub_->publish("", {{"event", "schedule_changed"}, {"name", "nightly"}});
  backend_->open("a");
  wait_for(5);
  EXPECT_THAT(heard, ElementsAre("run_started of a run", "run_waiting of a run", "run_ended of a run",
                                 "schedule_changed", "run_ended of a run"));
  hub_->unlisten(listener);
  hub_->publish("", {{"event", "schedule_changed"}});
  EXPECT_EQ(heard.size(), 5U);
}

TEST_F(RunHubTest, StoppingEndsWhatWaitsAndRuns) {
  const auto a = start({"a"});
  const auto b = start({"a"});
  hub_->stop();
  EXPECT_EQ(record(a.id).state, flow::State::kCancelled);
  EXPECT_EQ(record(b.id).state, flow::State::kCancelled);
  EXPECT_EQ(hub_->start({.id = "", .selection = {"c"}}).error().code, Code::kUnavailable);
}

TEST_F(RunHubTest, WhoSubmittedHearsTheEndOnce) {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::string> ends;
  const auto on_end = [&](const Result<flow::RunOutcome>& outcome) {
    const std::lock_guard lock(mutex);
    ends.push_back(outcome ? outcome->run.id : outcome.error().message);
    changed.notify_all();
  };
  const auto a = hub_->submit({.id = "r1", .selection = {"a"}}, on_end);
  ASSERT_TRUE(a);
  backend_->wait_for_begun(1);
  ASSERT_TRUE(hub_->submit({.id = "r2", .selection = {"a"}}, on_end));
  ASSERT_TRUE(hub_->cancel("r2"));
  backend_->open("a");
  std::unique_lock lock(mutex);
  changed.wait(lock, [&] { return ends.size() == 2; });
  EXPECT_THAT(ends, testing::UnorderedElementsAre("r1", "run r2 was cancelled before its turn"));
}

}  // namespace
}  // namespace tarn::serve
