// Goal: whatever a model reads is made before it and known as its lineage, also without ref(): plain names,
// views and macros of the lake, attachments. Method: real projects over a real lake.
#include "model/model_fixture.h"

namespace tarn::model {
namespace {

class PlainReadsTest : public ModelFixture {
 protected:
  void SetUp() override {
    ModelFixture::SetUp();
    open_lake();
    for (const char* name : {"shop", "partner"}) {
      config_.attachments.push_back({.name = name,
                                     .kind = std::string(name) == "shop" ? "postgres" : "iceberg",
                                     .place = {},
                                     .settings = {},
                                     .tables = {},
                                     .locations = {}});
    }
  }

  std::shared_ptr<const ModelProject> project() {
    auto head = lake_->catalog().head();
    EXPECT_TRUE(head) << head.error().message;
    options_.lake = *head;
    auto made = load_project();
    EXPECT_TRUE(mistakes_.empty()) << to_string(mistakes_.front());
    return made;
  }

  // "a,b" of the task.
  std::string upstream(const std::string& name) {
    for (const auto& task : model_tasks(project())) {
      if (task->name() == name) {
        return fmt::format("{}", fmt::join(task->upstream(), ","));
      }
    }
    return "no task";
  }

  std::string outside(const std::string& name) {
    for (const auto& task : model_tasks(project())) {
      if (task->name() == name) {
        return fmt::format("{}", fmt::join(task->reads_outside(), ","));
      }
    }
    return "no task";
  }
};

TEST_F(PlainReadsTest, PlainNamesOrderModels) {
  write("models/a.sql", "{{ config(alias='first') }} select 1 as id");
  write("models/b.sql", "with c as (select 2 as id) select id from First union all select id from c");
  write("models/c.sql", "select * from lake.public.b");
  write("models/d.sql", "{{ config(schema='x') }} select id from {{ ref('c') }}");
  write("models/e.sql", "{{ config(materialized='ephemeral') }} select id from public_x.d");
  write("models/f.sql", "select id from {{ ref('e') }}");
  EXPECT_EQ(upstream("b"), "a");
  EXPECT_EQ(upstream("c"), "b");
  EXPECT_EQ(upstream("d"), "c");
  EXPECT_EQ(upstream("f"), "d");
  run_well();
  EXPECT_EQ(rows("select sum(id) from f"), "3");
}

TEST_F(PlainReadsTest, ViewsAndMacrosOfTheLakeAreLookedThrough) {
  sql("create table z_base as select 1 as id");
  sql("create macro rows_of(least) as table select id from z_base where id >= least");
  sql("create schema tools");
  sql("create macro tools.most() as (select max(id) from rows_of(0))");
  sql("create view seen as select tools.most() as id");
  write("models/z_base.sql", "{{ config(materialized='table') }} select 7 as id");
  write("models/a.sql", "{{ config(materialized='table') }} select * from rows_of(1)");
  write("models/b.sql", "{{ config(materialized='table') }} select tools.most() as id");
  write("models/c.sql", "{{ config(materialized='table') }} select id from seen");
  for (const char* name : {"a", "b", "c"}) {
    EXPECT_EQ(upstream(name), "z_base") << name;
  }
  run_well();
  EXPECT_EQ(rows("select (select id from a), (select id from b), (select id from c)"), "7|7|7");
}

TEST_F(PlainReadsTest, TablesThatNoTaskMakesAreRecordedWithTheirVersions) {
  sql("create table people as select 1 as id");
  sql("create macro everybody() as table select id from people");
  write("models/a.sql", "{{ config(materialized='table') }} select * from everybody()");
  EXPECT_EQ(upstream("a"), "");
  run_well();
  ASSERT_EQ(reports_["a"].versions.size(), 2U);
  const auto& read = reports_["a"].versions[reports_["a"].versions[0].written ? 1 : 0];
  EXPECT_EQ(read.table, "public.people");
  EXPECT_NE(read.snapshot_id, 0);
}

TEST_F(PlainReadsTest, AReadThatWouldCloseACircleFindsWhatTheRunBeforeLeft) {
  sql("create table b as select 1 as id");
  write("models/a.sql", "{{ config(materialized='table') }} select id + 1 as id from b");
  write("models/b.sql", "{{ config(materialized='table') }} select id * 10 as id from {{ ref('a') }}");
  write("models/c.sql", "{{ config(materialized='table') }} select id from c union all select 5");
  sql("create table c as select 4 as id");
  EXPECT_EQ(upstream("a"), "");
  EXPECT_EQ(upstream("b"), "a");
  EXPECT_EQ(upstream("c"), "");
  run_well();
  EXPECT_EQ(rows("select id from b"), "20");
  EXPECT_EQ(rows("select count(*) from c"), "2");
}

TEST_F(PlainReadsTest, SourcesGoFirstUnlessTheyComeAfter) {
  options_.sources = {
      {.name = "feed", .writes = {{"public", "raw"}}, .after = {}, .reads = {}},
      {.name = "prices", .writes = {{"public", "prices"}}, .after = {}, .reads = {"public.goods"}}};
  write("models/a.sql", "select * from raw");
  write("models/goods.sql", "select * from prices");
  EXPECT_EQ(upstream("a"), "feed");
  EXPECT_EQ(upstream("goods"), "");  // prices asks for each of the goods
}

TEST_F(PlainReadsTest, ATestOfPlainNamesRunsAfterThem) {
  write("models/a.sql", "select 1 as id");
  write("models/b.sql", "select 1 as id");
  write("tests/both.sql", "select id from a where id not in (select id from b)");
  EXPECT_EQ(upstream("both"), "a,b");
}

TEST_F(PlainReadsTest, AttachmentsAreLineage) {
  write("models/sources.yml",
        "sources:\n  - name: erp\n    database: shop\n    tables: [{name: customers}]\n"
        "  - name: friends\n    database: partner\n    schema: sales\n    tables: [{name: people, columns: "
        "[{name: id, data_tests: [not_null]}]}]\n");
  write("models/a.sql", "select id from shop.orders");
  write("models/b.sql", "select id from \"partner\".\"Sales\".\"T\" join shop.orders using (id)");
  write("models/d.sql",
        "select id from {{ source('erp', 'customers') }} join {{ source('friends', 'people') }} using (id)");
  write("models/e.sql", "{{ config(materialized='ephemeral') }} select id from partner.x");
  write("models/f.sql", "select id from {{ ref('e') }} where id in (select id from shop)");
  write("tests/t.sql", "select 1 from shop.public.orders where id is null");
  EXPECT_EQ(outside("a"), "shop.public.orders");
  EXPECT_EQ(outside("b"), "partner.Sales.T,shop.public.orders");
  EXPECT_EQ(outside("d"), "partner.sales.people,shop.public.customers");
  EXPECT_EQ(outside("f"), "partner.default.x");
  EXPECT_EQ(outside("t"), "shop.public.orders");
  EXPECT_EQ(outside("not_null_source_people_id"), "partner.sales.people");
  auto compiled = compile(*project(), "d", false);
  ASSERT_TRUE(compiled) << compiled.error().message;
  EXPECT_NE(compiled->sql.find("\"shop\".\"public\".\"customers\""), std::string::npos) << compiled->sql;
}

}  // namespace
}  // namespace tarn::model
