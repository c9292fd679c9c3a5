// Goal: views, visibility and system tables. Method: SQL through connections of different people.
#include "engine/duck/lake/lake_fixture_test.h"

namespace tarn::engine {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST_F(LakeTest, ViewsKeepTheirColumnsAndNames) {
  run("create schema s; create table s.t as select 1 as a, 2 as b");
  run("use lake.s; create view public.v as select *, (select max(b) from t) as m from t; use lake");
  EXPECT_EQ(rows("select * from v"), "1|2|2\n");
  EXPECT_THAT(catalog_->head().value()->schemas.at("public")->views.at("v")->sql, HasSubstr("FROM s.t"));
  run("alter table s.t add column c integer");
  EXPECT_EQ(rows("select * from v"), "1|2|2\n");
  EXPECT_EQ(rows("select column_name from (describe v)"), "a\nb\nm\n");
  run("create or replace view v as select * from s.t x join s.t y on x.a = y.a");
  EXPECT_EQ(rows("select count(*) from v"), "1\n");
  run("create or replace view v(x) as with t as (select 5 as q) select q from t");
  EXPECT_EQ(rows("select x from v"), "5\n");
  EXPECT_THAT(error_of("create view v as select 1 as a"), HasSubstr("exists: "));
  run("comment on view v is 'about v'; alter view v rename to w");
  EXPECT_EQ(
      rows("select view_name, comment from duckdb_views() where not internal and database_name = 'lake'"),
      "w|about v\n");
  run("create temp table tt(a integer)");
  EXPECT_THAT(error_of("create view bad as select * from tt"), HasSubstr("temporary"));
  EXPECT_THAT(error_of("create view bad as select * from nope"), HasSubstr("not_found: "));
  run("create view x as select * from w; drop view w");
  EXPECT_THAT(rows("select * from x"), HasSubstr("not_found: "));
}

TEST_F(LakeTest, ViewsAtAnEarlierVersion) {
  run("create table t as select 1 as a; create view v as select a from t");
  const auto number = catalog_->head().value()->number;
  run("insert into t values (2); create or replace view v as select a + 100 as a from t");
  EXPECT_EQ(rows("select a from v order by a"), "101\n102\n");
  EXPECT_EQ(rows(fmt::format("select a from v at (version => {})", number)), "1\n");
}

class OnlyOpen : public Visibility {
 public:
  bool can_see_schema(const Principal& who, std::string_view schema) override {
    return who.admin || schema != "secret";
  }
  bool can_see(const Principal& who, const TableName& name) override {
    return who.admin || (name.schema != "secret" && name.name != "hidden");
  }
};

TEST_F(LakeTest, WhatMayNotBeSeenIsNotFound) {
  OnlyOpen visibility;
  open({.visibility = &visibility});
  run("create schema secret; create table secret.a(x integer); create table hidden(x integer); create table "
      "seen(x integer)");
  run("prepare p as select count(*) from hidden");
  auto other = connect();
  other->set_principal({.name = "guest", .admin = false});
  EXPECT_EQ(rows(*other, "select count(*) from seen"), "0\n");
  for (const auto* sql :
       {"select * from hidden", "select * from secret.a", "describe hidden", "from query('from hidden')",
        "from query_table('hidden')", "select * from hiden", "insert into hidden values (1)",
        "drop table hidden", "alter table hidden add column y integer"}) {
    EXPECT_THAT(error_of(*other, sql), HasSubstr("not_found: ")) << sql;
  }
  EXPECT_THAT(error_of(*other, "select * from hiden"), Not(HasSubstr("hidden")));
  EXPECT_EQ(rows(*other, "select table_name from information_schema.tables where table_catalog = 'lake'"),
            "seen\n");
  EXPECT_EQ(rows(*other, "select count(*) from duckdb_columns() where table_name = 'hidden'"), "0\n");
  EXPECT_EQ(rows(*other, "select count(*) from duckdb_schemas() where schema_name = 'secret'"), "0\n");
  EXPECT_THAT(error_of(*other, "create table hidden(y integer)"), HasSubstr("denied: "));
  connection_->set_principal({.name = "guest", .admin = false});
  EXPECT_THAT(rows("execute p"), HasSubstr("not_found: "));
}

class Numbers : public TableSource {
 public:
  [[nodiscard]] const std::string& name() const override { return name_; }
  [[nodiscard]] const std::string& about() const override { return about_; }
  [[nodiscard]] const std::vector<SourceColumn>& columns() const override { return columns_; }
  Status scan(const std::function<bool(TextRow row)>& sink) override {
    for (int i = 0; i < 5000; ++i) {
      if (!sink({std::to_string(i), i % 2 == 0 ? std::optional<std::string>("even") : std::nullopt,
                 "2024-01-01"})) {
        break;
      }
    }
    return ok();
  }

 private:
  std::string name_ = "numbers";
  std::string about_ = "Numbers from 0.";
  std::vector<SourceColumn> columns_ = {
      {"n", "BIGINT", "the number"}, {"kind", "VARCHAR", ""}, {"day", "DATE", ""}};
};

TEST_F(LakeTest, SystemTables) {
  open({.system_tables = {std::make_shared<Numbers>()}});
  EXPECT_EQ(rows("select count(*), count(kind), max(n), min(day) from _tarn.numbers"),
            "5000|2500|4999|2024-01-01\n");
  EXPECT_EQ(rows("select kind from _tarn.numbers where n = 4"), "even\n");
  EXPECT_EQ(rows("select comment from duckdb_tables() where table_name = 'numbers'"), "Numbers from 0.\n");
  EXPECT_THAT(error_of("drop table _tarn.numbers"), HasSubstr("denied: "));
  EXPECT_THAT(error_of("insert into _tarn.numbers values (1, 'x', null)"), HasSubstr("denied: "));
  run("create table mine as select n from _tarn.numbers where n < 3");
  EXPECT_EQ(rows("select count(*) from mine join _tarn.numbers using (n)"), "3\n");
}

}  // namespace
}  // namespace tarn::engine
