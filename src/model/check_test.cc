// Goal: check tells every mistake once, at its own place, on a lake that is empty, older than the text or up
// to date; and is silent about what is right. Method: projects written to a folder, on a real lake.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/model_fixture.h"

namespace tarn::model {
namespace {

class CheckTest : public ModelFixture {
 protected:
  void SetUp() override {
    ModelFixture::SetUp();
    open_lake();
  }
};

TEST_F(CheckTest, BindsAgainstTheLake) {
  sql("create table feed (id int)");
  write("models/s.yml",
        "sources: [{name: in, tables: [{name: feed, columns: [{name: idd, tests: [unique]}]}]}]\n");
  write("models/good.sql", "select id from {{ source('in', 'feed') }}");
  write("models/bad.sql", "select\n  idd\nfrom {{ source('in', 'feed') }}");
  std::string said = "there is no column \"idd\": did you mean \"id\"?\n";
  EXPECT_EQ(checked(),
            "models/bad.sql:2:3: " + said + "models/s.yml:1:74: test unique_source_feed_idd: " + said);
}

TEST_F(CheckTest, BindsModelsOverModelsThatWereNeverBuilt) {
  write("seeds/rooms.csv", "room,floor\nkitchen,1\n");
  write("models/a.sql", "select room, floor + 1 as above from {{ ref('rooms') }}");
  write("models/b.sql", "{{ config(materialized='table') }}\nselect abov from {{ ref('a') }}");
  write("models/c.sql", "select anything from {{ ref('b') }}");  // below a mistake: nothing more to say
  write("models/d.sql", "select a.room from {{ ref('a') }} a join {{ ref('rooms') }} r using (room, flor)");
  EXPECT_EQ(checked(),
            "models/b.sql:2:8: there is no column \"abov\": did you mean \"above\"?\n"
            "models/d.sql: USING names a column \"flor\", which the left side of the join has not\n");
  EXPECT_EQ(rows("select count(*) from information_schema.tables where table_catalog = 'lake'"), "0");
}

TEST_F(CheckTest, TheTextCountsNotWhatTheLakeStillHolds) {
  write("models/a.sql", "{{ config(materialized='table') }} select 1 as old");
  write("models/b.sql", "select old from {{ ref('a') }}");
  run_well();
  EXPECT_EQ(checked(), "");
  write("models/a.sql", "select 1 as fresh");
  EXPECT_EQ(checked(), "models/b.sql:1:8: there is no column \"old\"; there is \"fresh\"\n");
  write("models/b.sql", "select fresh, public.a.fresh as again from {{ ref('a') }}");
  EXPECT_EQ(checked(), "");
  EXPECT_EQ(rows("select old from a"), "1");
}

TEST_F(CheckTest, OneMistakeHidesNoOther) {
  write("models/a.sql",
        "{{ config(materialised='tabel') }}\nselect {{ 1 | uper }}, {{ var('nothing') }}, {{ mony(1) }}\n"
        "from {{ ref('bb') }} join {{ source('feed', 'x') }}\n{% for i in [1] %}{{ i }}{{ loop.index }}{% "
        "endfor %}");
  write("models/b.sql", "selec 1");
  write("models/c.sql", "select 1 as x; select 2");
  write("macros/money.sql", "{% macro money(x) %}{{ x }}{% endmacro %}");
  auto said = checked();
  for (const char* wanted :
       {"models/a.sql:1:24: unknown configuration 'materialised': did you mean 'materialized'?",
        "models/a.sql:1:24: 'materialized' cannot be 'tabel': did you mean 'table'?",
        "models/a.sql:2:15: filter 'uper' is not known: did you mean 'upper'?",
        "models/a.sql:2:27: there is no variable 'nothing'",
        "models/a.sql:2:49: nothing is called 'mony' here: did you mean 'money'?",
        "models/a.sql:3:9: there is no model or seed 'bb': did you mean 'b'?",
        "models/a.sql:3:30: there is no source 'feed'",
        "models/b.sql:1:1: syntax error at or near \"selec\": did you mean SELECT instead of selec?",
        "models/c.sql:1:16: a model must be one SELECT"}) {
    EXPECT_THAT(said, testing::HasSubstr(wanted));
  }
  EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 9) << said;
}

TEST_F(CheckTest, PlacesBehindExpressionsAndInsideMacros) {
  write("macros/money.sql", "\n{% macro money(x) %}\n  round({{ x }} / 100, nope)\n{% endmacro %}");
  write("models/a.sql", "select 1 as id");
  write("models/b.sql", "select {{ 'id, id' }} , {{ 1 }} as x, nmae\nfrom {{ ref('a') }}");
  write("models/c.sql", "select 1,\n  {{ money('id') }} as m from {{ ref('a') }}");
  EXPECT_EQ(checked(),
            "models/b.sql:1:39: there is no column \"nmae\"; there is \"id\"\n"
            "models/c.sql:2:3: there is no column \"nope\"; there is \"id\" (in what macro money at "
            "macros/money.sql:2:1 "
            "writes)\n");
}

TEST_F(CheckTest, ATableOfAModelThatIsNamedPlainlyIsMadeFirst) {
  write("models/a.sql", "select id from z");
  write("models/z.sql", "select 1 as id");
  EXPECT_EQ(checked(), "");
  write("models/a.sql", "select idd from z");
  EXPECT_EQ(checked(), "models/a.sql:1:8: there is no column \"idd\": did you mean \"id\"?\n");
}

TEST_F(CheckTest, ACircleThroughAPlainNameIsToldWhileTheTableIsMissing) {
  write("models/a.sql", "select 1 as id from z");
  write("models/z.sql", "select id from {{ ref('a') }}");
  EXPECT_EQ(checked(),
            "models/a.sql:1:21: 'z' is made by models/z.sql: write {{ ref('z') }} instead, so that it is "
            "made first\n");
}

TEST_F(CheckTest, IncrementalModelsAndEphemeralOnes) {
  write("models/e.sql", "{{ config(materialized='ephemeral') }} select 1 as id, 2 as v");
  write("models/i.sql",
        "{{ config(materialized='incremental') }}\nselect id, v from {{ ref('e') }}\n"
        "{% if is_incremental() %} where v > (select max(w) from {{ this }}){% endif %}");
  EXPECT_EQ(checked(), "");
  write("models/j.sql", "select idd from {{ ref('e') }}");
  EXPECT_EQ(checked(), "models/j.sql:1:8: there is no column \"idd\": did you mean \"id\"?\n");
  write("models/j.sql", "select id from {{ ref('i') }}");
  run();
  EXPECT_EQ(checked(), "models/i.sql:3:49: there is no column \"w\"; there is \"id\"\n");
  write("models/e.sql", "{{ config(materialized='ephemeral') }} select nothing as id, 2 as v");
  EXPECT_THAT(checked(), testing::StartsWith("models/e.sql:1:47: there is no column \"nothing\""));
}

TEST_F(CheckTest, SeedsAreRead) {
  write("seeds/twice.csv", "id,name,id\n1,a,2\n");
  write("seeds/broken.csv", "id,name\n1,\"a\n2,b\n");
  write("models/a.sql", "select nothing from {{ ref('broken') }}");
  auto said = checked();
  EXPECT_THAT(said,
              testing::HasSubstr("seeds/twice.csv:1: two columns are called 'id'; rename one of them\n"));
  EXPECT_THAT(said, testing::HasSubstr("seeds/broken.csv"));
  EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 2) << said;
}

}  // namespace
}  // namespace tarn::model
