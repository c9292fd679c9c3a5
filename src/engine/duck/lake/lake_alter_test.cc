// Goal: a table's definition changes without touching its files, and the rows follow. Method: ALTER between
// inserts.
#include "engine/duck/lake/lake_fixture_test.h"

namespace tarn::engine {
namespace {

using testing::HasSubstr;

TEST_F(LakeTest, AddRenameDropColumns) {
  run("create table t as select i as a, 'x' as b from range(3) r(i)");
  run("alter table t add column c integer");
  run("alter table t add column d varchar default 'old'");
  run("insert into t values (10, 'y', 5, 'new')");
  EXPECT_EQ(rows("select * from t where a in (0, 10) order by a"), "0|x|NULL|old\n10|y|5|new\n");
  EXPECT_EQ(rows("select count(*) from t where d = 'old'"), "3\n");
  EXPECT_EQ(rows("select count(*) from t where c is null"), "3\n");
  run("alter table t rename column a to id");
  run("alter table t drop column b");
  run("alter table t add column b integer");  // a new column of an old name shows no old values
  EXPECT_EQ(rows("select id, b from t where id >= 2 order by id"), "2|NULL\n10|NULL\n");
  EXPECT_EQ(rows("select column_name from (describe t)"), "id\nc\nd\nb\n");
  EXPECT_THAT(error_of("alter table t drop column nope"), HasSubstr("no column \"nope\""));
  run("alter table t drop column if exists nope");
  EXPECT_THAT(error_of("alter table t add column ID integer"), HasSubstr("exists: "));
  run("insert into t(id) values (11)");
  EXPECT_EQ(rows("select d from t where id = 11"), "old\n");
}

TEST_F(LakeTest, WidenColumns) {
  run("create table t as select 1::integer as i, 1.5::float as f, 2.25::decimal(9,2) as d, 3::utinyint as u");
  run("alter table t alter column i type bigint");
  run("alter table t alter column f type double");
  run("alter table t alter column d type decimal(18,2)");
  run("alter table t alter column u type integer");
  run("insert into t values (5000000000, 0.1, 1234567890.25, 70000)");
  EXPECT_EQ(rows("select i, f, d, u from t order by i"),
            "1|1.5|2.25|3\n5000000000|0.1|1234567890.25|70000\n");
  EXPECT_EQ(rows("select count(*) from t where i < 2 and d < 3"), "1\n");
  EXPECT_EQ(rows("select column_type from (describe t)"), "BIGINT\nDOUBLE\nDECIMAL(18,2)\nINTEGER\n");
  EXPECT_THAT(error_of("alter table t alter column i type integer"), HasSubstr("unsupported: column \"i\""));
  EXPECT_THAT(error_of("alter table t alter column i type varchar"), HasSubstr("unsupported: column \"i\""));
}

TEST_F(LakeTest, RenameTableAndComments) {
  run("create table t as select 1 as a; begin; insert into t values (2); alter table t rename to u; commit");
  EXPECT_EQ(rows("select count(*) from u"), "2\n");
  EXPECT_THAT(rows("select * from t"), HasSubstr("not_found"));
  run("create table t(a integer)");
  EXPECT_THAT(error_of("alter table t rename to U"), HasSubstr("exists: "));
  run("comment on table u is 'about u'; comment on column u.a is 'about a'");
  EXPECT_EQ(rows("select comment from duckdb_tables() where table_name = 'u'"), "about u\n");
  EXPECT_EQ(rows("select comment from duckdb_columns() where table_name = 'u'"), "about a\n");
  run("comment on table u is null");
  EXPECT_EQ(rows("select comment from duckdb_tables() where table_name = 'u'"), "NULL\n");
}

TEST_F(LakeTest, DefaultsAndNotNullChange) {
  run("create table t(a integer not null, b integer)");
  run("alter table t alter column b set default 7; alter table t alter column a drop not null");
  run("insert into t(a) values (null)");
  EXPECT_EQ(rows("select * from t"), "NULL|7\n");
  run("alter table t alter column b drop default; insert into t(a) values (1)");
  EXPECT_EQ(rows("select b from t where a = 1"), "NULL\n");
  EXPECT_THAT(error_of("alter table t alter column a set not null"), HasSubstr("rows without a value"));
}

TEST_F(LakeTest, FieldsOfStructs) {
  run("create table t as select {'a': 1, 'b': {'c': 'x'}} as s");
  run("alter table t add column s.d integer; alter table t rename column s.b.c to e");
  run("insert into t values ({'a': 2, 'b': {'e': 'y'}, 'd': 5})");
  EXPECT_EQ(rows("select s from t order by s.a"),
            "{'a': 1, 'b': {'e': x}, 'd': NULL}\n{'a': 2, 'b': {'e': y}, 'd': 5}\n");
  run("alter table t drop column s.a");
  EXPECT_EQ(rows("select s.b.e, s.d from t order by 1"), "x|NULL\ny|5\n");
  EXPECT_THAT(error_of("alter table t drop column s.nope"), HasSubstr("nope"));
}

TEST_F(LakeTest, DropsCheckWhatTheyDrop) {
  run("create table t(a integer); create view v as select * from t");
  EXPECT_THAT(error_of("drop view t"), HasSubstr("is a table"));
  EXPECT_THAT(error_of("drop table v"), HasSubstr("is a view"));
  EXPECT_THAT(error_of("create or replace view t as select 1 as a"), HasSubstr("is a table"));
  EXPECT_THAT(error_of("create or replace table v as select 1 as a"), HasSubstr("is a view"));
  EXPECT_THAT(error_of("drop table nope"), HasSubstr("not_found: "));
  run("drop table if exists nope; drop view v; drop table t");
  EXPECT_EQ(rows("select count(*) from duckdb_tables() where database_name = 'lake'"), "0\n");
}

TEST_F(LakeTest, NamesIgnoreCase) {
  run("create schema Sales; create table Sales.\"Größe\"(a integer)");
  EXPECT_EQ(rows("select count(*) from SALES.\"GRÖßE\""), "0\n");
  EXPECT_THAT(error_of("create table sales.\"größe\"(a integer)"), HasSubstr("exists: "));
  EXPECT_THAT(error_of("create schema SALES"), HasSubstr("exists: "));
  EXPECT_THAT(error_of("create table \"a@b\"(a integer)"), HasSubstr("'@'"));
  EXPECT_THAT(error_of("drop schema sales"), HasSubstr("drop them first"));
  run("create schema if not exists sales; drop schema sales cascade");
  EXPECT_THAT(error_of("drop schema public"), HasSubstr("cannot be dropped"));
}

}  // namespace
}  // namespace tarn::engine
