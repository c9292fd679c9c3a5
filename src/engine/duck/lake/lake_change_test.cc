// Goal: DELETE, UPDATE, MERGE and RETURNING do to a lake table what they do to one of DuckDB's own, and leave
// what Iceberg wants: one delete file a data file, whole files taken out when nothing of them is left.
// Method: the catalog in memory, files on disk.
#include <numeric>
#include <sstream>

#include "base/env/fault.h"
#include "engine/duck/lake/lake_fixture_test.h"

namespace tarn::engine {
namespace {

using testing::HasSubstr;

class LakeChangeTest : public LakeTest {
 protected:
  // The number of rows that a statement says it changed.
  std::string changed(std::string_view sql) {
    auto done = connection_->execute(sql);
    return done ? std::to_string(*done) + "\n" : done.error().message;
  }

  // Data and delete files of the last commit of its only table.
  std::pair<int, int> added() {
    std::pair<int, int> counts;
    const auto request = catalog_->last_request();
    for (const auto& file : request.tables.at(0).added) {
      (file.content == iceberg::Content::kData ? counts.first : counts.second) += 1;
    }
    return counts;
  }
  std::string sorted(std::string_view sql) {
    std::istringstream text(rows(sql));
    std::vector<std::string> lines;
    for (std::string line; std::getline(text, line);) {
      lines.push_back(line + "\n");
    }
    std::sort(lines.begin(), lines.end());
    return std::accumulate(lines.begin(), lines.end(), std::string());
  }
  size_t removed() { return catalog_->last_request().tables.at(0).removed.size(); }
};

TEST_F(LakeChangeTest, DeleteLeavesOneDeleteFileADataFile) {
  run("create table t as select i, i % 10 as k from range(1000) r(i)");
  EXPECT_EQ(changed("delete from t where k = 3"), "100\n");
  EXPECT_EQ(added(), std::make_pair(0, 1));
  EXPECT_EQ(removed(), 0u);
  EXPECT_EQ(rows("select count(*), sum(i), min(i), max(i) from t"), "900|449700|0|999\n");
  EXPECT_EQ(changed("delete from t where i < 5"), "4\n");
  EXPECT_EQ(added(), std::make_pair(0, 1));
  EXPECT_EQ(removed(), 1u) << "the new delete file holds the old rows, too";
  EXPECT_EQ(rows("select count(*), min(i) from t"), "896|5\n");
  EXPECT_EQ(changed("delete from t where i < 5"), "0\n");
}

TEST_F(LakeChangeTest, AFileWithoutRowsGoes) {
  run("create table t as select i from range(10) r(i); insert into t select i from range(10, 20) r(i)");
  EXPECT_EQ(changed("delete from t where i < 3"), "3\n");
  EXPECT_EQ(changed("delete from t where i < 10"), "7\n");
  EXPECT_EQ(added(), std::make_pair(0, 0));
  EXPECT_EQ(removed(), 2u) << "the data file and its deletes";
  EXPECT_EQ(rows("select count(*), min(i) from t"), "10|10\n");
  EXPECT_EQ(changed("delete from t"), "10\n");
  EXPECT_EQ(rows("select count(*) from t"), "0\n");
  EXPECT_EQ(changed("truncate t"), "0\n");
}

TEST_F(LakeChangeTest, UpdateWritesWholeRows) {
  run("create table t as select i, i * 2 as b, 'x' || i as s from range(1000) r(i)");
  EXPECT_EQ(changed("update t set b = -1 where i in (1, 500)"), "2\n");
  EXPECT_EQ(added(), std::make_pair(1, 1));
  EXPECT_EQ(rows("select * from t where b = -1 order by i"), "1|-1|x1\n500|-1|x500\n");
  EXPECT_EQ(rows("select count(*), count(distinct i), sum(i) from t"), "1000|1000|499500\n");
  EXPECT_EQ(changed("update t set b = i, s = null where b = -1"), "2\n");
  EXPECT_EQ(rows("select * from t where s is null order by i"), "1|1|NULL\n500|500|NULL\n");
  EXPECT_EQ(changed("update t set b = b + v.d from (values (1, 10), (2, 20)) v(k, d) where t.i = v.k"),
            "2\n");
  EXPECT_EQ(rows("select b from t where i in (1, 2) order by i"), "11\n24\n");
}

TEST_F(LakeChangeTest, AnUpdateThatFindsARowTwiceChangesItOnce) {
  run("create table t(i int, b int); insert into t values (1, 0), (2, 0)");
  EXPECT_EQ(changed("update t set b = v.d from (values (1, 10), (1, 10)) v(k, d) where t.i = v.k"), "1\n");
  EXPECT_EQ(rows("select * from t order by i"), "1|10\n2|0\n");
}

TEST_F(LakeChangeTest, ATransactionSeesItsOwnChanges) {
  run("create table t as select i from range(10) r(i); begin; insert into t select i from range(10, 20) "
      "r(i)");
  EXPECT_EQ(changed("delete from t where i % 2 = 0"), "10\n");
  EXPECT_EQ(rows("select count(*), sum(i) from t"), "10|100\n");
  EXPECT_EQ(changed("update t set i = i + 100 where i < 5"), "2\n");
  EXPECT_EQ(rows("select i from t order by i"), "5\n7\n9\n11\n13\n15\n17\n19\n101\n103\n");
  EXPECT_EQ(changed("delete from t where i > 100"), "2\n");
  EXPECT_EQ(rows(*connect(), "select count(*) from t"), "10\n");
  run("commit");
  EXPECT_EQ(rows("select i from t order by i"), "5\n7\n9\n11\n13\n15\n17\n19\n");
  run("begin; delete from t; insert into t values (1); rollback");
  EXPECT_EQ(rows("select count(*) from t"), "8\n");
}

TEST_F(LakeChangeTest, Returning) {
  run("create table t(i int, s varchar default 'd')");
  EXPECT_EQ(rows("insert into t(i) values (1), (2), (3) returning i + 1, s"), "2|d\n3|d\n4|d\n");
  EXPECT_EQ(rows("update t set s = s || i where i > 1 returning s"), "d2\nd3\n");
  EXPECT_EQ(rows("delete from t where i = 2 returning *"), "2|d2\n");
  EXPECT_EQ(
      rows("delete from t using (values (3)) v(k) where i = k and s in (select s from t) returning s, i"),
      "d3|3\n");
  EXPECT_EQ(rows("select * from t"), "1|d\n");
  EXPECT_EQ(rows("delete from t where i = 7 returning i"), "");
}

TEST_F(LakeChangeTest, MergeWithEveryClause) {
  run("create table t(k int, v int); insert into t values (1, 10), (2, 20), (3, 30), (4, 40)");
  EXPECT_EQ(sorted("merge into t using (values (1, 11), (2, 0), (5, 55), (6, 0)) s(k, v) on t.k = s.k "
                   "when matched and s.v = 0 then delete "
                   "when matched then update set v = s.v "
                   "when not matched and s.v > 0 then insert values (s.k, s.v) "
                   "when not matched then do nothing "
                   "when not matched by source and t.k = 4 then delete "
                   "when not matched by source then update set v = -1 "
                   "returning merge_action, k, v"),
            "DELETE|2|20\nDELETE|4|40\nINSERT|5|55\nUPDATE|1|11\nUPDATE|3|-1\n");
  EXPECT_EQ(rows("select * from t order by k"), "1|11\n3|-1\n5|55\n");
  EXPECT_THAT(
      rows("merge into t using (values (1), (1)) s(k) on t.k = s.k when matched then update set v = 0"),
      HasSubstr("more than once"));
  EXPECT_THAT(rows("merge into t using (values (1)) s(k) on t.k = s.k when matched then error 'no ' || s.k"),
              HasSubstr("no 1"));
  EXPECT_EQ(
      changed(
          "merge into t using (values (9)) s(k) on t.k = s.k when not matched then insert (k) values (k)"),
      "1\n");
  EXPECT_EQ(rows("select * from t order by k"), "1|11\n3|-1\n5|55\n9|NULL\n");
}

TEST_F(LakeChangeTest, OnConflictGoesByTheDeclaredKey) {
  run("create table t(k int primary key, v int); insert into t values (1, 10)");
  EXPECT_EQ(changed("insert into t values (1, 11), (2, 20) on conflict do nothing"), "1\n");
  EXPECT_EQ(
      changed("insert into t values (1, 12), (3, 30) on conflict (k) do update set v = excluded.v + t.v"),
      "2\n");
  EXPECT_EQ(changed("insert or replace into t values (2, 21)"), "1\n");
  EXPECT_EQ(rows("select * from t order by k"), "1|22\n2|21\n3|30\n");
  run("create table plain(k int)");
  EXPECT_THAT(error_of("insert into plain values (1) on conflict do nothing"), HasSubstr("PRIMARY KEY"));
}

TEST_F(LakeChangeTest, AFilterThatTheScanDoesNotTakeLeavesThePlacesOfRows) {
  run("create table t(x blob, i int); insert into t values ('a'::blob, 1), (''::blob, 2), (null, 3)");
  EXPECT_EQ(changed("delete from t where x > ''::blob"), "1\n");
  EXPECT_EQ(changed("update t set i = 7 where x = ''::blob"), "1\n");
  EXPECT_EQ(rows("delete from t where x = ''::blob returning i, x"), "7|\n");
  EXPECT_EQ(rows("select i from t"), "3\n");
  run("create table w(f float, i int); insert into w values (1.5, 1), (2, 2); alter table w alter column f "
      "type double");
  EXPECT_EQ(rows("select i from w where md5(f::varchar) = md5('2.0')"), "2\n");
  EXPECT_EQ(rows("select file_row_number, i from w where md5(f::varchar) = md5('2.0')"), "1|2\n");
  EXPECT_EQ(rows("select file_row_number, filename like '%parquet' from w where f > 1.5"), "1|true\n");
  EXPECT_EQ(changed("update w set f = 7 where md5(f::varchar) = md5('1.5')"), "1\n");
  EXPECT_EQ(changed("delete from w where md5(f::varchar) = md5('2.0')"), "1\n");
  EXPECT_EQ(rows("select * from w"), "7.0|1\n");
}

TEST_F(LakeChangeTest, NotNullHoldsForChanges) {
  run("create table t(i int not null, b int); insert into t values (1, 1)");
  EXPECT_THAT(error_of("update t set i = null"), HasSubstr("NOT NULL"));
  EXPECT_THAT(
      error_of("merge into t using (values (5)) s(k) on false when not matched then insert (b) values (k)"),
      HasSubstr("NOT NULL"));
  EXPECT_EQ(rows("select * from t"), "1|1\n");
}

TEST_F(LakeChangeTest, PartitionsAndNestedValues) {
  run("create table t(i int, k int, l integer[], s struct(a int, b varchar)) partitioned by (k)");
  run("insert into t select i, i % 3, [i, i + 1], {'a': i, 'b': 'x'} from range(30) r(i)");
  EXPECT_EQ(changed("update t set k = 7, s = {'a': -1, 'b': null} where i = 4"), "1\n");
  EXPECT_EQ(added(), std::make_pair(1, 1));
  EXPECT_EQ(rows("select i, k, l, s from t where k = 7"), "4|7|[4, 5]|{'a': -1, 'b': NULL}\n");
  EXPECT_EQ(changed("delete from t where l[1] > 20 and k = 0"), "3\n");
  EXPECT_EQ(rows("select count(*), sum(i) from t"), "27|363\n");
}

TEST_F(LakeChangeTest, TwoWritersOfOneFile) {
  run("create table t as select i from range(10) r(i)");
  auto other = connect();
  run(*other, "begin; delete from t where i = 1");
  run("create or replace table t as select i from range(10) r(i)");
  EXPECT_THAT(error_of(*other, "commit"), HasSubstr("conflict"));
  EXPECT_EQ(rows("select count(*) from t"), "10\n");
}

TEST_F(LakeChangeTest, OtherRowsOfOneFileAreNoConflict) {
  run("create table t as select i, 0 as v from range(10) r(i)");
  const auto before = files_on_disk();
  auto other = connect();
  auto third = connect();
  run(*other, "begin; delete from t where i = 1");
  run(*third, "begin; update t set v = 1 where i in (2, 3)");
  run("delete from t where i in (5, 6)");
  run(*other, "commit");
  run(*third, "commit");
  EXPECT_EQ(rows("select i from t where v = 0 order by i"), "0\n4\n7\n8\n9\n");
  EXPECT_EQ(rows("select i from t where v = 1 order by i"), "2\n3\n");
  EXPECT_EQ(added(), std::make_pair(1, 1));
  EXPECT_EQ(removed(), 1u) << "one delete file a data file";
  EXPECT_EQ(files_on_disk(), before + 4) << "three delete files and the new rows, none of a commit that lost";
  run(*other, "begin; update t set v = 2 where i = 4");
  run(*third, "begin; delete from t where i in (4, 7)");
  run(*other, "commit");
  EXPECT_THAT(error_of(*third, "commit"), HasSubstr("40001"));
  EXPECT_EQ(rows("select i, v from t where i in (4, 7) order by i"), "4|2\n7|0\n");
}

TEST_F(LakeChangeTest, AFailedChangeLeavesNothing) {
  run("create table t as select i from range(10) r(i)");
  const auto before = files_on_disk();
  EXPECT_THAT(error_of("update t set i = case when i = 9 then error('stop') else i end"), HasSubstr("stop"));
  EXPECT_EQ(files_on_disk(), before);
  catalog_->fail_next_commit({Code::kDiskFull, "no space left"});
  EXPECT_THAT(error_of("delete from t where i = 1"), HasSubstr("no space left"));
  EXPECT_EQ(files_on_disk(), before);
  EXPECT_EQ(rows("select count(*) from t"), "10\n");
}

TEST_F(LakeChangeTest, EveryCallOfTheFileSystemMayFail) {
  run("create table t(i int, k int) partitioned by (k); insert into t select i, i % 2 from range(10) r(i)");
  for (int n = 1;; ++n) {
    ASSERT_LT(n, 200);
    FaultInjector faults({.layer = "duckdb", .fail_call = n});
    open({.faults = &faults});
    const auto before = files_on_disk();
    const auto error = error_of("update t set i = i + 100 where i < 4");
    if (!faults.fired()) {
      EXPECT_EQ(error, "no error");
      std::printf("calls reached in layer duckdb: %d\n", n - 1);
      break;
    }
    EXPECT_NE(error, "no error") << "call " << n;
    EXPECT_EQ(rows("select count(*), sum(i) from t"), "10|45\n");
    EXPECT_EQ(files_on_disk(), before) << "call " << n;
    connection_.reset();
    database_.reset();
  }
  EXPECT_EQ(rows("select count(*), sum(i) from t"), "10|445\n");
}

}  // namespace
}  // namespace tarn::engine
