// Goal: a scan reads the files it must and no other, at the moment that was asked for. Method: counts of the
// planner, EXPLAIN, versions and times, deletes of another writer.
#include "engine/duck/lake/lake_fixture_test.h"

namespace tarn::engine {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST_F(LakeTest, BoundsPruneFiles) {
  run("create table t(a integer, s varchar, f double)");
  for (int i = 0; i < 5; ++i) {
    run(fmt::format("insert into t select {0} * 10 + j, 'k{0}', {0} from range(10) r(j)", i));
  }
  const auto pruned = [&](const std::string& where) {
    const auto count = rows("select count(*) from (select a from t where " + where + ")");
    const auto plan = catalog_->last_plan();
    return fmt::format("{} of {} in {} files", count.substr(0, count.size() - 1), "50", plan.read);
  };
  EXPECT_EQ(pruned("a = 23"), "1 of 50 in 1 files");
  EXPECT_EQ(pruned("a >= 18 and a < 22"), "4 of 50 in 2 files");
  EXPECT_EQ(pruned("s = 'k4'"), "10 of 50 in 1 files");
  EXPECT_EQ(pruned("a in (1, 45)"), "2 of 50 in 2 files");
  EXPECT_EQ(pruned("f > 2.5"), "20 of 50 in 2 files");
  EXPECT_EQ(pruned("a is null"), "0 of 50 in 0 files");
  EXPECT_EQ(pruned("a = 1 or a = 2"), "2 of 50 in 1 files");
  run("insert into t values (null, null, 'nan')");
  EXPECT_EQ(pruned("f > 100"), "1 of 50 in 1 files");
}

TEST_F(LakeTest, PrunesAfterWideningAndAdding) {
  run("create table t as select 1::integer as a; alter table t alter column a type bigint");
  run("insert into t values (5000000000); alter table t add column b integer default 4");
  EXPECT_EQ(rows("select a from t where a > 4000000000"), "5000000000\n");
  EXPECT_EQ(catalog_->last_plan().read, 1);
  EXPECT_EQ(rows("select count(*) from (select a from t where b = 4)"), "2\n");
}

// DuckDB's Parquet reader looks blobs up in bloom filters by their text.
TEST_F(LakeTest, EqualBlobsAreFound) {
  run("create table t as select case when i % 2 = 0 then 'abc'::blob else '\\x00\\xFF'::blob end b, {'x': b} "
      "s "
      "from range(1000) r(i)");
  run("create table one as select '\\x00\\xFF'::blob b");
  EXPECT_EQ(rows("select count(*) from t where b = '\\x00\\xFF'::blob"), "500\n");
  EXPECT_EQ(rows("select count(*) from t where s.x = '\\x00\\xFF'::blob"), "500\n");
  EXPECT_EQ(rows("select count(*) from t where b in ('\\x00\\xFF'::blob, '\\x01'::blob)"), "500\n");
  EXPECT_EQ(rows("select count(*) from t join one using (b)"), "500\n");
  EXPECT_EQ(rows("select count(*) from t where b = (select b from one)"), "500\n");
}

// The reader rounds a double to the float of an older file.
TEST_F(LakeTest, WidenedFloatsAreComparedAsDoubles) {
  run("create table t as select 1e-30::float as f, {'x': 1e-30::float} as s from range(10)");
  run("alter table t alter column f type double; insert into t values (1e-30, null)");
  run("create table one as select 1e-30::double as f");
  EXPECT_EQ(rows("select count(*) from t where f <> 1e-30"), "10\n");
  EXPECT_EQ(rows("select count(*) from t where f = 1e-30"), "1\n");
  EXPECT_EQ(rows("select count(*) from t where f <= 1e-30"), "1\n");
  EXPECT_EQ(rows("select count(*) from t join one using (f)"), "1\n");
  EXPECT_EQ(rows("select count(*) from t where f = (select f from one)"), "1\n");
  EXPECT_EQ(rows("select count(*) from (select f from t order by f limit 3) where f > 1e-30"), "2\n");
}

TEST_F(LakeTest, CountComesFromMetadata) {
  run("create table t as select i from range(1000) r(i)");
  EXPECT_THAT(rows("explain select count(*) from t"), Not(HasSubstr("LAKE_SCAN")));
  EXPECT_EQ(rows("select count(*) from t"), "1000\n");
  EXPECT_THAT(rows("explain select min(i), max(i), count(*) from t"), Not(HasSubstr("LAKE_SCAN")));
  run("insert into t values (-5), (null)");
  EXPECT_EQ(rows("select min(i), max(i), count(*), count(i) from t"), "-5|999|1002|1001\n");
  EXPECT_EQ(rows("select count(*) from t where i < 100"), "101\n");
  EXPECT_EQ(rows("select count(*) from t where i >= 0"), "1000\n");
  EXPECT_EQ(rows("select count(*) from t where i is not null"), "1001\n");
  run("create or replace table t as select i from range(1000) r(i)");
  run("begin; insert into t values (1)");
  EXPECT_EQ(rows("select count(*) from t"), "1001\n");
  run("rollback");
}

TEST_F(LakeTest, StatisticsNeverChangeAnswers) {
  run("create table t(a integer, d date, n decimal(9,2), ts timestamptz, u utinyint)");
  EXPECT_EQ(rows("select min(a), max(d), count(*) from t"), "NULL|NULL|0\n");
  run("insert into t values (null, null, null, null, null)");
  EXPECT_EQ(rows("select min(a), max(d), count(*) from t"), "NULL|NULL|1\n");
  run("insert into t values (3, '2024-01-01', -1.50, '2024-01-01 00:00:00Z', 200), (-7, '1969-12-31', 2.25, "
      "null, 3)");
  EXPECT_EQ(rows("select min(a), max(a), min(d), max(d), min(n), max(n), min(ts), max(u) from t"),
            "-7|3|1969-12-31|2024-01-01|-1.50|2.25|2024-01-01 00:00:00+00|200\n");
  run("alter table t add column b integer; insert into t(a, b) values (1, 50)");
  EXPECT_EQ(rows("select min(b), max(b), count(b), count(*) from t"), "50|50|1|4\n");
  EXPECT_EQ(rows("select count(*) from t where b is null"), "3\n");
  EXPECT_EQ(rows("select count(*) from t where a > 2 or b = 50"), "2\n");
}

TEST_F(LakeTest, ExplainAndMetadataQueries) {
  run("create table t(a integer not null, b varchar)");
  EXPECT_THAT(rows("explain select a from t where a > 1"), HasSubstr("public.t"));
  EXPECT_THAT(rows("explain analyze select a from t"), Not(HasSubstr(folder_)));
  EXPECT_EQ(
      rows(
          "select column_name, is_nullable, data_type from information_schema.columns where table_name = 't' "
          "order by ordinal_position"),
      "a|NO|INTEGER\nb|YES|VARCHAR\n");
  EXPECT_EQ(rows("select table_schema, table_type from information_schema.tables where table_name = 't'"),
            "public|BASE TABLE\n");
  EXPECT_EQ(rows("select name from (show tables)"), "t\n");
}

TEST_F(LakeTest, FileColumnsAndFileRemoval) {
  run("create table t as select i as a from range(3) r(i)");
  run("insert into t values (100)");
  const auto file = rows("select distinct filename from t where a = 100");
  EXPECT_EQ(rows("select file_row_number from t where a < 3 order by 1"), "0\n1\n2\n");
  run("begin");
  ASSERT_TRUE(connection_->remove_files({"public", "T"}, {file.substr(0, file.size() - 1)}));
  EXPECT_EQ(rows("select count(*), max(a) from t"), "3|2\n");
  run("insert into t values (7); commit");
  EXPECT_EQ(rows("select count(*), max(a) from t"), "4|7\n");
  run("begin");
  ASSERT_TRUE(connection_->remove_all_files({"public", "t"}));
  run("insert into t values (8); commit");
  EXPECT_EQ(rows("select a from t"), "8\n");
  EXPECT_EQ(name_of(connection_->remove_all_files({"public", "t"}).error().code), "invalid");
}

TEST_F(LakeTest, TimeTravel) {
  run("create table t as select 1 as a");
  const auto version = catalog_->head().value();
  run("insert into t values (2); alter table t add column b integer");
  EXPECT_EQ(rows(fmt::format("select * from t at (version => {})", version->number)), "1\n");
  const auto time = format_utc(version->time + std::chrono::seconds(5));
  EXPECT_EQ(rows(fmt::format("select count(*) from t at (timestamp => timestamptz '{}')", time)), "1\n");
  EXPECT_EQ(
      rows(fmt::format("select count(*) from t join t as o at (version => {}) using (a)", version->number)),
      "1\n");
  EXPECT_THAT(rows("select * from t at (version => 999)"), HasSubstr("no lake version 999"));
  EXPECT_THAT(rows("select * from t at (timestamp => timestamptz '1999-01-01')"),
              HasSubstr("first version is 1"));
  ASSERT_TRUE(connection_->set_as_of(version->time));
  EXPECT_EQ(rows("select * from t"), "1\n");
  EXPECT_THAT(error_of("insert into t values (3)"), HasSubstr("leave the as-of time out"));
  EXPECT_THAT(error_of("create table u(a integer)"), HasSubstr("leave the as-of time out"));
  ASSERT_TRUE(connection_->set_as_of(std::nullopt));
  EXPECT_EQ(rows("select count(*) from t"), "2\n");
}

TEST_F(LakeTest, PositionDeletesOfOtherWriters) {
  run("create table t as select i as a from range(10000) r(i)");
  auto data = rows("select distinct filename from t");
  data.pop_back();
  auto plain = Database::open({.external_access = true});
  auto writer = plain.value()->connect().value();
  const std::string deletes = folder_ + "/deletes.parquet";
  run(*writer,
      fmt::format(
          "copy (select 'file://{0}' as file_path, p as pos from (values (3::bigint), (9999), (5000)) d(p) "
          "union all select 'file:///other', 1) to '{1}'",
          data, deletes));
  catalog_->add_deletes("file://" + data, "file://" + deletes);
  EXPECT_EQ(rows("select count(*), sum(a) from t"), fmt::format("9997|{}\n", 49995000 - 3 - 9999 - 5000));
  EXPECT_EQ(rows("select a from t where a in (2, 3, 4) order by a"), "2\n4\n");
}

TEST_F(LakeTest, EqualityDeletesOfOtherWriters) {
  run("create table t as select i as a, case when i % 3 = 0 then null else 'x' || (i % 5) end as s, i / 2.0 "
      "as d "
      "from range(1000) r(i)");
  auto data = rows("select distinct filename from t");
  data.pop_back();
  auto plain = Database::open({.external_access = true});
  auto writer = plain.value()->connect().value();
  const auto write = [&](const std::string& name, const std::string& select, const std::string& ids) {
    run(*writer, fmt::format("copy ({}) to '{}/{}.parquet' (field_ids {{{}}})", select, folder_, name, ids));
    return fmt::format("file://{}/{}.parquet", folder_, name);
  };
  const auto by_text = write("by_text", "select * from (values ('x1'), (null)) v(other)", "other: 2");
  const auto by_both =
      write("by_both", "select 2::bigint as a, 'x2' as s union all select 4, 'none'", "a: 1, s: 2");
  const auto sum = rows("select count(*), sum(a) from t where s <> 'x1' and not (a = 2 and s = 'x2')");
  catalog_->add_deletes("file://" + data, by_text, {2});
  catalog_->add_deletes("file://" + data, by_both, {1, 2});
  run("alter table t drop column s");  // the deletes go by it all the same
  EXPECT_EQ(rows("select count(*), sum(a) from t"), sum);
  EXPECT_EQ(rows("select a from t where a < 12 order by a"), "4\n5\n7\n8\n10\n");
  run("delete from t where a = 4");
  EXPECT_EQ(rows("select a from t where a < 12 order by a"), "5\n7\n8\n10\n");
  catalog_->add_deletes("file://" + data, by_both, {77});
  EXPECT_THAT(rows("select * from t"), HasSubstr("by the field 77, which no schema of the table has"));
}

TEST_F(LakeTest, PreparedStatementsFollowTheTable) {
  run("create table t as select 1 as a; prepare q as select * from t; prepare w as insert into t values (5)");
  EXPECT_EQ(rows("execute q"), "1\n");
  run("create or replace table t as select 'x' as b, 2 as c");
  EXPECT_EQ(rows("execute q"), "x|2\n");
  EXPECT_THAT(error_of("execute w"), HasSubstr("invalid: "));
  run("create or replace table t as select 3 as a; execute w");
  EXPECT_EQ(rows("execute q"), "3\n5\n");
}

// A column of few values has a bloom filter, which knows two zeros.
TEST_F(LakeTest, ZeroIsFoundWithEitherSign) {
  run("create table t as select i, case when i % 2 = 0 then '-0.0'::double else 7.5 end::double as d, "
      "case when i % 2 = 0 then '-0.0'::double end::float as f, {'d': case when i % 2 = 0 then "
      "'-0.0'::double end::double} as s "
      "from range(100) r(i)");
  for (const auto* condition : {"d = 0", "f = 0", "s.d = 0", "d = '-0.0'::double", "d in (0, 3)",
                                "d = 0 or d = 3", "d = (select 0.0::double)", "f = 0 and i >= 0"}) {
    EXPECT_EQ(rows(fmt::format("select count(*) from t where {}", condition)), "50\n") << condition;
  }
  run("create or replace table t as select case when i % 2 = 0 then 0.0 else 7.5 end::double as d from "
      "range(100) r(i)");
  EXPECT_EQ(rows("select count(*) from t where d = '-0.0'::double"), "50\n");
}

TEST_F(LakeTest, LimitAndOrderReadRight) {
  run("create table t as select i as a, i % 7 as b from range(300000) r(i) order by a desc");
  EXPECT_EQ(rows("select a from t order by a desc limit 3"), "299999\n299998\n299997\n");
  EXPECT_EQ(rows("select a, b from t where b = 3 order by a limit 2"), "3|3\n10|3\n");
  EXPECT_EQ(rows("select a from t limit 1"), "299999\n");
}

}  // namespace
}  // namespace tarn::engine
