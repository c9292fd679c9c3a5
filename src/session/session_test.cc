// Goal: transactions, limits and notes behave as the header says, whatever DuckDB would do. Method: a real
// lake.
#include "session/session.h"

#include <future>
#include <thread>

#include "session/session_fixture_test.h"

namespace tarn::session {
namespace {

class SessionTest : public SessionFixture {};

constexpr const char* kEndless =
    "select count(*) from range(1000000) a, range(1000000) b where hash(a.range + b.range) = 1";

TEST_F(SessionTest, RowsGoInAndOut) {
  EXPECT_EQ(script("create table t(a int, b varchar); insert into t values (1, 'x'), (2, null)"), "");
  EXPECT_EQ(run("select * from t order by a"), "1|x\n2|NULL\n");
  EXPECT_EQ(session_->execute("insert into t values (3, 'y'), (4, 'z')").value(), 2);
  auto columns = session_->describe("select a, count(*) as n from t group by a");
  ASSERT_TRUE(columns);
  EXPECT_EQ((*columns)[1].name, "n");
  EXPECT_EQ(run("select a from t where b = $1"), run("select a from t where b = $1"));
  engine::Parameter y{"y", "VARCHAR"};
  EXPECT_EQ(text_of(session_->query("select a from t where b = $1", {&y, 1})), "3\n");
}

TEST_F(SessionTest, AFailedTransactionAcceptsOnlyRollback) {
  EXPECT_EQ(script("create table t(a int); begin; insert into t values (1)"), "");
  EXPECT_TRUE(run("select nope").starts_with("invalid: "));
  auto refused = run("select 1");
  EXPECT_TRUE(refused.starts_with("aborted: ")) << refused;
  EXPECT_NE(refused.find("nope"), std::string::npos) << refused;
  EXPECT_TRUE(script("insert into t values (2)").starts_with("aborted: "));
  EXPECT_EQ(script("rollback"), "");
  EXPECT_EQ(run("select count(*) from t"), "0\n");
}

TEST_F(SessionTest, CommitAfterAFailureRollsBackAndSaysSo) {
  EXPECT_EQ(script("create table t(a int)"), "");
  for (std::string bad :
       {"select nope", "select error('runtime')", "selec", "select read_text('x')", "create index i on t(a)",
        "select 1; select 2", "insert into t select cast('x' as int)"}) {
    EXPECT_EQ(script("begin; insert into t values (1)"), "");
    EXPECT_NE(run(bad), "") << bad;
    auto committed = run("commit");
    EXPECT_TRUE(committed.starts_with("aborted: nothing was committed")) << bad << "\n" << committed;
    EXPECT_EQ(run("select count(*) from t"), "0\n") << bad;
  }
  ASSERT_TRUE(session_->begin());
  EXPECT_TRUE(run("select nope").starts_with("invalid"));
  auto outcome = session_->commit();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, Code::kAborted);
  EXPECT_EQ(run("select 1"), "1\n");
}

TEST_F(SessionTest, AnErrorWhileRowsStreamFailsTheTransaction) {
  EXPECT_EQ(script("begin"), "");
  EXPECT_TRUE(run("select case when range = 900000 then error('late') end from range(1000000)")
                  .starts_with("invalid: "));
  EXPECT_TRUE(run("commit").starts_with("aborted: ")) << "the stream failed";
}

TEST_F(SessionTest, OrderOfTransactionStatements) {
  EXPECT_TRUE(script("commit").starts_with("invalid: COMMIT without BEGIN"));
  EXPECT_TRUE(script("rollback").starts_with("invalid: ROLLBACK without BEGIN"));
  EXPECT_EQ(script("begin"), "");
  EXPECT_TRUE(script("begin").starts_with("invalid: BEGIN inside"));
  EXPECT_TRUE(script("commit").starts_with("aborted: "));
  EXPECT_EQ(script("begin; commit"), "");
}

TEST_F(SessionTest, TokensCommitOnce) {
  EXPECT_EQ(script("create table t(a int)"), "");
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(session_->begin());
    EXPECT_EQ(script("insert into t values (7)"), "");
    auto outcome = session_->commit({.token = "run-1/task/0", .cursors = {{"s", "", "42"}}});
    ASSERT_TRUE(outcome) << outcome.error().message;
    ASSERT_TRUE(outcome->has_value());
    EXPECT_EQ((*outcome)->already_done, i == 1);
    EXPECT_EQ((*outcome)->snapshot_ids.size(), 1U);
  }
  EXPECT_EQ(run("select count(*) from t"), "1\n");
  EXPECT_EQ(service_->catalog().cursor("s", "").value(), "42");
}

TEST_F(SessionTest, ANoteAloneCommits) {
  ASSERT_TRUE(session_->begin());
  auto outcome = session_->commit({.token = "empty", .cursors = {{"s", "k", "1"}}});
  ASSERT_TRUE(outcome) << outcome.error().message;
  EXPECT_TRUE(outcome->has_value());
  EXPECT_EQ(service_->catalog().cursor("s", "k").value(), "1");
  EXPECT_TRUE(service_->catalog().find_token("empty").value());
  ASSERT_TRUE(session_->begin());
  auto nothing = session_->commit();
  ASSERT_TRUE(nothing) << nothing.error().message;
  EXPECT_FALSE(nothing->has_value());
}

TEST_F(SessionTest, SnapshotsAreIsolated) {
  EXPECT_EQ(script("create table a(x int); create table b(x int)"), "");
  auto other = open({});
  EXPECT_EQ(script("begin"), "");
  EXPECT_EQ(run("select count(*) from a"), "0\n");
  EXPECT_EQ(script_in(*other, "begin; insert into a values (1); insert into b values (1); commit"), "");
  EXPECT_EQ(run("select (select count(*) from a) + (select count(*) from b)"), "0\n");
  EXPECT_EQ(script("commit"), "");
  EXPECT_EQ(run("select (select count(*) from a) + (select count(*) from b)"), "2\n");
}

TEST_F(SessionTest, AsOfReadsTheOldVersionAndRefusesToWrite) {
  EXPECT_EQ(script("create table t as select 1 as a"), "");
  auto then = service_->catalog().head().value()->time;
  EXPECT_EQ(script("insert into t values (2); create table later(a int)"), "");
  auto old = open({.as_of = then});
  EXPECT_EQ(text_of(old->query("select count(*) from t")), "1\n");
  EXPECT_TRUE(text_of(old->query("select * from later")).starts_with("not_found: "));
  EXPECT_TRUE(text_of(old->query("insert into t values (3)")).starts_with("denied: "));
  EXPECT_TRUE(text_of(old->query("drop table t")).starts_with("denied: "));
  EXPECT_EQ(run("select count(*) from t"), "2\n");
  EXPECT_FALSE(service_->open({.as_of = Timestamp()}));
}

TEST_F(SessionTest, CancelStopsAStatementAtOnce) {
  auto running = std::async(std::launch::async, [&] { return run(kEndless); });
  while (running.wait_for(std::chrono::milliseconds(1)) != std::future_status::ready) {
    session_->cancel();
  }
  EXPECT_EQ(running.get(), "cancelled: the statement was cancelled");
  EXPECT_EQ(run("select 1"), "1\n");
}

TEST_F(SessionTest, ACancelThatComesTooEarlyIsNotLost) {
  auto stop = std::make_shared<std::atomic<bool>>(true);
  session_->set_stop_flag(stop);
  session_->cancel();  // nothing runs yet
  EXPECT_EQ(run(kEndless), "cancelled: the statement was cancelled before it started");
  EXPECT_EQ(script(kEndless), "cancelled: the statement was cancelled before it started");
  stop->store(false);
  EXPECT_EQ(run("select 1"), "1\n");
}

TEST_F(SessionTest, TheTimeLimitStopsAStatement) {
  auto limited = open({.time_limit = std::chrono::milliseconds(50)});
  EXPECT_EQ(text_of(limited->query(kEndless)),
            "timeout: the statement was stopped after its time limit of 50 ms");
  EXPECT_EQ(text_of(limited->query("select 1")), "1\n");
  EXPECT_EQ(script_in(*limited, "begin"), "");
  EXPECT_TRUE(text_of(limited->query(kEndless)).starts_with("timeout: "));
  EXPECT_TRUE(text_of(limited->query("commit")).starts_with("aborted: "));
}

TEST_F(SessionTest, SlotsAreWaitedForAndGivenBack) {
  open_lake(/*slots=*/1);
  auto limited = open({.time_limit = std::chrono::milliseconds(30)});
  {
    auto held = session_->query("select * from range(10000000)");
    ASSERT_TRUE(held);
    auto waited = text_of(limited->query("select 1"));
    EXPECT_TRUE(waited.starts_with("timeout: the time limit ran out while")) << waited;
    EXPECT_EQ(run("select 2"), "2\n") << "the same session's next statement sets its open result aside";
    EXPECT_EQ(text_of(limited->query("select 3")), "3\n") << "what stands aside takes no slot";
  }
  EXPECT_EQ(text_of(limited->query("select 1")), "1\n");
}

TEST_F(SessionTest, ConflictsInAutocommitAreRetried) {
  EXPECT_EQ(script("create table t(a int)"), "");
  std::vector<std::thread> threads;
  std::atomic<int> failed = 0;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      auto session = open({});
      for (int j = 0; j < 10; ++j) {
        failed += script_in(*session, "insert into t values (1)").empty() ? 0 : 1;
      }
    });
  }
  for (auto& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(failed, 0);
  EXPECT_EQ(run("select count(*) from t"), "40\n");
}

TEST_F(SessionTest, KeysStayUniqueAmongWriters) {
  EXPECT_EQ(script("create table t(k int primary key, who int)"), "");
  std::vector<std::thread> threads;
  std::atomic<int> added = 0;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      auto session = open({});
      for (int j = 0; j < 12; ++j) {  // every other key is one that the others want, too
        const int key = j % 2 == 0 ? j : 1000 * (i + 1) + j;
        for (int attempt = 0; attempt < 20; ++attempt) {
          auto answer = script_in(*session, fmt::format("insert into t values ({}, {})", key, i));
          added += answer.empty() ? 1 : 0;
          if (!answer.starts_with("conflict: ")) {
            break;
          }
        }
      }
    });
  }
  for (auto& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(run("select count(*), count(distinct k) from t"), "30|30\n");
  EXPECT_EQ(added, 30);
}

TEST_F(SessionTest, AKeyOrNullThatOthersAddedMeanwhileIsAConflict) {
  EXPECT_EQ(script("create table t(k int primary key, v int); insert into t values (1, 1)"), "");
  auto other = open({});
  EXPECT_EQ(script("begin; insert into t values (2, 2)"), "");
  EXPECT_EQ(script_in(*other, "insert into t values (3, null)"), "");
  EXPECT_EQ(script("commit"), "") << "another key is no conflict";
  EXPECT_EQ(script("begin; insert into t values (4, 4)"), "");
  EXPECT_EQ(script_in(*other, "insert into t values (4, 40)"), "");
  auto answer = run("commit");
  EXPECT_TRUE(answer.starts_with("conflict: ") && answer.find("(k = 4)") != std::string::npos) << answer;
  EXPECT_EQ(script("update t set v = 0 where v is null; begin; alter table t alter v set not null"), "");
  EXPECT_EQ(script_in(*other, "insert into t values (5, null)"), "");
  answer = run("commit");
  EXPECT_TRUE(answer.starts_with("conflict: ")) << answer;
  EXPECT_EQ(run("select k, v from t order by k"), "1|1\n2|2\n3|0\n4|40\n5|NULL\n");
}

TEST_F(SessionTest, ATransactionThatCannotBeRebasedConflicts) {
  EXPECT_EQ(script("create table t(a int); insert into t values (1)"), "");
  auto other = open({});
  EXPECT_EQ(script("begin; create or replace table t as select a + 1 as a, 'mine' as b from t"), "");
  EXPECT_EQ(script_in(*other, "create or replace table t as select 0 as z"), "");
  auto answer = run("commit");
  EXPECT_TRUE(answer.starts_with("conflict: ")) << answer;
  EXPECT_EQ(run("select * from t"), "0\n") << "usable again, and the other one's table stands";
  EXPECT_EQ(script("begin; insert into t values (5); commit"), "");
}

TEST_F(SessionTest, AnOpenResultKeepsItsSnapshot) {
  EXPECT_EQ(script("create table t as select range as a from range(500000)"), "");
  auto other = open({});
  auto stream = session_->query("select a from t");
  ASSERT_TRUE(stream);
  size_t rows = (*stream)->next_text().value()->rows;
  EXPECT_EQ(script_in(*other, "create or replace table t as select 1 as a; drop table t"), "");
  while (auto batch = (*stream)->next_text().value()) {
    rows += batch->rows;
  }
  EXPECT_EQ(rows, 500000U);
}

TEST_F(SessionTest, PreparedStatementsFollowTheTable) {
  EXPECT_EQ(script("create table t as select 1 as a; prepare p as select * from t"), "");
  EXPECT_EQ(run("execute p"), "1\n");
  auto other = open({});
  EXPECT_EQ(script_in(*other, "create or replace table t as select 'x' as b, 2 as c"), "");
  auto answer = run("execute p");
  EXPECT_TRUE(answer == "x|2\n" || answer.starts_with("invalid: ")) << answer;
  EXPECT_EQ(script_in(*other, "create view v as select 1 as x; "), "");
  EXPECT_EQ(script("prepare q as select * from v"), "");
  EXPECT_EQ(run("execute q"), "1\n");
  EXPECT_EQ(script_in(*other, "create or replace view v as select 2 as x; "), "");
  EXPECT_EQ(run("execute q"), "2\n");
}

TEST_F(SessionTest, ATakenOutTableIsRefilledInOneCommit) {
  EXPECT_EQ(script("create table t as select range as a from range(10)"), "");
  ASSERT_TRUE(session_->begin());
  auto status = session_->remove_all_files({"public", "t"});
  ASSERT_TRUE(status) << status.error().message;
  EXPECT_EQ(run("select count(*) from t"), "0\n");
  EXPECT_EQ(text_of(open({})->query("select count(*) from t")), "10\n");
  EXPECT_EQ(script("insert into t values (77)"), "");
  auto outcome = session_->commit({.token = "refill"});
  ASSERT_TRUE(outcome) << outcome.error().message;
  EXPECT_EQ(run("select * from t"), "77\n");
  EXPECT_FALSE(session_->remove_all_files({"public", "t"})) << "only inside a transaction";
}

TEST_F(SessionTest, ErrorsOfAScriptPointIntoIt) {
  EXPECT_TRUE(script("create table t(a int);\n\n  select nope from t").starts_with("invalid: 3:10: "))
      << script("create table if not exists t(a int);\n\n  select nope from t");
  EXPECT_TRUE(script("select 1;\nselect getenv('x')").starts_with("denied: 2:8: "));
}

TEST_F(SessionTest, OneStatementAtATime) {
  EXPECT_TRUE(run("select 1; select 2").starts_with("invalid: 1:11: one statement at a time"));
  EXPECT_TRUE(run("  -- nothing\n").starts_with("invalid: there is no statement"));
}

TEST_F(SessionTest, MacrosAreOfTheSession) {
  EXPECT_EQ(script("create temp macro twice(a) as a * 2"), "");
  EXPECT_EQ(run("select twice(21)"), "42\n");
  EXPECT_TRUE(text_of(open({})->query("select twice(21)")).starts_with("not_found: "));
}

TEST_F(SessionTest, MacrosOfTheLakeAreEverybodys) {
  EXPECT_EQ(script("create macro twice(a) as a * 2; "
                   "create macro pair(n) as table select n as v union all select -n"),
            "");
  {
    auto other = open({});
    EXPECT_EQ(script_in(*other, "create table t as select twice(p.v) as d from pair(21) p"), "");
  }
  open_lake();
  EXPECT_EQ(run("select d, twice(d) from t order by d"), "-42|-84\n42|84\n");
  EXPECT_EQ(script("begin; drop macro twice; create macro thrice(a) as a * 3"), "");
  EXPECT_EQ(run("select thrice(2)"), "6\n");
  EXPECT_EQ(script("rollback"), "");
  EXPECT_EQ(run("select twice(2)"), "4\n");
  EXPECT_TRUE(run("select thrice(2)").starts_with("not_found: "));
  EXPECT_TRUE(run("create macro leak() as getenv('HOME')").starts_with("denied: "));
  EXPECT_TRUE(
      run("create macro files() as table select * from read_csv('/etc/passwd')").starts_with("denied: "));
}

TEST_F(SessionTest, ReplacingAMacroThatOthersReplacedIsAConflict) {
  EXPECT_EQ(script("create macro f() as 1"), "");
  auto other = open({});
  EXPECT_EQ(script("begin; create or replace macro f() as 2"), "");
  EXPECT_EQ(script_in(*other, "create or replace macro f() as 3"), "");
  EXPECT_TRUE(run("commit").starts_with("conflict: "));
  EXPECT_EQ(run("select f()"), "3\n");
}

TEST_F(SessionTest, AnOpenTransactionIsRolledBackWithItsSession) {
  EXPECT_EQ(script("create table t(a int)"), "");
  {
    auto other = open({});
    EXPECT_EQ(script_in(*other, "begin; insert into t values (1)"), "");
  }
  EXPECT_EQ(run("select count(*) from t"), "0\n");
}

TEST_F(SessionTest, OwnStatementsMayReadLandedFiles) {
  ASSERT_TRUE(write_durable(*real_env().files, folder_ + "/raw/a.csv", "a,b\n1,x\n2,y\n"));
  auto sql = fmt::format("select * from read_csv({})", quote_literal(folder_ + "/raw/a.csv"));
  EXPECT_EQ(text_of(session_->query_own(sql)), "1|x\n2|y\n");
  EXPECT_TRUE(run(sql).starts_with("denied: "));
  auto outside = session_->query_own("select * from read_text('/etc/passwd')");
  EXPECT_FALSE(outside);
}

TEST_F(SessionTest, QuotesHold) {
  EXPECT_EQ(quote_literal("it's"), "'it''s'");
  EXPECT_EQ(quote_name({"a.b", "x\"y"}), "\"a.b\".\"x\"\"y\"");
}

}  // namespace
}  // namespace tarn::session
