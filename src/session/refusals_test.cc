// Goal: nothing a person writes reaches files, other machines, settings or unchecked text, wherever it hides;
// the admin's --unsafe does. Method: every refused thing in every shape through a session on a real lake,
// which must stay usable and unchanged.
#include <algorithm>

#include "session/session_fixture_test.h"

namespace tarn::session {
namespace {

class RefusalsTest : public SessionFixture {};

// Things that stand in a FROM clause.
const std::vector<std::string> kRelations = {
    "read_csv('/etc/passwd')",    "'/x.parquet'",
    "'/etc/passwd.csv'",          "glob('/etc/*')",
    "read_text('/etc/passwd')",   "read_blob('/etc/passwd')",
    "read_json('/etc/passwd')",   "read_parquet('/x.parquet')",
    "parquet_scan('/x.parquet')", "iceberg_scan('/x')",
    "query('select 1')",          "query_table('t')",
    "duckdb_settings()",          "duckdb_secrets()",
    "sniff_csv('/etc/passwd')",
};

// Things that stand where a value does.
const std::vector<std::string> kValues = {
    "getenv('HOME')",
    "stats(1)",
    "current_setting('memory_limit')",
    "(select content from read_text('/etc/passwd'))",
    "(select count(*) from '/x.parquet')",
    "(select count(*) from query('select 1'))",
};

TEST_F(RefusalsTest, RelationsInEveryShape) {
  ASSERT_EQ(script("create table t(a int)"), "");
  for (const auto& relation : kRelations) {
    for (std::string shape : {
             "select * from {}",                                          // alone, and an `each:` query
             "with c as (select * from {}) select * from c",              // CTE
             "create view v as select * from {}",                         // view
             "create temp view v as select * from {}",                    //
             "create temp macro m() as table select * from {}",           // macro
             "prepare p as select * from {}",                             // PREPARE text
             "insert into t select count(*) from {}",                     // DML
             "insert into t values ((select count(*) from {}))",          //
             "delete from t where a in (select 1 from {})",               //
             "update t set a = (select count(*) from {})",                //
             "create table made as select * from {}",                     // a model
             "create or replace table t as select * from {}",             //
             "select 1 where exists (select 1 from {})",                  //
             "explain analyze select * from {}",                          //
             "select * from t join lateral (select * from {}) on true",   //
             "describe select * from {}",                                 //
             "select list_transform([1], lambda x: (select 1 from {}))",  //
         }) {
      auto sql = fmt::format(fmt::runtime(shape), relation);
      auto answer = run(sql);
      EXPECT_TRUE(answer.starts_with("denied: ") || answer.starts_with("unsupported: ")) << sql << "\n"
                                                                                         << answer;
      auto described = session_->describe(sql);
      EXPECT_FALSE(described) << sql;
    }
  }
  EXPECT_EQ(run("select count(*) from t"), "0\n");
  EXPECT_EQ(run("select count(*) from information_schema.tables where table_schema = 'public'"), "1\n");
}

TEST_F(RefusalsTest, ValuesInEveryShape) {
  ASSERT_EQ(script("create table t(a varchar)"), "");
  for (const auto& value : kValues) {
    for (std::string shape : {
             "select {}",
             "with c as (select {} as x) select * from c",
             "create view v as select {} as x",
             "create temp macro m() as {}",
             "create temp macro m(a := {}) as a",
             "prepare p as select {}",
             "execute p({})",
             "insert into t values ({})",
             "insert into t select 'x' where {} is not null",
             "create table made as select {} as x",
             "create table made(a varchar default {})",
             "select * from t order by {}",
             "select count(*) filter (where {} is null) from t",
             "select sum(1) over (partition by {}) from t",
             "select * from t at (version => {})",
             "values ({})",
             "select case when true then {} end",
             "alter table t add column b varchar default {}",
         }) {
      auto sql = fmt::format(fmt::runtime(shape), value);
      auto answer = run(sql);
      bool no_sql =
          answer.starts_with("invalid: Only scalar parameters");  // EXECUTE takes no sub-query at all
      EXPECT_TRUE(answer.starts_with("denied: ") || no_sql) << sql << "\n" << answer;
    }
  }
  EXPECT_EQ(run("select count(*) from t"), "0\n");
}

TEST_F(RefusalsTest, Statements) {
  ASSERT_EQ(script("create table t(a int)"), "");
  auto target = folder_ + "/stolen.csv";
  for (const auto& sql : std::vector<std::string>{fmt::format("copy t to '{}'", target),
                                                  fmt::format("copy (select 1) to '{}'", target),
                                                  "copy t from '/etc/passwd'",
                                                  "attach '/tmp/x.db' as x",
                                                  "attach ':memory:' as x",
                                                  "detach lake",
                                                  "install httpfs",
                                                  "load httpfs",
                                                  "load '/tmp/x.so'",
                                                  "pragma database_list",
                                                  "pragma memory_limit='1GB'",
                                                  "set memory_limit = '100GB'",
                                                  "set threads = 64",
                                                  "set enable_external_access = true",
                                                  "set global temp_directory = '/tmp'",
                                                  "reset memory_limit",
                                                  "call pragma_database_size()",
                                                  "export database '/tmp/x'",
                                                  "import database '/tmp/x'",
                                                  "checkpoint",
                                                  "force checkpoint",
                                                  "vacuum",
                                                  fmt::format("prepare p as copy t to '{}'", target),
                                                  "prepare p as attach 'x'",
                                                  "prepare p as set threads = 1",
                                                  fmt::format("explain analyze copy t to '{}'", target),
                                                  "set variable x = 1",
                                                  "use memory",
                                                  "create secret (type s3)",
                                                  "insert into _tarn.runs values (1)",
                                                  "create table _tarn.x(a int)",
                                                  "copy from database lake to temp"}) {
    auto answer = run(sql);
    bool no_sql = answer.starts_with("invalid: 1:") && answer.find("syntax") != std::string::npos;
    EXPECT_TRUE(answer.starts_with("denied: ") || no_sql) << sql << "\n" << answer;
  }
  EXPECT_FALSE(std::filesystem::exists(target));
}

TEST_F(RefusalsTest, ParametersAreNoWayRound) {
  for (std::string_view sql :
       {"select * from read_csv($1)", "select * from query($1)", "select * from glob($1)"}) {
    engine::Parameter path{"/etc/passwd", "VARCHAR"};
    EXPECT_TRUE(text_of(session_->query(sql, {&path, 1})).starts_with("denied: ")) << sql;
  }
}

TEST_F(RefusalsTest, ChangesOfRowsAreCheckedInEveryClause) {
  ASSERT_EQ(script("create table t(a varchar primary key)"), "");
  for (std::string_view sql :
       {"update t set a = getenv('HOME')", "update t set a = 1 where a = getenv('HOME')",
        "update t set a = 'x' from read_csv('/etc/passwd')", "delete from t where a = getenv('HOME')",
        "delete from t using read_csv('/etc/passwd')", "delete from t returning getenv('HOME')",
        "insert into t values ('x') returning getenv('HOME')",
        "update t set a = 'x' returning getenv('HOME')",
        "insert into t values ('x') on conflict do update set a = getenv('HOME')",
        "merge into t using read_csv('/etc/passwd') s on true when matched then delete",
        "merge into t using t s on t.a = getenv('HOME') when matched then delete",
        "merge into t using t s on true when matched and getenv('HOME') = 'x' then delete",
        "merge into t using t s on true when matched then update set a = getenv('HOME')",
        "merge into t using t s on true when not matched then insert values (getenv('HOME'))",
        "merge into t using t s on true when matched then error getenv('HOME')",
        "merge into t using t s on true when matched then delete returning getenv('HOME')"}) {
    EXPECT_TRUE(run(sql).starts_with("denied: ")) << sql << "\n" << run(sql);
  }
  for (std::string_view sql :
       {"delete from _tarn.runs", "update _tarn.runs set id = 1", "truncate _tarn.quarantine",
        "merge into _tarn.runs using t on true when matched then delete"}) {
    EXPECT_TRUE(run(sql).starts_with("denied: ")) << sql << "\n" << run(sql);
  }
}

TEST_F(RefusalsTest, TheAdminsUnsafeReachesFiles) {
  session_.reset();
  service_.reset();
  lake_.reset();
  auto lake = lake::Lake::open(real_env(), {.data_folder = folder_, .external_access = true});
  ASSERT_TRUE(lake) << lake.error().message;
  lake_ = std::move(*lake);
  service_ = make_session_service(lake_->database(), lake_->catalog(), real_env(), {});
  auto unsafe = open({.unsafe = true});
  auto path = folder_ + "/outside.csv";
  EXPECT_EQ(text_of(unsafe->query(fmt::format("copy (select 42 as a) to '{}'", path))), "");
  EXPECT_EQ(text_of(unsafe->query(fmt::format("select a from '{}'", path))), "42\n");
  EXPECT_EQ(text_of(unsafe->query(fmt::format("select a from read_csv('{}')", path))), "42\n");
  auto person = open({});
  EXPECT_TRUE(
      text_of(person->query(fmt::format("select a from read_csv('{}')", path))).starts_with("denied: "));
}

}  // namespace
}  // namespace tarn::session
