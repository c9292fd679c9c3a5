// Goal: values of a flow reach texts and SQL as values, never as text that is read again. Method: references
// of every kind, with values that try to be more.
#include "flowfile/scope.h"

#include <gmock/gmock.h>

namespace tarn::flowfile {
namespace {

using testing::ElementsAre;

class ScopeTest : public testing::Test {
 protected:
  ScopeTest() {
    results_.put("count", Json::parse(R"({"n": 3, "x": 1.5, "ok": true, "s": "a'b", "l": [{"id": 7}]})"));
  }

  Scope scope() {
    return {.parameters = parameters_,
            .row = &row_,
            .results = results_,
            .run = run_,
            .vars = vars_,
            .resolve_secret = [](const std::string&) { return Result<std::string>(std::string("hush")); }};
  }
  std::string filled(const std::string& text) {
    const auto pieces = parse_text(text);
    EXPECT_TRUE(pieces);
    const auto done = fill({.text = text, .place = {}, .pieces = *pieces}, scope());
    return done ? done->text : "error: " + done.error().message;
  }

  std::vector<engine::Parameter> parameters_ = {
      {.text = "2026-11-21", .type = "DATE", .name = "day"},
      {.text = std::nullopt, .type = "VARCHAR", .name = "list", .list = std::vector<std::string>{"a", "b"}}};
  Json row_ = {{"Region", "north ${env:SECRET}"}, {"n", nullptr}};
  Results results_;
  RunFacts run_{.id = "r1", .schedule = "nightly"};
  std::map<std::string, std::string> vars_ = {{"api", "https://x.org"}};
};

TEST_F(ScopeTest, TextsAreFilledOnce) {
  EXPECT_EQ(filled("${var:api}/${day}?n=${count.n}&id=${count.l.0.id}"), "https://x.org/2026-11-21?n=3&id=7");
  EXPECT_EQ(filled("${row.region}"), "north ${env:SECRET}");  // what is put in names no secret
  EXPECT_EQ(filled("<${row.n}> ${run.schedule} ${env:KEY} $${day} $day {day}"),
            "<> nightly hush ${day} $day {day}");
  EXPECT_EQ(
      filled("${count.nothing}"),
      "error: ${count.nothing} has no value here: the result has no such field, or the task was left out");
}

TEST_F(ScopeTest, SecretsAreNotShown) {
  const auto pieces = parse_text("Bearer ${env:KEY}");
  const auto done = fill({.text = "", .place = {}, .pieces = *pieces}, scope());
  ASSERT_TRUE(done);
  EXPECT_EQ(done->shown, "Bearer ${env:KEY}");
  EXPECT_THAT(done->secrets, ElementsAre("hush"));
  EXPECT_EQ(scrub("it says hush, hush", done->secrets), "it says ***, ***");
}

TEST_F(ScopeTest, ValuesKeepTheirTypeInSql) {
  const auto sql =
      parse_sql("select $count.n, $count.x, $count.ok, $count.s, $row.n, $count.l, '$count.n' -- $count.n");
  EXPECT_EQ(sql.text,
            "select $count_n, $count_x, $count_ok, $count_s, $row_n, $count_l, '$count.n' -- $count.n");
  const auto bound = bound_values(sql.references, scope());
  std::vector<std::string> types;
  for (const auto& one : bound)
    types.push_back(one.name + " " + one.type + " " + one.text.value_or("-"));
  EXPECT_THAT(types, ElementsAre("day DATE 2026-11-21", "list VARCHAR -", "count_n BIGINT 3",
                                 "count_x DOUBLE 1.5", "count_ok BOOLEAN true", "count_s VARCHAR a'b",
                                 "row_n NULL -", R"(count_l VARCHAR [{"id":7}])"));
}

TEST_F(ScopeTest, JsonBodiesAreValues) {
  const auto node = codec::parse_yaml(
      "{rows: \"${count.n}\", text: \"n=${count.n}\", name: \"${row.region}\", n: 4, s: '4', t: true, l: [1, "
      "\"${day}\"]}",
      "x");
  ASSERT_TRUE(node);
  std::vector<std::string> secrets;
  const auto json = fill_json(*node, scope(), secrets);
  ASSERT_TRUE(json) << json.error().message;
  EXPECT_EQ(*json, Json::parse(R"({"rows": 3, "text": "n=3", "name": "north ${env:SECRET}", "n": 4, "s": "4",
                                   "t": true, "l": [1, "2026-11-21"]})"));
}

TEST(SqlReferenceTest, QuotesAndCommentsAreLeftAlone) {
  const auto names = [](std::string_view sql) {
    std::vector<std::string> all;
    for (const auto& one : parse_sql(sql).references)
      all.push_back(one.shown());
    return all;
  };
  EXPECT_THAT(names("select '$a' || \"$b\" || $$ $c $$ || $t$ $d $t$ /* $e */ || $f.g"), ElementsAre("f.g"));
  EXPECT_THAT(names("select 'it''s $a' || $b"), ElementsAre("b"));
  EXPECT_THAT(names("select x$y, $1, $z."), ElementsAre("z"));
  EXPECT_THAT(names("select '$a"), ElementsAre());
}

TEST(RowJsonTest, NumbersAreNumbersAndTheRestIsText) {
  engine::TextBatch batch{.rows = 1};
  const std::vector<engine::Column> columns = {{"i", "BIGINT"},  {"d", "DECIMAL(18,3)"}, {"f", "DOUBLE"},
                                               {"b", "BOOLEAN"}, {"t", "DATE"},          {"z", "INTEGER"}};
  for (const auto* text : {"9007199254740993", "12.500", "nan", "true", "2026-11-21", ""})
    batch.columns.push_back({.text = {text}, .null = {text[0] == 0}});
  EXPECT_EQ(row_json(columns, batch, 0).dump(),
            R"({"b":true,"d":12.5,"f":"nan","i":9007199254740993,"t":"2026-11-21","z":null})");
}

}  // namespace
}  // namespace tarn::flowfile
