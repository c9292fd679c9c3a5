// Goal: tables of the lake behave like tables of a database. Method: SQL through a connection, real Parquet
// files, a catalog in memory.
#include "engine/duck/lake/lake_fixture_test.h"

namespace tarn::engine {
namespace {

using testing::HasSubstr;

TEST_F(LakeTest, CreateInsertSelect) {
  run("create table t(a integer, b varchar)");
  run("insert into t values (1, 'one'), (2, null)");
  EXPECT_EQ(rows("select * from t order by a"), "1|one\n2|NULL\n");
  EXPECT_EQ(rows("select count(*), count(b), max(a) from t"), "2|1|2\n");
  EXPECT_EQ(rows("select b from lake.public.t where a = 1"), "one\n");
  EXPECT_EQ(rows("select b from main.t where a > 1"), "NULL\n");
}

TEST_F(LakeTest, CreateTableAs) {
  run("create table t as select i, i::varchar as s from range(100000) r(i)");
  EXPECT_EQ(rows("select count(*), sum(i), min(s) from t"), "100000|4999950000|0\n");
  run("create table empty as select 1 as a where false");
  EXPECT_EQ(rows("select count(*) from empty"), "0\n");
  EXPECT_THAT(error_of("create table t as select 2 as a"), HasSubstr("exists: "));
  run("create table if not exists t as select 2 as a");
  EXPECT_EQ(rows("select count(*) from t"), "100000\n");
}

TEST_F(LakeTest, CreateOrReplaceKeepsTheUuid) {
  run("create table t as select 1 as a");
  const auto before = catalog_->head().value()->schemas.at("public")->tables.at("t")->uuid();
  run("create or replace table t as select 'x' as b, a from t");
  EXPECT_EQ(rows("select * from t"), "x|1\n");
  EXPECT_EQ(catalog_->head().value()->schemas.at("public")->tables.at("t")->uuid(), before);
  run("create or replace table t(c date)");
  EXPECT_EQ(rows("select count(*) from t"), "0\n");
}

TEST_F(LakeTest, OwnRowsAreSeenAndRollbackDropsThem) {
  run("create table t(a integer)");
  run("begin");
  run("insert into t values (1)");
  run("insert into t select a + 1 from t");
  EXPECT_EQ(rows("select * from t order by 1"), "1\n2\n");
  EXPECT_EQ(files_on_disk(), 2u);
  auto other = connect();
  EXPECT_EQ(rows(*other, "select count(*) from t"), "0\n");
  run("rollback");
  EXPECT_EQ(rows("select count(*) from t"), "0\n");
  EXPECT_EQ(files_on_disk(), 0u);
}

TEST_F(LakeTest, SnapshotIsolationOverAllTables) {
  run("create table a as select 1 as x; create table b as select 1 as x");
  auto other = connect();
  run(*other, "begin");
  EXPECT_EQ(rows(*other, "select x from a"), "1\n");
  run("insert into a values (2); insert into b values (2); create table c as select 3 as x");
  EXPECT_EQ(rows(*other, "select count(*) from b"), "1\n");
  EXPECT_THAT(rows(*other, "select * from c"), HasSubstr("not_found"));
  run(*other, "rollback");
  EXPECT_EQ(rows(*other, "select count(*) from b"), "2\n");
}

TEST_F(LakeTest, OneCommitForSeveralTables) {
  const auto before = catalog_->head().value()->number;
  run("begin; create schema s; create table s.a as select 1 as x; create table b as select 2 as y; "
      "create view v as select x + y as z from s.a, b; commit");
  EXPECT_EQ(catalog_->head().value()->number, before + 1);
  EXPECT_EQ(rows("select z from v"), "3\n");
}

TEST_F(LakeTest, NotNullAndDefaults) {
  run("create table t(a integer not null, b varchar default 'dflt', c timestamp default '2024-01-01')");
  run("insert into t(a) values (1)");
  EXPECT_EQ(rows("select * from t"), "1|dflt|2024-01-01 00:00:00\n");
  EXPECT_THAT(error_of("insert into t values (null, 'x', null)"),
              HasSubstr("\"a\" of table \"t\" must have a value"));
  EXPECT_THAT(error_of("create table u(a integer unique)"), HasSubstr("NOT NULL and PRIMARY KEY only"));
  EXPECT_THAT(error_of("create table u(a integer check (a > 0))"), HasSubstr("CHECK"));
  EXPECT_THAT(error_of("create table u(a double primary key)"), HasSubstr("compare exactly"));
  EXPECT_EQ(files_on_disk(), 1u);
}

TEST_F(LakeTest, WritesThatAreRefused) {
  run("create table t(a integer)");
  EXPECT_THAT(error_of("insert into t values (1) on conflict do nothing"), HasSubstr("invalid"));
  EXPECT_THAT(error_of("create index i on t(a)"), HasSubstr("unsupported: "));
  EXPECT_THAT(error_of("create sequence s"), HasSubstr("unsupported: "));
}

}  // namespace
}  // namespace tarn::engine
