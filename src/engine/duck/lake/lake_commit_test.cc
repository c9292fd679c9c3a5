// Goal: what COMMIT hands to the catalog, and what stays on disk when it fails. Method: a catalog that
// refuses, tokens, faults under the file system.
#include "base/env/fault.h"
#include "engine/duck/lake/lake_fixture_test.h"

namespace tarn::engine {
namespace {

using testing::HasSubstr;

TEST_F(LakeTest, CommitCarriesTheNote) {
  run("create table t(a integer)");
  run("begin; insert into t values (1)");
  ASSERT_TRUE(connection_->set_commit_note(
      {.token = "r/t/1", .cursors = {{"s", "", "5"}}, .summary = {{"tarn.run", "r"}}}));
  run("commit");
  EXPECT_EQ(catalog_->last_request().token, "r/t/1");
  EXPECT_EQ(catalog_->last_request().tables.at(0).summary.at("tarn.run"), "r");
  EXPECT_EQ(catalog_->cursor("s", "").value(), "5");
  ASSERT_TRUE(connection_->last_commit());
  EXPECT_FALSE(connection_->last_commit()->already_done);
  const auto files = files_on_disk();
  run("begin; insert into t values (2)");
  ASSERT_TRUE(connection_->set_commit_note({.token = "r/t/1"}));
  run("commit");
  EXPECT_TRUE(connection_->last_commit()->already_done);
  EXPECT_EQ(rows("select a from t"), "1\n");
  EXPECT_EQ(files_on_disk(), files);
}

TEST_F(LakeTest, ANoteAloneIsCommitted) {
  run("create table t(a integer); begin");
  EXPECT_EQ(rows("select count(*) from t"), "0\n");
  ASSERT_TRUE(connection_->set_commit_note({.token = "r/t/2", .cursors = {{"s", "k", "\"x\""}}}));
  run("commit");
  EXPECT_EQ(catalog_->cursor("s", "k").value(), "\"x\"");
  run("begin");
  ASSERT_TRUE(connection_->set_commit_note({.token = "r/t/3"}));
  run("commit");
  EXPECT_TRUE(catalog_->find_token("r/t/3").value());
  ASSERT_TRUE(connection_->set_commit_note({.token = "r/t/4"}));
  EXPECT_EQ(rows("select 1"), "1\n");
  EXPECT_FALSE(catalog_->find_token("r/t/4").value());
  run("insert into t values (1)");
  EXPECT_TRUE(catalog_->find_token("r/t/4").value());
}

TEST_F(LakeTest, ACommitIsForbiddenBeforeItStartsOrNotAtAll) {
  run("create table t(a integer)");
  bool forbidden = true;
  catalog_->on_commit([&] { forbidden = connection_->forbid_commits(); });
  run("insert into t values (1)");
  EXPECT_FALSE(forbidden) << "its outcome has to be waited for";
  catalog_->on_commit({});
  EXPECT_TRUE(connection_->forbid_commits());
  EXPECT_TRUE(connection_->forbid_commits());
  EXPECT_EQ(error_of("insert into t values (2)"), "cancelled: the statement was stopped before its commit");
  EXPECT_EQ(rows("select * from t"), "1\n");
  EXPECT_EQ(files_on_disk(), 1u);
}

TEST_F(LakeTest, AFailedCommitTellsItsCodeAndCleansUp) {
  run("create table t(a integer)");
  catalog_->fail_next_commit({Code::kConflict, "40001: somebody else was first"});
  run("begin; insert into t values (1)");
  EXPECT_EQ(error_of("commit"), "conflict: 40001: somebody else was first");
  EXPECT_EQ(files_on_disk(), 0u);
  EXPECT_EQ(rows("select count(*) from t"), "0\n");
  catalog_->fail_next_commit({Code::kIo, "answer lost"});
  EXPECT_EQ(error_of("insert into t values (1)"), "io: answer lost");
  EXPECT_EQ(files_on_disk(), 1u);  // it may have been committed after all
  run("insert into t values (3)");
  EXPECT_EQ(rows("select * from t"), "3\n");
}

TEST_F(LakeTest, AFailedStatementLeavesNoFiles) {
  run("create table t(a integer) ");
  EXPECT_THAT(
      error_of(
          "insert into t select case when i = 400000 then error('stop') else i end from range(500000) r(i)"),
      HasSubstr("stop"));
  EXPECT_EQ(files_on_disk(), 0u);
  run("begin; insert into t values (1)");
  EXPECT_THAT(error_of("insert into t select (i || 'x')::integer from range(10) r(i)"), HasSubstr("invalid"));
  error_of("commit");
  EXPECT_EQ(files_on_disk(), 0u);
  EXPECT_EQ(rows("select count(*) from t"), "0\n");
}

TEST_F(LakeTest, ConflictsBetweenConnections) {
  run("create table t as select 1 as a");
  auto other = connect();
  run(*other, "begin; create or replace table t as select 2 as a, 3 as c");
  run("begin; alter table t add column b integer");
  run(*other, "commit");
  EXPECT_THAT(error_of("commit"), HasSubstr("conflict: "));
  run(*other, "begin; insert into t values (5, 0)");
  run("insert into t values (6, 0)");
  run(*other, "commit");
  EXPECT_EQ(rows("select a from t order by a"), "2\n5\n6\n");
  run(*other, "begin; create table made(a integer)");
  run("create table made(b integer)");
  EXPECT_THAT(error_of(*other, "commit"), HasSubstr("conflict: "));
}

// Goal: a fault in any call of DuckDB on the lake's files fails the statement, and nothing of it is seen or
// left. Method: the Nth call fails, N = 1, 2, 3 ... until the statement passes.
TEST_F(LakeTest, EveryCallOfTheFileSystemMayFail) {
  run("create table t(a integer, k integer) partitioned by (k)");
  for (int n = 1;; ++n) {
    ASSERT_LT(n, 200);
    FaultInjector faults({.layer = "duckdb", .fail_call = n});
    open({.faults = &faults});
    const auto before = files_on_disk();
    const auto error = error_of("insert into t select i, i % 2 from range(10) r(i)");
    if (!faults.fired()) {
      EXPECT_EQ(error, "no error");
      std::printf("calls reached in layer duckdb: %d\n", n - 1);
      break;
    }
    EXPECT_NE(error, "no error") << "call " << n;
    EXPECT_EQ(rows("select count(*) from t"), "0\n");
    EXPECT_EQ(files_on_disk(), before) << "call " << n;
    connection_.reset();
    database_.reset();
  }
  EXPECT_EQ(rows("select count(*) from t"), "10\n");
}

TEST_F(LakeTest, WhatIsCommittedSurvivesAPowerCut) {
  FaultInjector faults({});
  open({.faults = &faults});
  run("create table t(a integer, k integer) partitioned by (k); insert into t select i, i % 3 from "
      "range(1000) r(i)");
  faults.ledger().drop_unsynced(false);
  EXPECT_EQ(rows("select count(*), sum(a) from t"), "1000|499500\n");
  database_.reset();
}

TEST_F(LakeTest, FilesOfTheLakeAreNotTouched) {
  run("create table t as select 1 as a");
  auto file = rows("select filename from t");
  file.pop_back();
  EXPECT_THAT(error_of(fmt::format("copy (select 1) to '{}' (use_tmp_file false)", file)),
              HasSubstr("cannot create"));
  EXPECT_EQ(rows("select * from t"), "1\n");
}

}  // namespace
}  // namespace tarn::engine
