// Goal: what a text does is seen at every depth. Method: small texts, all facts compared as one line.
#include "engine/parse.h"

#include <gtest/gtest.h>

namespace tarn::engine {
namespace {

// "KIND functions | tables", tables with '!' are written.
std::string facts(std::string_view sql) {
  auto parsed = parse(sql);
  if (!parsed) {
    return parsed.error().message;
  }
  std::string text;
  for (const auto& facts : *parsed) {
    text += (text.empty() ? "" : "; ") + std::string(name_of(facts.kind));
    for (const auto& function : facts.functions) {
      text += fmt::format(" {}{}", function.name, function.table_function ? "()" : "");
    }
    text += " |";
    for (const auto& table : facts.tables) {
      text += fmt::format(" {}{}{}.{}", table.write ? "!" : "",
                          table.database.empty() ? "" : table.database + ".", table.schema, table.name);
    }
  }
  return text;
}

TEST(ParseTest, SelectsAtEveryDepth) {
  EXPECT_EQ(facts("select a + sum(b) over (order by lower(c)) from t"), "SELECT sum lower | .t")
      << "functions of windows and operators";
  EXPECT_EQ(facts("with x as (select * from f(1)) select * from x, lake.s.y where a in (select g(b) from x)"),
            "SELECT f() g | lake.s.y");
  EXPECT_EQ(facts("with t as (select * from t) select * from t"), "SELECT | .t");
  EXPECT_EQ(facts("with recursive t as (select 1 a union all select a+1 from t) select * from t"),
            "SELECT |");
  EXPECT_EQ(facts("select [f(x) for x in l if g(x)] from t"),
            "SELECT list_apply list_filter list_apply struct_pack g f struct_extract struct_extract | .t");
  EXPECT_NE(facts("select list_transform(l, lambda y: h(y)) from t").find(" h"), std::string::npos);
  EXPECT_EQ(facts("from a join b on f(a.x) = b.x limit g(2)"), "SELECT g f | .a .b");
  EXPECT_EQ(
      facts("select case when f(1) then g(2) end, x[h(1)], cast(i(1) as int) group by j(1) having k(1)"),
      "SELECT f g h i j k |");
  EXPECT_EQ(facts("select a.read_text() from t"), "SELECT read_text | .t");
  EXPECT_EQ(facts("values (f(1)), (2)"), "SELECT f |");
  EXPECT_EQ(facts("select * from t at (version => f(3))"), "SELECT f | .t");
  EXPECT_EQ(facts("select columns(c -> f(c)) from t qualify g(1)"), "SELECT list_filter f g | .t");
  EXPECT_EQ(facts("select * replace (f(a) as a) from t"), "SELECT f | .t");
  EXPECT_EQ(facts("from '/x.parquet'"), "SELECT | ./x.parquet");
  EXPECT_EQ(facts("select count(*) filter (where f(a)), string_agg(a order by g(b)) from t using sample 10%"),
            "SELECT count_star f string_agg g | .t");
}

TEST(ParseTest, Statements) {
  EXPECT_EQ(facts("insert into s.t select * from u returning f(1)"), "INSERT f | !s.t .u");
  EXPECT_EQ(facts("with c as (select f(1)) insert into t select * from c"), "INSERT f | !.t");
  EXPECT_EQ(facts("update t set a = f(1) from u where b = (select g(2))"), "UPDATE g f | !.t .u");
  EXPECT_EQ(facts("delete from t using u where f(1)"), "DELETE f | !.t .u");
  EXPECT_EQ(facts("truncate t"), "DELETE | !.t");
  EXPECT_EQ(facts("merge into t using u on f(1) when matched then update set a = g(1)"),
            "MERGE f g | !.t .u");
  EXPECT_EQ(facts("create or replace table s.t as select f(1) from u"), "CREATE TABLE f | !s.t .u");
  EXPECT_EQ(facts("create table t(a int default f(1), b int check (g(b)))"), "CREATE TABLE f g | !.t");
  EXPECT_EQ(facts("create view v as select f(1) from t"), "CREATE VIEW f | !.v .t");
  EXPECT_EQ(facts("create temp macro m(a := g(1)) as f(a)"), "CREATE MACRO g f |");
  EXPECT_EQ(facts("create macro m() as table select * from f(1)"), "CREATE MACRO f() |");
  EXPECT_EQ(facts("create schema s"), "CREATE SCHEMA | !s.");
  EXPECT_EQ(facts("drop table if exists s.t"), "DROP | !s.t");
  EXPECT_EQ(facts("alter table t add column c int default 1"), "ALTER | !.t");
  EXPECT_EQ(facts("alter table t alter a type int using f(a)"), "ALTER f | !.t");
  EXPECT_EQ(facts("comment on table t is 'x'"), "COMMENT | !.t");
  EXPECT_EQ(facts("copy t from 'x'"), "COPY FROM | !.t");
  EXPECT_EQ(facts("copy (select f(1) from t) to 'x'"), "COPY TO f | .t");
  EXPECT_EQ(facts("explain analyze select f(1) from t"), "EXPLAIN f | .t");
  EXPECT_EQ(facts("prepare p as insert into t select f($1)"), "PREPARE f | !.t");
  EXPECT_EQ(facts("execute p(f(1))"), "EXECUTE f |");
  EXPECT_EQ(facts("deallocate p"), "DEALLOCATE |");
  EXPECT_EQ(facts("describe t"), "SHOW | .t");
  EXPECT_EQ(facts("summarize select f(1)"), "SHOW f |");
  EXPECT_EQ(facts("show tables"), "SHOW |");
  EXPECT_EQ(facts("use lake.s"), "USE |");
  EXPECT_EQ(facts("set threads = 4"), "SET |");
  EXPECT_EQ(facts("reset threads"), "SET |");
  EXPECT_EQ(facts("set variable x = f(1)"), "SET f |");
  EXPECT_EQ(facts("pragma threads = 4; pragma database_list"), "SET |; PRAGMA |");
  EXPECT_EQ(facts("call f(g(1))"), "CALL f() g |");
  EXPECT_EQ(facts("attach 'x' as y; detach y; install z; load z"),
            "ATTACH |; DETACH |; INSTALL or LOAD |; INSTALL or LOAD |");
  EXPECT_EQ(facts("export database 'x'; import database 'x'; vacuum; checkpoint"),
            "EXPORT |; IMPORT |; VACUUM or ANALYZE |; CALL checkpoint() |");
  EXPECT_EQ(facts("begin; commit; rollback"),
            "BEGIN, COMMIT or ROLLBACK |; BEGIN, COMMIT or ROLLBACK |; BEGIN, COMMIT or ROLLBACK |");
  EXPECT_NE(facts("pivot t on f(a) using sum(b)").find(" f"), std::string::npos);
  EXPECT_EQ(parse("pivot t on f(a) using sum(b)")->size(), 1U);
}

TEST(ParseTest, PlacesAndTexts) {
  std::string_view sql = "select 1;\n  select f(2) from t ; -- end\n";
  auto parsed = parse(sql);
  ASSERT_TRUE(parsed);
  ASSERT_EQ(parsed->size(), 2U);
  EXPECT_EQ((*parsed)[0].text, "select 1");
  EXPECT_EQ((*parsed)[1].text, "select f(2) from t");
  EXPECT_EQ(sql.substr((*parsed)[1].begin, 6), "select");
  EXPECT_EQ(sql.substr((*parsed)[1].functions[0].offset, 4), "f(2)");
  EXPECT_EQ(sql.substr((*parsed)[1].tables[0].offset, 1), "t");
  EXPECT_EQ(parse("select $1, $2, ?")->front().parameters, 3);
  EXPECT_EQ(parse("")->size(), 0U);
  EXPECT_EQ(parse("-- only a comment")->size(), 0U);
}

TEST(ParseTest, SyntaxErrorsHaveAPlace) {
  auto parsed = parse("select 1;\nselect * fro t");
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().code, Code::kInvalid);
  EXPECT_TRUE(parsed.error().message.starts_with("2:")) << parsed.error().message;
}

}  // namespace
}  // namespace tarn::engine
