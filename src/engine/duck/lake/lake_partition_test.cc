// Goal: partitioned tables hold one file per partition value and scans read only the partitions they need.
// Method: partition values of committed files, counts of the planner.
#include "engine/duck/lake/lake_fixture_test.h"

namespace tarn::engine {
namespace {

using testing::HasSubstr;

class LakePartitionTest : public LakeTest {
 protected:
  // The first partition value of each live file, sorted.
  std::vector<int32_t> partition_numbers() {
    std::vector<int32_t> numbers;
    for (const auto& change : catalog_->last_request().tables) {
      for (const auto& file : change.added) {
        const auto* number = std::get_if<int32_t>(&file.partition.at(0));
        numbers.push_back(number != nullptr ? *number : -1);
      }
    }
    std::sort(numbers.begin(), numbers.end());
    return numbers;
  }
  int64_t files_read(const std::string& where) {
    rows("select count(*) from (select ts from t where " + where + ")");
    return catalog_->last_plan().read;
  }
};

TEST_F(LakePartitionTest, Identity) {
  run("create table t(ts timestamp, city varchar, n integer) partitioned by (city)");
  run("insert into t select timestamp '2024-01-01', (['a', 'b/c d', 'é', null])[1 + i % 4], i from "
      "range(100) r(i)");
  EXPECT_EQ(rows("select city, count(*), sum(n) from t group by city order by city nulls last"),
            "a|25|1200\nb/c d|25|1225\né|25|1250\nNULL|25|1275\n");
  EXPECT_EQ(files_read("city = 'é'"), 1);
  EXPECT_EQ(files_read("city is null"), 1);
  EXPECT_EQ(files_read("city in ('a', 'b/c d')"), 2);
  run("begin; insert into t values (timestamp '2024-01-02', 'a', 7)");
  EXPECT_EQ(rows("select count(*) from t where city = 'a'"), "26\n");
  run("commit");
}

TEST_F(LakePartitionTest, Times) {
  const std::string values =
      "insert into t select timestamp '1969-12-31 23:00:00' + interval (i) hour, i from range(30) r(i)";
  run("create table t(ts timestamp, n integer) partitioned by (day(ts))");
  run(values);
  EXPECT_EQ(partition_numbers(), (std::vector<int32_t>{-1, 0, 1}));
  EXPECT_EQ(files_read("ts >= timestamp '1970-01-02'"), 1);
  run("create or replace table t(ts timestamp, n integer) partitioned by (month(ts))");
  run(values);
  EXPECT_EQ(partition_numbers(), (std::vector<int32_t>{-1, 0}));
  run("create or replace table t(ts timestamp, n integer) partitioned by (year(ts), bucket(4, n))");
  run(values);
  EXPECT_EQ(files_read("ts < timestamp '1970-01-01'"), 1);
  run("create or replace table t(ts timestamptz, n integer) partitioned by (hour(ts))");
  run("insert into t values ('1970-01-01 02:30:00+01', 1), ('1969-12-31 23:59:59Z', 2)");
  EXPECT_EQ(partition_numbers(), (std::vector<int32_t>{-1, 1}));
  run("create or replace table t(ts date, n integer) partitioned by (day(ts))");
  run("insert into t values ('1970-01-11', 1), (null, 2)");
  EXPECT_EQ(rows("select count(*) from t where ts is null"), "1\n");
  EXPECT_EQ(files_read("ts = date '1970-01-11'"), 1);
}

TEST_F(LakePartitionTest, BucketsAndCtas) {
  run("create table t partitioned by (bucket(8, k)) as select i::bigint as k, 'v' || i as ts from "
      "range(1000) r(i)");
  const auto numbers = partition_numbers();
  EXPECT_EQ(numbers, (std::vector<int32_t>{0, 1, 2, 3, 4, 5, 6, 7}));
  EXPECT_EQ(rows("select ts from t where k = 34"), "v34\n");
  EXPECT_EQ(catalog_->last_plan().read, 1);  // murmur3 of 34 is 2017239379: bucket 3 of 8
  run("create or replace table t partitioned by (truncate(2, ts)) as select i as k, 'v' || i as ts from "
      "range(20) r(i)");
  EXPECT_EQ(files_read("ts = 'v11'"), 1);
  run("create or replace table t partitioned by (k) as select i::decimal(9,2) as k, 'x' as ts from range(3) "
      "r(i)");
  EXPECT_EQ(files_read("k = 1"), 1);
}

TEST_F(LakePartitionTest, SpecChangesAndMistakes) {
  run("create table t as select 1 as a, date '2024-01-01' as ts");
  run("alter table t set partitioned by (ts); insert into t values (2, '2024-01-02'), (3, '2024-01-03')");
  EXPECT_EQ(rows("select a from t order by a"), "1\n2\n3\n");
  EXPECT_EQ(files_read("ts = date '2024-01-02'"), 1);
  EXPECT_THAT(error_of("alter table t drop column ts"), HasSubstr("is partitioned by column \"ts\""));
  EXPECT_THAT(error_of("create table u(a integer) partitioned by (b)"), HasSubstr("no column \"b\""));
  EXPECT_THAT(error_of("create table u(a integer) partitioned by (day(a))"), HasSubstr("does not take"));
  EXPECT_THAT(error_of("create table u(a integer) partitioned by (a + 1)"), HasSubstr("write a column"));
}

}  // namespace
}  // namespace tarn::engine
