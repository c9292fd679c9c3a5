// Goal: a statement that looks at no interrupt holds nobody: its session is answered while the engine goes
// on, and nothing of it comes into the lake. Method: sorts of one huge constant list, which DuckDB makes
// while it plans, in one call of some seconds; `_tarn.statements` says what is still under way.
#include <future>

#include "session/session.h"
#include "session/session_fixture_test.h"
#include "session/statements.h"
#include "session/watchdog.h"

namespace tarn::session {
namespace {

constexpr const char* kDeaf = "len(list_reverse_sort(range(2500000)))";

class UnstoppableTest : public SessionFixture {
 protected:
  void SetUp() override {
    SessionFixture::SetUp();
    reopen(2);
  }

  void reopen(int slots) {
    session_.reset();
    service_.reset();
    watchdog_ = make_watchdog(real_env(), slots);
    service_ = make_session_service(lake_->database(), lake_->catalog(), real_env(), {.watchdog = watchdog_});
    session_ = open({});
  }

  // Runs it and cancels until it is answered.
  std::string cancelled(Session& session, const std::string& sql) {
    auto running = std::async(std::launch::async, [&] { return text_of(session.query(sql)); });
    while (running.wait_for(std::chrono::milliseconds(1)) != std::future_status::ready) {
      session.cancel();
    }
    return running.get();
  }

  size_t stopping() {
    size_t count = 0;
    for (const auto& one : watchdog_->statements()) {
      count += one.state == "stopping" ? 1U : 0U;
    }
    return count;
  }

  std::shared_ptr<Watchdog> watchdog_;
};

TEST_F(UnstoppableTest, ACancelIsAnsweredWhileItGoesOn) {
  const auto answer = cancelled(*session_, fmt::format("select {}", kDeaf));
  EXPECT_EQ(stopping(), 1U) << "it has not ended, and is shown";
  EXPECT_TRUE(answer.starts_with("cancelled: the statement was cancelled; it does not stop at once"))
      << answer;
  EXPECT_EQ(run("select 1"), "1\n");
}

TEST_F(UnstoppableTest, ATimeLimitIsAnsweredToo) {
  auto limited = open({.time_limit = std::chrono::milliseconds(50)});
  const auto answer = text_of(limited->query(fmt::format("select {}", kDeaf)));
  EXPECT_EQ(stopping(), 1U);
  EXPECT_TRUE(answer.starts_with("timeout: the statement was stopped after its time limit of 50 ms; it does"))
      << answer;
  EXPECT_EQ(script_in(*limited, "create temp table t(a int)"), "");
}

TEST_F(UnstoppableTest, ItKeepsItsSlotUntilItEnds) {
  reopen(1);
  EXPECT_TRUE(cancelled(*session_, fmt::format("select {}", kDeaf)).starts_with("cancelled: "));
  auto limited = open({.time_limit = std::chrono::milliseconds(50)});
  const auto waited = text_of(limited->query("select 1"));
  EXPECT_TRUE(waited.starts_with("timeout: the time limit ran out while")) << waited;
  EXPECT_EQ(run("select 1"), "1\n") << "waits for the slot";
  EXPECT_EQ(stopping(), 0U);
}

TEST_F(UnstoppableTest, NothingOfItIsCommitted) {
  EXPECT_EQ(script("create table t(n bigint)"), "");
  EXPECT_TRUE(cancelled(*session_, fmt::format("insert into t select {}", kDeaf)).starts_with("cancelled: "));
  EXPECT_TRUE(cancelled(*session_, fmt::format("create table u as select {} as n", kDeaf))
                  .starts_with("cancelled: "));
  reopen(2);  // waits for both
  EXPECT_EQ(run("select count(*) from t"), "0\n");
  EXPECT_TRUE(run("select * from u").starts_with("not_found: "));
}

TEST_F(UnstoppableTest, ItsTransactionIsLostAndOnlyRollbackIsAccepted) {
  EXPECT_EQ(script("create table t(n bigint); begin; insert into t values (1)"), "");
  EXPECT_TRUE(cancelled(*session_, fmt::format("select {}", kDeaf)).starts_with("cancelled: "));
  EXPECT_TRUE(run("insert into t values (2)").starts_with("aborted: "));
  EXPECT_TRUE(run("commit").starts_with("aborted: nothing was committed"));
  EXPECT_EQ(run("select count(*) from t"), "0\n");
  EXPECT_EQ(script("begin; insert into t values (3); commit"), "");
  EXPECT_EQ(run("select n from t"), "3\n");
}

TEST_F(UnstoppableTest, MacrosOfTheLostConnectionAreForgotten) {
  EXPECT_EQ(script("create temp macro getenv(a) as a; create temp table x(a int)"), "");
  EXPECT_TRUE(cancelled(*session_, fmt::format("select {}", kDeaf)).starts_with("cancelled: "));
  EXPECT_TRUE(run("select * from x").starts_with("not_found: "));
  EXPECT_TRUE(run("select getenv('HOME')").starts_with("denied: ")) << "the engine's function, not the macro";
}

TEST_F(UnstoppableTest, ASessionEndsWhileItGoesOn) {
  auto other = open({});
  EXPECT_TRUE(cancelled(*other, fmt::format("select {}", kDeaf)).starts_with("cancelled: "));
  other.reset();
  EXPECT_EQ(stopping(), 1U);
}

TEST_F(UnstoppableTest, WhatRunsIsListed) {
  auto open_one = session_->query("select range from range(10000000)");
  ASSERT_TRUE(open_one);
  const auto all = watchdog_->statements();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].state, "running");
  EXPECT_EQ(all[0].sql, "select range from range(10000000)");
  EXPECT_TRUE(all[0].of_person);
}

}  // namespace
}  // namespace tarn::session
