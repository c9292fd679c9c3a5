// Goal: what people may not do is refused wherever it hides. Method: each text is parsed and checked; the
// lists are compared with the functions of the engine itself.
#include "guard/guard.h"

#include <gtest/gtest.h>

#include "engine/connection.h"
#include "guard/functions.h"

namespace tarn::guard {
namespace {

// "" when all statements are allowed, else "code: message".
std::string verdict(std::string_view sql, const std::set<std::string>& macros = {}) {
  auto parsed = engine::parse(sql);
  if (!parsed) {
    return parsed.error().message;
  }
  for (const auto& facts : *parsed) {
    if (auto status = check(sql, facts, [&](const std::string& name) { return macros.contains(name); });
        !status) {
      return fmt::format("{}: {}", name_of(status.error().code), status.error().message);
    }
  }
  return "";
}

TEST(GuardTest, EveryFunctionOfTheEngineIsInOneList) {
  auto database = engine::Database::open({});
  ASSERT_TRUE(database);
  auto connection = (*database)->connect();
  ASSERT_TRUE(connection);
  auto stream =
      (*connection)
          ->query(
              "select distinct lower(function_name) from duckdb_functions() where function_type <> 'pragma'");
  ASSERT_TRUE(stream);
  int seen = 0;
  while (true) {
    auto batch = (*stream)->next_text();
    ASSERT_TRUE(batch);
    if (!*batch) {
      break;
    }
    for (const auto& name : (*batch)->columns[0].text) {
      ++seen;
      EXPECT_NE(rule_of(name), FunctionRule::kUnknown) << name << ": review it and put it into functions.cc";
    }
  }
  EXPECT_GT(seen, 800);
}

TEST(GuardTest, ListsAreSorted) {
  EXPECT_TRUE(std::is_sorted(allowed_functions().begin(), allowed_functions().end()));
  for (const auto* name :
       {"add_parquet_key", "st_readosm", "check_peg_parser", "stats", "write_log", "sleep_ms",
        "__internal_decompress_string", "which_secret", "getenv", "sniff_csv"}) {
    EXPECT_NE(rule_of(name), FunctionRule::kAllowed) << name;
    EXPECT_NE(rule_of(name), FunctionRule::kUnknown) << name;
  }
}

TEST(GuardTest, OrdinaryWorkIsAllowed) {
  for (const auto* sql :
       {("select count(*), sum(a) filter (where b), strftime(day, '%Y'), a || 'x', a->>'$.b' from lake.s.t "
         "where a ~ 'x'"),
        "with a as (select * from t) select * from a join lake.public.b using (id) order by 1 limit 3",
        "select * from range(10)",
        "select unnest([1,2])",
        "select row_number() over (partition by a) from t",
        "create table s.t as select 1",
        "create or replace view v as select * from t",
        "insert into t values (1)",
        "create temp table x(a int); insert into x values (1); drop table x",
        "alter table t add column a int",
        "comment on table t is 'x'",
        "begin; commit; rollback",
        "explain select 1",
        "describe t",
        "summarize t",
        "show tables",
        "use lake.s",
        "prepare p as select $1; execute p(1); deallocate p",
        "select version()",
        "select * from information_schema.tables",
        "select * from pg_catalog.pg_class",
        "select * from duckdb_tables()",
        "select * from t at (version => 3)",
        "create schema s",
        "create temp macro twice(a) as a * 2",
        "pivot t on a using sum(b)",
        "select {'a': 1}.a, [x for x in [1,2]]",
        ("select cast('1' as decimal(9,2)), date_trunc('day', now()), coalesce(a, b), extract(year from d) "
         "from t"),
        "select grouping(a), a in (1,2), a between 1 and 2, a like 'x', not a, -a, a[1:2], a::json from t",
        "select max(a) from t group by rollup (b)",
        "select * exclude (a) from t qualify rank() over () = 1"}) {
    EXPECT_EQ(verdict(sql), "") << sql;
  }
}

// The function or table is refused alone and at every depth.
TEST(GuardTest, FilesAndEscapesAreRefusedAtEveryDepth) {
  for (std::string from : {"read_csv('/etc/passwd')",
                           "read_text('/etc/passwd')",
                           "'/x.parquet'",
                           "\"a.csv\"",
                           "glob('/etc/*')",
                           "iceberg_scan('/x')",
                           "query('select 1')",
                           "query_table('t')",
                           "read_json_auto('x')",
                           "parquet_metadata('x')",
                           "duckdb_settings()",
                           "duckdb_secrets()",
                           "sniff_csv('x')",
                           "read_blob('x')",
                           "postgres_query('a', 'b')",
                           "duckdb_logs",
                           "pg_catalog.pg_settings",
                           "json_execute_serialized_sql('x')",
                           "memory.t",
                           "other.main.t"}) {
    for (std::string shape :
         {"from {}", "with c as (from {}) select 1", "select * from t where a in (from {})",
          "insert into t select * from {}", "create table t as from {}", "create view v as select * from {}",
          "create temp macro m() as table (from {})", "prepare p as from {}", "explain from {}",
          "select exists(from {})", "from t join {} on true", "select * from (select * from (from {}))",
          "insert into t values ((select 1 from {}))", "describe from {}", "summarize from {}",
          "select list_transform([1], lambda x: (select x from {}))",
          "with recursive r as (select 1 union all from {}) from r", "select 1 union all from {}",
          "select 1 order by (select 1 from {})"}) {
      auto sql = fmt::format(fmt::runtime(shape), from);
      EXPECT_TRUE(verdict(sql).starts_with("denied: ")) << sql << "\n" << verdict(sql);
    }
  }
}

TEST(GuardTest, ScalarEscapesAreRefusedAtEveryDepth) {
  for (std::string call :
       {"getenv('HOME')", "stats(1)", "current_setting('threads')", "json_serialize_plan('x')", "pg_sleep(9)",
        "which_secret('a','b')", "write_log('x')"}) {
    for (std::string shape :
         {"select {}", "with c as (select {}) from c", "select 1 where {} is null",
          "insert into t values ({})", "create view v as select {}", "create temp macro m(a) as {}",
          "create temp macro m(a := {}) as a", "prepare p as select {}", "execute p({})",
          "create table t(a varchar default {})", "select sum(1) over (order by {})",
          "select count(*) filter (where {} is null)", "select 1 limit {}",
          "alter table t alter a set default {}", "select case when {} is null then 1 end",
          "select * from t order by {}", "select * from range({})", "values ({})",
          "select t.a.lower({}) from t"}) {
      auto sql = fmt::format(fmt::runtime(shape), call);
      EXPECT_TRUE(verdict(sql).starts_with("denied: ")) << sql << "\n" << verdict(sql);
    }
  }
}

TEST(GuardTest, KindsThatPeopleMayNotUse) {
  for (const auto* sql : {"copy t to '/tmp/x.csv'",
                          "copy (select 1) to 'x'",
                          "copy t from 'x.csv'",
                          "attach 'x' as y",
                          "detach y",
                          "install httpfs",
                          "load httpfs",
                          "pragma database_list",
                          "pragma threads=4",
                          "set threads = 4",
                          "set memory_limit = '1TB'",
                          "reset threads",
                          "call pragma_version()",
                          "export database 'x'",
                          "import database 'x'",
                          "vacuum",
                          "checkpoint",
                          "analyze",
                          "create index i on t(a)",
                          "create sequence s",
                          "create type e as enum ('a')",
                          "create secret (type s3)",
                          "set variable a = 1",
                          "use _tarn",
                          "use memory",
                          "prepare p as copy t to 'x'",
                          "explain analyze copy t to 'x'",
                          "insert into _tarn.runs values (1)",
                          "create table lake._tarn.x(a int)",
                          "drop table _tarn.quarantine",
                          "drop schema _tarn",
                          "create table memory.t(a int)",
                          "alter table _tarn.runs add column a int",
                          "create or replace table _TARN.x as select 1",
                          "comment on table _tarn.runs is 'x'"}) {
    EXPECT_TRUE(verdict(sql).starts_with("denied: ")) << sql << "\n" << verdict(sql);
  }
  for (const auto* sql :
       {"create macro m() as getenv('x')", "create macro m() as table from read_csv('x')"}) {
    EXPECT_TRUE(verdict(sql).starts_with("denied: ")) << sql << "\n" << verdict(sql);
  }
  EXPECT_EQ(verdict("create macro m() as 1"), "");
}

TEST(GuardTest, AttachmentsAreReadAndNeverWritten) {
  const Attachments attached = {"shop"};
  const auto say = [&](std::string_view sql) {
    auto parsed = engine::parse(sql);
    EXPECT_TRUE(parsed) << sql;
    for (const auto& facts : *parsed) {
      if (auto status = check(sql, facts, {}, attached); !status) {
        return fmt::format("{}: {}", name_of(status.error().code), status.error().message);
      }
    }
    return std::string();
  };
  for (const auto* sql :
       {"select * from shop.public.t", "select * from SHOP.t join lake.public.u using (id)",
        "insert into t select * from shop.t", "create view v as select * from shop.t", "describe shop.t",
        "delete from t where id in (select id from shop.t)", "explain select * from shop.a.b"}) {
    EXPECT_EQ(say(sql), "") << sql;
  }
  for (const auto* sql :
       {"insert into shop.public.t values (1)", "update shop.t set a = 1", "delete from Shop.t",
        "create table shop.x.y as select 1", "drop table shop.t", "alter table shop.t add column a int",
        "create view shop.v as select 1", "comment on table shop.t is 'x'", "use shop", "use SHOP.public",
        "merge into shop.t using u on true when matched then delete", "prepare p as delete from shop.t",
        "explain delete from shop.t", "select * from memory.t", "select * from shops.t.u"}) {
    EXPECT_TRUE(say(sql).starts_with("denied: ")) << sql << "\n" << say(sql);
  }
  EXPECT_EQ(say("delete from shop.t"),
            "denied: 1:13: attachment shop is read-only: write into the lake instead");
}

TEST(GuardTest, SentencesHavePlaceAndRemedy) {
  EXPECT_EQ(verdict("select 1;\nselect * from read_csv('/etc/passwd')"),
            "denied: 2:15: function read_csv is not allowed: it reaches files or other machines; declare a "
            "source in "
            "sources/*.yml instead");
  EXPECT_EQ(verdict("select summ(1)"), "not_found: 1:8: there is no function summ; did you mean sum?");
}

TEST(GuardTest, MacrosOfTheSessionAreKnown) {
  EXPECT_EQ(verdict("select twice(2)", {"twice"}), "");
  EXPECT_NE(verdict("select getenv('x')", {"getenv"}), "") << "a macro must not unlock a refused name";
}

}  // namespace
}  // namespace tarn::guard
