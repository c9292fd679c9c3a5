// Goal: each materialisation gives the right rows, and a failing test publishes nothing.
// Method: small projects in a temporary folder, built in a real lake, read back through a session.
#include <thread>

#include <gmock/gmock.h>

#include "model/model_fixture.h"

namespace tarn::model {
namespace {

using testing::HasSubstr;

class BuildTest : public ModelFixture {
 protected:
  void SetUp() override {
    ModelFixture::SetUp();
    open_lake();
  }
};

TEST_F(BuildTest, TableViewSeedEphemeral) {
  write("seeds/cities.csv", "city,people,since\nDelft,106000,1246-04-15\n\"The, Hague\",,1230-01-01\n");
  write("models/big.sql",
        "{{ config(materialized='ephemeral') }}\nselect * from {{ ref('cities') }} where people > 5");
  write("models/v.sql", "select city from {{ ref('cities') }}");
  write("models/t.sql",
        "-- first a comment\n{{ config(materialized='table') }}\nwith x as (select 1 as one)\n"
        "select b.city, b.people + x.one as people from {{ ref('big') }} b, x;\n");
  run_well();
  EXPECT_EQ(rows("select * from cities order by people"),
            "Delft|106000|1246-04-15;The, Hague|null|1230-01-01");
  EXPECT_EQ(rows("select typeof(people), typeof(since) from cities limit 1"), "BIGINT|DATE");
  EXPECT_EQ(rows("select * from t"), "Delft|106001");
  EXPECT_EQ(rows("select * from v order by 1"), "Delft;The, Hague");
  EXPECT_EQ(reports_["t"].counts.rows_written, 1);
  EXPECT_THAT(reports_["t"].compiled_sql, HasSubstr("with __dbt__cte__big as ("));
  ASSERT_EQ(reports_["t"].versions.size(), 2u);
  EXPECT_EQ(reports_["t"].versions[0].table, "public.cities");
  EXPECT_NE(reports_["t"].versions[0].snapshot_id, 0);
  EXPECT_TRUE(reports_["t"].versions[1].written);
  EXPECT_NE(reports_["t"].versions[1].snapshot_id, 0);
  EXPECT_GT(reports_["t"].lake_version, 0);
  EXPECT_TRUE(std::filesystem::is_empty(config_.data_folder + "/seeds"));
}

// A seed is loaded when its file, its way of reading or its table changed, and when asked to.
TEST_F(BuildTest, SeedIsLoadedOnlyWhenItChanged) {
  write("seeds/codes.csv", "code,n\n7,1\n");
  write("seeds/props.yml", "seeds:\n  - name: codes\n    columns: [{name: code, tests: [not_null]}]\n");
  const auto version_after = [&](bool full_refresh) {
    run_well(full_refresh);
    return lake_->catalog().head().value()->number;
  };
  const int64_t first = version_after(false);
  EXPECT_EQ(reports_["codes"].counts.rows_written, 1);
  EXPECT_EQ(version_after(false), first);
  EXPECT_EQ(reports_["codes"].counts.rows_written, 0);
  EXPECT_THAT(log_.lines, testing::Contains(HasSubstr("not loaded again")));

  const int64_t refreshed = version_after(true);
  EXPECT_GT(refreshed, first);
  write("seeds/codes.csv", "code,n\n8,1\n");
  const int64_t other_bytes = version_after(false);
  EXPECT_GT(other_bytes, refreshed);
  EXPECT_EQ(rows("select * from codes"), "8|1");

  write("seeds/props.yml", "seeds:\n  - name: codes\n    config: {column_types: {code: varchar}}\n");
  EXPECT_GT(version_after(false), other_bytes);
  EXPECT_EQ(rows("select typeof(code) from codes"), "VARCHAR");

  sql("insert into codes values ('9', 2)");
  run_well();
  EXPECT_EQ(rows("select * from codes"), "8|1");
  sql("alter table codes drop column n");
  run_well();
  EXPECT_EQ(rows("select * from codes"), "8|1");
  sql("drop table codes");
  run_well();
  EXPECT_EQ(rows("select * from codes"), "8|1");
}

TEST_F(BuildTest, SeedTypesAndMistakes) {
  write("seeds/codes.csv", "code;n\n007;1\n");
  write("seeds/props.yml",
        "seeds:\n  - name: codes\n    config:\n      delimiter: ';'\n      column_types: {code: varchar}\n");
  write("seeds/bad.csv", "a,b\n1,2\n3,4,5\n");
  run();
  EXPECT_EQ(rows("select * from codes"), "007|1");
  EXPECT_EQ(errors_.count("codes"), 0u);
  EXPECT_THAT(errors_["bad"], HasSubstr("seeds/bad.csv:3: line 3 has 3 columns instead of 2: 3,4,5"));
  EXPECT_THAT(errors_["bad"], testing::Not(HasSubstr(root_)));
}

TEST_F(BuildTest, KindChanges) {
  write("models/m.sql", "select 1 as a");
  run_well();
  write("models/m.sql", "{{ config(materialized='table') }} select 2 as a");
  run_well();
  EXPECT_EQ(rows("select * from m"), "2");
  write("models/m.sql", "select 3 as a");
  run_well();
  EXPECT_EQ(rows("select * from m"), "3");
}

TEST_F(BuildTest, SchemaAndAlias) {
  write("dbt_project.yml",
        "name: home\nmodels:\n  home:\n    staging:\n      +schema: staging\n      +materialized: table\n");
  write("models/staging/stg_a.sql", "{{ config(alias='a') }} select 1 as x");
  write("models/b.sql", "select x + 1 as y from {{ ref('stg_a') }}");
  run_well();
  EXPECT_EQ(rows("select x from public_staging.a"), "1");
  EXPECT_EQ(rows("select y from b"), "2");
}

TEST_F(BuildTest, AppendAndFullRefresh) {
  write("models/m.sql",
        "{{ config(materialized='incremental') }}\nselect {{ 1 if is_incremental() else 0 }} as again");
  run_well();
  EXPECT_EQ(rows("select again from m"), "0");
  run_well();
  EXPECT_EQ(rows("select again from m order by 1"), "0;1");
  run_well(true);
  EXPECT_EQ(rows("select again from m"), "0");
}

// Three files; the new rows touch one of them, and one has a null key.
class ByKeyTest : public BuildTest {
 protected:
  void start(const std::string& strategy) {
    sql("create table feed (batch int, id int, part varchar, v int)");
    sql("insert into feed values (1, 1, 'a', 10), (1, 2, 'a', 20), (1, 3, 'b', 30)");
    write("models/m.sql",
          "{{ config(materialized='incremental', unique_key=['id', 'part'], incremental_strategy='" +
              strategy +
              "') }}\nselect id, part, v from {{ source('in', 'feed') }}\n"
              "where batch = {{ var('batch') }}");
    write("models/s.yml", "sources:\n  - name: in\n    tables: [{name: feed}]\n");
    batch(1);
    sql("insert into m values (50, 'z', 500)");  // a second file, which no later batch touches
  }
  void batch(int number) {
    config_.vars["batch"] = std::to_string(number);
    run();
  }
  std::string table() { return rows("select id, part, v from m order by id nulls last, part, v"); }
};

TEST_F(ByKeyTest, MergeReplacesKeysAndKeepsTheRest) {
  start("merge");
  std::string untouched = rows("select distinct filename from m where id = 50");
  sql("insert into feed values (2, 2, 'a', 21), (2, 2, 'b', 22), (2, 4, 'a', 40), (2, null, 'a', 1)");
  batch(2);
  EXPECT_EQ(errors_["m"], "");
  EXPECT_EQ(table(), "1|a|10;2|a|21;2|b|22;3|b|30;4|a|40;50|z|500;null|a|1");
  EXPECT_EQ(reports_["m"].counts.rows_written, 4);
  EXPECT_EQ(rows("select distinct filename from m where id = 50"), untouched);
  batch(2);  // again: the same keys replace themselves, the null key is added
  EXPECT_EQ(table(), "1|a|10;2|a|21;2|b|22;3|b|30;4|a|40;50|z|500;null|a|1;null|a|1");
}

TEST_F(ByKeyTest, MergeRefusesDoubleKeys) {
  start("merge");
  sql("insert into feed values (2, 2, 'a', 21), (2, 2, 'a', 22)");
  batch(2);
  EXPECT_EQ(errors_["m"],
            "models/m.sql: the new rows hold the key (id=2, part=a) 2 times; make unique_key unique in the "
            "model, or "
            "use the strategy 'delete+insert'");
  EXPECT_EQ(table(), "1|a|10;2|a|20;3|b|30;50|z|500");
}

TEST_F(ByKeyTest, DeleteInsertTakesDoubles) {
  start("delete+insert");
  sql("insert into feed values (2, 2, 'a', 21), (2, 2, 'a', 22)");
  batch(2);
  EXPECT_EQ(errors_["m"], "");
  EXPECT_EQ(table(), "1|a|10;2|a|21;2|a|22;3|b|30;50|z|500");
}

class SchemaChangeTest : public BuildTest {
 protected:
  std::string second(const std::string& policy) {
    std::string head = "{{ config(materialized='incremental', on_schema_change='" + policy + "') }} ";
    write("models/m.sql", head + "select 1 as a, 2 as b");
    run_well();
    write("models/m.sql", head + "select 3 as a, 4 as c");
    run();
    return errors_["m"];
  }
};

TEST_F(SchemaChangeTest, Fail) {
  EXPECT_EQ(second("fail"),
            "models/m.sql: its columns changed (new: c; gone: b); run it with --full-refresh, or set "
            "on_schema_change='append_new_columns'");
}

TEST_F(SchemaChangeTest, Ignore) {
  EXPECT_THAT(second("ignore"), HasSubstr("the column 'b' of the table is gone from the model"));
}

TEST_F(SchemaChangeTest, AppendNewColumns) {
  EXPECT_EQ(second("append_new_columns"), "");
  EXPECT_EQ(rows("select a, b, c from m order by a"), "1|2|null;3|null|4");
}

TEST_F(SchemaChangeTest, SyncAllColumns) {
  EXPECT_EQ(second("sync_all_columns"), "");
  EXPECT_EQ(rows("select * from m order by a"), "1|null;3|4");
}

TEST_F(BuildTest, AFailingTestKeepsTheFormerVersion) {
  write("models/m.sql", "{{ config(materialized='table') }} select 1 as id, 'ok' as state");
  write("models/m.yml",
        "models:\n  - name: m\n    columns:\n      - name: id\n        data_tests: [unique, not_null]\n"
        "      - name: state\n        data_tests:\n          - accepted_values: {values: [ok, late]}\n");
  run_well();
  write("models/m.sql",
        "{{ config(materialized='table') }} select * from (values (1, 'ok'), (1, 'bad'), (2, 'late')) t(id, "
        "state)");
  run();
  EXPECT_EQ(
      errors_["m"],
      "models/m.sql: 2 of 3 tests failed, the former version stays: unique_m_id: 1 row fails: "
      "(unique_field=1, "
      "n_records=2); accepted_values_m_state____ok____late__: 1 row fails: (value_field=bad, n_records=1)");
  EXPECT_EQ(rows("select * from m"), "1|ok");
}

TEST_F(BuildTest, AFailingFirstBuildPublishesNothing) {
  write("models/m.sql", "select null as id from range(7)");
  write("models/m.yml", "models: [{name: m, columns: [{name: id, tests: [not_null]}]}]\n");
  run();
  EXPECT_THAT(errors_["m"],
              HasSubstr("nothing was published: not_null_m_id: 7 rows fail: (id=null), (id=null)"));
  EXPECT_THAT(rows("select * from m"), HasSubstr("! "));
}

TEST_F(BuildTest, SeverityThresholdsAndWhere) {
  write("models/m.sql", "select range as id, null as n from range(10)");
  write("models/m.yml",
        "models:\n  - name: m\n    columns:\n      - name: n\n        data_tests:\n"
        "          - not_null: {config: {severity: warn}}\n"
        "          - not_null: {name: few, config: {error_if: '> 20', warn_if: '> 20'}}\n"
        "          - not_null: {name: narrowed, config: {where: 'id > 100'}}\n");
  run_well();
  ASSERT_EQ(reports_["m"].warnings.size(), 1u);
  EXPECT_THAT(reports_["m"].warnings[0], HasSubstr("not_null_m_n: 10 rows fail"));
}

TEST_F(BuildTest, RelationshipsSingularAndOwnTests) {
  write("models/city.sql", "{{ config(materialized='table') }} select 'Delft' as name");
  write("models/day.sql",
        "{{ config(materialized='table') }} select 'Gouda' as city, -1 as rain from {{ ref('city') }}");
  write("models/other.sql", "select 1 as x");
  write("models/all.yml",
        "models:\n  - name: day\n    columns:\n      - name: city\n        data_tests:\n"
        "          - relationships: {to: ref('city'), field: name}\n"
        "      - name: rain\n        data_tests: [not_below: {least: 0}]\n");
  write("tests/generic/not_below.sql",
        "{% test not_below(model, column_name, least) %}\nselect * from {{ model }} where {{ column_name }} "
        "< {{ least }}\n"
        "{% endtest %}\n");
  write("tests/rain.sql", "select * from {{ ref('day') }} where rain < 0");
  write("tests/apart.sql", "select * from {{ ref('day') }} d, {{ ref('other') }} o where d.rain > o.x");
  run();
  EXPECT_THAT(errors_["day"], HasSubstr("3 of 3 tests failed"));
  EXPECT_THAT(errors_["day"],
              HasSubstr("relationships_day_city__ref__city____name: 1 row fails: (from_field=Gouda)"));
  EXPECT_THAT(errors_["day"], HasSubstr("rain: 1 row fails: (city=Gouda, rain=-1)"));
  EXPECT_EQ(reports_.count("apart"), 1u)
      << "reads two models that do not depend on each other: a task of its own";
}

TEST_F(BuildTest, ErrorsPointIntoTheModel) {
  write("models/m.sql",
        "{{ config(materialized='table') }}\n{% set names = ['a', 'b'] %}\nselect\n"
        "  {% for n in names %}1 as {{ n }},\n  {% endfor %}\n  missing_column\nfrom (select 1 as x) t\n");
  run();
  EXPECT_THAT(errors_["m"], testing::StartsWith("models/m.sql:6:3: "));
  write("models/m.sql", "select 1 as a,\n  from where x\n");
  run();
  EXPECT_THAT(errors_["m"], testing::StartsWith("models/m.sql:2:"));
}

TEST_F(BuildTest, AModelIsOneSelectAndMayNotReadFiles) {
  write("models/a.sql", "select 1); drop table x; select (1");
  write("models/b.sql", "select 1 as a; select 2 as b");
  write("models/c.sql", "select * from read_csv('/etc/passwd')");
  write("models/d.sql", "{{ config(materialized='incremental') }} select * from '/etc/passwd'");
  run();
  EXPECT_NE(errors_["a"], "");
  EXPECT_EQ(errors_["b"], "models/b.sql: a model must be one SELECT");
  EXPECT_THAT(errors_["c"], HasSubstr("read_csv"));
  EXPECT_NE(errors_["d"], "");
}

TEST_F(BuildTest, TheSameRunAgainDoesNothing) {
  write("models/m.sql", "{{ config(materialized='incremental') }} select 1 as a");
  run_well();
  --runs_;  // as after a crash between the commit and its record
  run_well();
  EXPECT_EQ(rows("select count(*) from m"), "1");
}

// Goal: tasks that run side by side and all make the same new schema all succeed. Method: one thread a task.
TEST_F(BuildTest, SideBySide) {
  for (int i = 0; i < 6; ++i) {
    write(fmt::format("models/m{}.sql", i),
          fmt::format("{{{{ config(materialized='table', schema='new') }}}} select {} as a", i));
  }
  auto project = load_project();
  auto tasks = model_tasks(project);
  ASSERT_EQ(tasks.size(), 6u);
  std::vector<std::string> messages(tasks.size());
  std::vector<std::thread> threads;
  for (size_t i = 0; i < tasks.size(); ++i) {
    threads.emplace_back([&, i] {
      flow::TaskReport report;
      KeptLog log;
      flow::TaskContext context{.env = real_env(),
                                .sessions = *sessions_,
                                .log = log,
                                .cancel = cancel_,
                                .run_id = "side",
                                .data_folder = config_.data_folder,
                                .report = &report,
                                .task_name = tasks[i]->name()};
      auto status = tasks[i]->run(context);
      messages[i] = status ? "" : status.error().message;
    });
  }
  for (auto& thread : threads) {
    thread.join();
  }
  EXPECT_THAT(messages, testing::Each(""));
  for (int i = 0; i < 6; ++i) {
    EXPECT_EQ(rows(fmt::format("select a from public_new.m{}", i)), std::to_string(i));
  }
}

TEST_F(BuildTest, CancelledPublishesNothing) {
  write("models/m.sql", "{{ config(materialized='table') }} select 1 as a");
  cancel_.set();
  run();
  EXPECT_EQ(errors_["m"], "m was cancelled");
  EXPECT_THAT(rows("select * from m"), HasSubstr("! "));
}

TEST_F(BuildTest, HooksPartitionsAndMacros) {
  write("macros/m.sql", "{% macro twice(x) %}({{ x }} * 2){% endmacro %}");
  write("models/m.sql",
        "{{ config(materialized='table', partition_by='part', post_hook=\"create or replace table {{ "
        "this.schema }}.hooked as "
        "select count(*) as n from {{ this }}\") }}\n"
        "select range % 3 as part, {{ twice('range') }} as d from range(9)");
  run_well();
  EXPECT_EQ(rows("select count(distinct filename), sum(d) from m"), "3|72");
  EXPECT_EQ(rows("select n from hooked"), "9");
}

}  // namespace
}  // namespace tarn::model
