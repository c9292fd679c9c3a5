// Goal: tables of others are read as they are and never changed; what is asked of the other side leaves out
// no row that is wanted; files that nobody named stay closed; a mistake of the other side names the
// attachment. Method: attachments over files in a folder, which need no extension, beside a table with the
// same rows.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <random>

#include "engine/duck/lake/lake_fixture_test.h"
#include "engine/duck/outside/attachment.h"

namespace tarn::engine {
namespace {

class OutsideTest : public LakeTest {
 protected:
  void SetUp() override {
    LakeTest::SetUp();
    outside_ = std::filesystem::temp_directory_path() / ("tarn-outside-" + new_uuid(*real_env().random));
    std::filesystem::create_directories(outside_ / "parts");
    DatabaseOptions maker;
    maker.external_access = true;
    auto database = Database::open(std::move(maker));
    ASSERT_TRUE(database);
    auto connection = (*database)->connect();
    ASSERT_TRUE((*connection)
                    ->execute(fmt::format(R"(
      create table t as select i as id, case when i % 7 = 0 then null else i * 1.5::decimal(9,2) end as score,
        case when i % 5 = 0 then null else 'n' || (i % 20) end as name,
        date '2024-01-01' + (i % 40)::int as day, i % 3 = 0 as flag, i::double / 3 as ratio
        from range(3000) r(i);
      copy t to '{0}/t.parquet' (format parquet);
      copy (select * from t where id < 1500) to '{0}/parts/a.parquet' (format parquet);
      copy (select * from t where id >= 1500) to '{0}/parts/b.parquet' (format parquet);
      copy (select id, name from t where id < 10) to '{0}/t.csv' (format csv, header))",
                                          outside_.string())));
    open_with({{"t", {outside_ / "t.parquet", "parquet"}},
               {"parts", {(outside_ / "parts" / "*.parquet").string(), "parquet"}},
               {"sheet", {outside_ / "t.csv", "csv"}},
               {"gone", {outside_ / "gone.parquet", "parquet"}}});
    run("create table mine as select * from files.t");
  }
  void TearDown() override {
    LakeTest::TearDown();
    std::filesystem::remove_all(outside_);
  }

  void open_with(std::map<std::string, OutsideFiles> tables) {
    DatabaseOptions options;
    OutsideDatabase files{.name = "files",
                          .kind = OutsideKind::kFiles,
                          .settings = {},
                          .tables = std::move(tables),
                          .locations = {},
                          .resolve = {}};
    options.outside.databases.push_back(std::move(files));
    open(std::move(options));
  }

  std::filesystem::path outside_;
};

TEST_F(OutsideTest, RowsAreThoseOfTheFiles) {
  EXPECT_EQ(rows("select count(*), count(score), sum(id) from files.public.t"), "3000|2571|4498500\n");
  EXPECT_EQ(rows("select count(*) from files.parts"), "3000\n");
  EXPECT_EQ(rows("select count(*), min(name) from FILES.PUBLIC.Sheet"), "10|n1\n");
  EXPECT_EQ(
      rows("select count(*) from files.t a join mine b using (id) where a.score is distinct from b.score"),
      "0\n");
  EXPECT_EQ(rows("select count(*) from files.t a, files.t b where a.id = b.id and a.name = b.name"),
            "2400\n");
  EXPECT_EQ(rows("select 1 from files.t limit 1"), "1\n");
  EXPECT_EQ(rows("with c as (select * from files.t) select count(*) from c x join c y using (id)"), "3000\n");
}

// Conditions of all shapes, some of which go to the other side whole, in part, or not at all.
TEST_F(OutsideTest, ConditionsLeaveOutNothing) {
  std::mt19937 random(20261130);
  const auto pick = [&](const std::vector<std::string>& list) { return list[random() % list.size()]; };
  const auto number = [&] { return std::to_string(static_cast<int>(random() % 4000) - 500); };
  std::function<std::string(int)> condition = [&](int depth) -> std::string {
    const auto compare = pick({"=", "<>", "<", ">", "<=", ">="});
    switch (random() % (depth > 0 ? 14 : 10)) {
      case 0: return fmt::format("id {} {}", compare, number());
      case 1: return fmt::format("{} {} score", number(), compare);
      case 2: return fmt::format("name {} 'n{}'", compare, random() % 25);
      case 3: return fmt::format("day {} date '2024-01-{:02}'", compare, 1 + random() % 28);
      case 4: return fmt::format("{} is {}null", pick({"name", "score", "id"}), pick({"", "not "}));
      case 5:
        return fmt::format("id {}in ({}, {}, {}, null)", pick({"", "not "}), number(), number(), number());
      case 6: return fmt::format("score between {} and {}", number(), number());
      case 7: return fmt::format("name {}like '{}%'", pick({"", "not "}), pick({"n1", "N1", "%2", "n_"}));
      case 8: return pick({"flag", "not flag", "flag is not true", "ratio > 200", "ratio <> 'nan'::double"});
      case 9: return fmt::format("coalesce(score, {}) {} id % 10", number(), compare);
      case 10: return fmt::format("not ({})", condition(depth - 1));
      case 11: return fmt::format("({}) is not distinct from true", condition(depth - 1));
      default:
        return fmt::format("({} {} {})", condition(depth - 1), pick({"and", "or"}), condition(depth - 1));
    }
  };
  int asked = 0;
  for (int i = 0; i < 400; ++i) {
    const auto where = condition(3);
    const auto of = [&](const char* table) {
      return rows(
          fmt::format("select count(*), sum(id), min(score), max(name) from {} where {}", table, where));
    };
    EXPECT_EQ(of("files.t"), of("mine")) << where;
    asked += rows(fmt::format("explain select id from files.t where {}", where)).find("Asked for") !=
             std::string::npos;
  }
  EXPECT_GT(asked, 100) << "too little goes to the other side";
}

TEST_F(OutsideTest, OuterJoinsKeepTheirRows) {
  const auto of = [&](const char* table) {
    return rows(fmt::format(
        "select count(*), count(b.id), count(b.name) from mine a left join {} b on a.id = b.id and "
        "b.id > 1000 and a.id < 2000",
        table));
  };
  EXPECT_EQ(of("files.t"), of("mine"));
  EXPECT_EQ(rows("select count(*) from files.t where id > (select avg(id) from mine)"), "1500\n");
}

TEST_F(OutsideTest, PreparedStatementsTakeTheirValues) {
  run("prepare p as select count(*) from files.t where id < $1");
  EXPECT_EQ(rows("execute p(10)"), "10\n");
  EXPECT_EQ(rows("execute p(20)"), "20\n");
}

TEST_F(OutsideTest, NothingIsChanged) {
  for (const auto* sql : {"insert into files.t values (1)", "insert into files.public.t select * from mine",
                          "delete from files.t", "update files.t set id = 1", "drop table files.public.t",
                          "create table files.public.x(a int)", "create table files.x as select 1",
                          "create view files.public.x as select 1", "create schema files.x",
                          "alter table files.public.t add column a int", "drop schema files.public cascade",
                          "create index i on files.t(id)", "comment on table files.public.t is 'x'",
                          "merge into files.t a using mine b on a.id = b.id when matched then delete"}) {
    const auto said = rows(sql);
    EXPECT_TRUE(said.starts_with("denied: ") || said.starts_with("invalid: ") ||
                said.starts_with("unsupported: "))
        << sql << ": " << said;
    EXPECT_EQ(rows("select count(*) from files.t"), "3000\n");
  }
}

TEST_F(OutsideTest, TheOtherSideReadsNoOtherFiles) {
  outside::Limits limits;
  OutsideDatabase files{.name = "files",
                        .kind = OutsideKind::kFiles,
                        .settings = {},
                        .tables = {{"t", {(outside_ / "parts" / "*.parquet").string(), "parquet"}}},
                        .locations = {},
                        .resolve = {}};
  auto instance = outside::Instance::open(files, "", limits);
  ASSERT_TRUE(instance) << instance.error().message;
  duckdb::Connection connection((*instance)->database());
  EXPECT_FALSE(connection.Query("from read_parquet('" + (outside_ / "parts" / "a.parquet").string() + "')")
                   ->HasError());
  for (const std::string& sql :
       {std::string("from read_text('/etc/passwd')"),
        "from read_parquet('" + (outside_ / "t.parquet").string() + "')",
        "from read_parquet('" + (outside_ / "parts" / ".." / "t.parquet").string() + "')",
        std::string("set enable_external_access = true"), std::string("set allowed_directories = ['/']"),
        std::string("copy (select 1) to '/tmp/tarn-x.csv'"), std::string("install httpfs"),
        std::string("load httpfs"), std::string("attach '/tmp/tarn-x.db' as x")}) {
    EXPECT_TRUE(connection.Query(sql)->HasError()) << sql;
  }
}

TEST_F(OutsideTest, MistakesNameTheAttachment) {
  EXPECT_EQ(rows("select * from files.gone").substr(0, 37), "unavailable: attachment files: No fil");
  EXPECT_EQ(rows("select * from files.gone").find("LINE 1"), std::string::npos)
      << rows("select * from files.gone");
  EXPECT_NE(rows("select * from files.nothing").find("there is no table \"nothing\""), std::string::npos);
  EXPECT_NE(rows("select * from files.other.t").find("other"), std::string::npos);
  EXPECT_NE(rows("select rowid from files.t").find("rowid"), std::string::npos);
  EXPECT_EQ(rows("select count(*) from files.t"), "3000\n") << "one table's trouble is no other's";
}

TEST_F(OutsideTest, ListsShowTables) {
  EXPECT_EQ(
      rows("select table_name from information_schema.tables where table_catalog = 'files' order by all"),
      "gone\nparts\nsheet\nt\n");
  EXPECT_EQ(rows("select string_agg(column_name, ',' order by ordinal_position) from "
                 "information_schema.columns where "
                 "table_catalog = 'files' and table_name = 't'"),
            "id,score,name,day,flag,ratio\n");
  auto tables = database_->outside_tables("files");
  ASSERT_TRUE(tables);
  ASSERT_EQ(tables->size(), 4U);
  EXPECT_EQ((*tables)[3].name, "t");
  ASSERT_EQ((*tables)[3].columns.size(), 6U);
  EXPECT_EQ((*tables)[3].columns[1].type, "DECIMAL(28,2)");
  EXPECT_FALSE(database_->outside_tables("nothing"));
}

TEST_F(OutsideTest, ThePastIsRefused) {
  ASSERT_TRUE(connection_->set_as_of(real_env().clock->now()));
  EXPECT_NE(rows("select count(*) from files.t").find("attachment files has no past"), std::string::npos);
  ASSERT_TRUE(connection_->set_as_of(std::nullopt));
  EXPECT_EQ(rows("select count(*) from files.t"), "3000\n");
}

TEST_F(OutsideTest, AFileThatChangesIsReadAnew) {
  EXPECT_EQ(rows("select count(*) from files.sheet"), "10\n");
  std::ofstream(outside_ / "t.csv") << "id,name,more\n1,a,x\n2,b,y\n";
  EXPECT_EQ(rows("select * from files.sheet"), "1|a\n2|b\n")
      << "columns are kept for some seconds, rows are not";
  std::ofstream(outside_ / "t.csv") << "id\n1\n";
  EXPECT_EQ(rows("select id from files.sheet"), "1\n");
  EXPECT_NE(rows("select name from files.sheet").find("attachment files: "), std::string::npos);
}

TEST(ScrubberTest, NoSecretAndOneLine) {
  outside::Scrubber scrubber;
  scrubber.add("pass word");
  scrubber.add("");
  EXPECT_EQ(scrubber.scrub("a pass word\n\tb 'pass word'  c\n"), "a *** b '***' c");
  const std::string wide = scrubber.scrub(std::string(299, 'x') + "é" + std::string(50, 'y'));
  EXPECT_EQ(wide, std::string(299, 'x') + " …");
  EXPECT_EQ(scrubber.scrub("a\xFF"
                           "b"),
            "a\xEF\xBF\xBD"
            "b");
}

}  // namespace
}  // namespace tarn::engine
