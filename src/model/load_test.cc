// Goal: dbt's layout is read as dbt reads it, and every mistake has its place and remedy.
// Method: small projects in a temporary folder; no lake is opened.
#include <gmock/gmock.h>

#include "model/model_fixture.h"

namespace tarn::model {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class LoadTest : public ModelFixture {
 protected:
  std::string compiled(const std::string& name, bool incremental = false) {
    auto project = load_project();
    for (const auto& one : mistakes_) {
      ADD_FAILURE() << to_string(one);
    }
    auto made = compile(*project, name, incremental);
    return made ? made->sql : "! " + made.error().message;
  }
};

TEST_F(LoadTest, EmptyProject) {
  EXPECT_EQ(mistakes(), "");
  EXPECT_TRUE(model_tasks(load_project()).empty());
}

TEST_F(LoadTest, ConfigurationWins) {
  write("dbt_project.yml",
        "name: home\nmodels:\n  home:\n    +materialized: table\n    +tags: [all]\n    marts:\n      "
        "+materialized: "
        "incremental\n      +tags: mart\n");
  write("models/a.sql", "select 1 as x");
  write("models/marts/b.sql", "select 1 as x");
  write("models/marts/c.sql", "{{ config(materialized='view', tags='own') }} select 1 as x");
  write("models/marts/p.yml", "models:\n  - name: b\n    config: {materialized: ephemeral, tags: [yaml]}\n");
  auto project = load_project();
  ASSERT_TRUE(mistakes_.empty()) << to_string(mistakes_[0]);
  EXPECT_EQ(project->find("a")->config.materialized, "table");
  EXPECT_EQ(project->find("b")->config.materialized, "ephemeral");
  EXPECT_EQ(project->find("c")->config.materialized, "view");
  EXPECT_THAT(project->find("b")->config.tags, ElementsAre("all", "mart", "yaml"));
  EXPECT_THAT(project->find("c")->config.tags, ElementsAre("all", "mart", "own"));
}

TEST_F(LoadTest, EdgesOfRefsSourcesAndIncrementalParts) {
  options_.sources = {{"weather", {{"public", "raw_weather"}}, {"cities"}}};
  write("seeds/cities.csv", "a\n1\n");
  write("models/s.yml", "sources: [{name: w, tables: [{name: raw_weather}]}]\n");
  write("models/stg.sql", "select * from {{ source('w', 'raw_weather') }}");
  write("models/direct.sql", "select * from {{ source('weather') }}");
  write("models/eph.sql", "{{ config(materialized='ephemeral') }} select * from {{ ref('stg') }}");
  write("models/m.sql",
        "{{ config(materialized='incremental') }} select * from {{ ref('eph') }} {% if is_incremental() %}"
        "join {{ ref('cities') }} using (a){% endif %}");
  auto project = load_project();
  ASSERT_TRUE(mistakes_.empty()) << to_string(mistakes_[0]);
  EXPECT_THAT(project->find("stg")->upstream, ElementsAre("weather"));
  EXPECT_THAT(project->find("direct")->upstream, ElementsAre("weather"));
  EXPECT_THAT(project->find("m")->upstream, ElementsAre("cities", "stg"));
}

TEST_F(LoadTest, CompiledText) {
  config_.vars["least"] = "5";
  write("macros/m.sql", "{% macro cents(x) %}({{ x }} / 100){% endmacro %}");
  write("models/a.sql", "select 1 as v");
  write("models/e1.sql", "{{ config(materialized='ephemeral') }}select * from {{ ref('a') }}");
  write("models/e2.sql", "{{ config(materialized='ephemeral') }}select * from {{ ref('e1') }};");
  write("models/m.sql",
        "select {{ cents('v') }} as v from {{ ref('e2') }} where v > {{ var('least') }} and "
        "'{{ target.name }}' = '{{ env_var('TARN_SURELY_NOT_SET', 'dev') }}'{% if is_incremental() %} and "
        "this = "
        "'{{ this }}'{% endif %} ; \n");
  EXPECT_EQ(
      compiled("m"),
      "with __dbt__cte__e1 as (\nselect * from \"public\".\"a\"\n),\n__dbt__cte__e2 as (\nselect * from "
      "__dbt__cte__e1\n)\nselect (v / 100) as v from __dbt__cte__e2 where v > 5 and 'dev' = 'dev'");
  EXPECT_THAT(compiled("m", true), HasSubstr("and this = '\"public\".\"m\"'"));
}

TEST_F(LoadTest, CteIntoItsOwnWith) {
  write("models/e.sql", "{{ config(materialized='ephemeral') }}select 1 as a");
  write("models/m.sql", "/* c */ -- d\nWITH recursive x as (select 1) select * from x, {{ ref('e') }}");
  EXPECT_EQ(
      compiled("m"),
      "/* c */ -- d\nWITH recursive __dbt__cte__e as (\nselect 1 as a\n),\nx as (select 1) select * from x, "
      "__dbt__cte__e");
}

TEST_F(LoadTest, MistakesInModels) {
  write("models/orders.sql", "select 1 as a");
  write("models/a.sql", "select *\nfrom {{ ref('order') }}");
  write("models/b.sql", "select {{ var('nothing') }}");
  write("models/c.sql", "{{ config(materialised='table') }} select 1");
  write("models/d.sql", "{{ config(\n  materialized='tabel') }} select 1");
  write("models/e.sql", "select * from {{ source('raw', 'x') }}");
  write("models/f.sql", "select {{ env_var('TARN_SURELY_NOT_SET') }}");
  write("models/g.sql", "{% if true %}");
  write("models/h.sql", "{{ config(incremental_strategy='merge') }} select 1");
  std::string all = mistakes();
  EXPECT_THAT(all,
              HasSubstr("models/a.sql:2:9: there is no model or seed 'order': did you mean 'orders'?\n"));
  EXPECT_THAT(
      all,
      HasSubstr("models/b.sql:1:11: there is no variable 'nothing'; set it under 'vars:' in tarn.yml\n"));
  EXPECT_THAT(
      all,
      HasSubstr("models/c.sql:1:24: unknown configuration 'materialised': did you mean 'materialized'?\n"));
  EXPECT_THAT(all, HasSubstr("models/d.sql:2:16: 'materialized' cannot be 'tabel': did you mean 'table'?\n"));
  EXPECT_THAT(all, HasSubstr("models/e.sql:1:18: there is no source 'raw'; write sources/raw.yml"));
  EXPECT_THAT(all, HasSubstr("models/f.sql:1:11: the environment has no variable 'TARN_SURELY_NOT_SET'"));
  EXPECT_THAT(all, HasSubstr("models/g.sql:1:1: this if is never closed; write {% endif %}\n"));
  EXPECT_THAT(all, HasSubstr("models/h.sql:1:32: the strategy 'merge' needs unique_key\n"));
}

TEST_F(LoadTest, MistakesInYaml) {
  write("models/a.sql", "select 1 as id");
  write("models/p.yml",
        "models:\n  - name: a\n    colums: []\n    columns:\n      - name: id\n        data_tests:\n         "
        " - uniqe\n"
        "          - accepted_values\n          - relationships: {to: ref('b'), field: x}\n"
        "          - unique: {config: {severity: bad}}\n  - name: aa\n  - name: a\n");
  write("models/q.yml", "models:\n - name: [\n");
  std::string all = mistakes();
  EXPECT_THAT(all, HasSubstr("models/p.yml:3:5: unknown key 'colums': did you mean 'columns'?\n"));
  EXPECT_THAT(all, HasSubstr("models/p.yml:7:13: there is no test 'uniqe': did you mean 'unique'?\n"));
  EXPECT_THAT(all, HasSubstr("models/p.yml:8:13: the test 'accepted_values' needs 'values'\n"));
  EXPECT_THAT(all, HasSubstr("models/p.yml:9:13: there is no model or seed 'b'"));
  EXPECT_THAT(all, HasSubstr("'severity' cannot be 'bad'"));
  EXPECT_THAT(all, HasSubstr("models/p.yml:11:5: there is no model 'aa': did you mean 'a'?\n"));
  EXPECT_THAT(
      all, HasSubstr("models/p.yml:12:5: 'a' is described already at models/p.yml:2:5; keep one of them\n"));
  EXPECT_THAT(all, HasSubstr("models/q.yml:"));
}

TEST_F(LoadTest, CyclesAndDoubles) {
  write("models/a.sql", "select * from {{ ref('c') }}");
  write("models/b.sql", "select * from {{ ref('a') }}");
  write("models/c.sql", "select * from {{ ref('b') }}");
  write("models/x/d.sql", "select 1 as a");
  write("models/y/d.sql", "select 1 as a");
  write("models/e.sql", "{{ config(alias='d') }} select 1 as a");
  std::string all = mistakes();
  EXPECT_THAT(
      all,
      HasSubstr("models/a.sql: models read each other in a circle: a -> c -> b -> a; take one ref out\n"));
  EXPECT_THAT(all, HasSubstr("models/y/d.sql: 'd' exists already as models/x/d.sql; rename one of them\n"));
  EXPECT_THAT(
      all,
      HasSubstr("models/e.sql: writes the table public.d, and so does models/x/d.sql; give one an alias\n"));
}

TEST_F(LoadTest, DisabledModels) {
  write("models/a.sql", "{{ config(enabled=false) }} select 1 as a");
  write("models/b.sql", "select * from {{ ref('a') }}");
  EXPECT_EQ(mistakes(), "models/b.sql: reads 'a', which is disabled; enable it or take the ref out\n");
}

TEST_F(LoadTest, DbtProjectFile) {
  write(
      "dbt_project.yml",
      "name: shop\nversion: '1.0'\nprofile: x\nmodel-paths: [transform]\nvars:\n  shop: {n: 3}\n  s: 'text'\n"
      "modles: {}\nmodels:\n  shop:\n    +materialised: table\non-run-end: ['select 1']\n");
  write("transform/a.sql", "select {{ var('n') + 1 }} as n, '{{ var('s') }}' as s");
  std::string all = mistakes();
  EXPECT_THAT(all, HasSubstr("dbt_project.yml:8:1: unknown key 'modles': did you mean 'models'?\n"));
  EXPECT_THAT(
      all, HasSubstr(
               "dbt_project.yml:11:5: unknown configuration 'materialised': did you mean 'materialized'?\n"));
  EXPECT_THAT(all, HasSubstr("'on-run-end' is not supported yet; take it out\n"));
  auto project = load_project();
  EXPECT_EQ(compile(*project, "a", false)->sql, "select 4 as n, 'text' as s");
}

TEST_F(LoadTest, StandAloneTestsHoldBackWhatComesAfterAllTheyRead) {
  write("models/a.sql", "select 1 as x");
  write("models/b.sql", "select 1 as x");
  write("models/c.sql", "select * from {{ ref('a') }} join {{ ref('b') }} using (x)");
  write("models/p.yml",
        "models: [{name: a, columns: [{name: x, tests: [{relationships: {to: ref('b'), field: x}}, "
        "unique]}]}]\n");
  auto project = load_project();
  ASSERT_TRUE(mistakes_.empty()) << to_string(mistakes_[0]);
  EXPECT_THAT(project->find("c")->upstream, ElementsAre("a", "b", "relationships_a_x__ref__b____x"));
  EXPECT_EQ(project->find("a")->tests.size(), 1u);
  EXPECT_EQ(model_tasks(project).size(), 4u);
}

TEST_F(LoadTest, MacroMistakesNameBothPlaces) {
  write("macros/m.sql", "{% macro f(x) %}\n{{ x.y }}{{ nowhere }}\n{% endmacro %}");
  write("models/a.sql", "select\n {{ f({'y': 1}) }}");
  EXPECT_EQ(mistakes(), "macros/m.sql:2:13: nothing is called 'nowhere' here (called at models/a.sql:2:5)\n");
}

}  // namespace
}  // namespace tarn::model
