// Goal: cells of every kind come out as valid CSV and JSON. Method: DuckDB's texts as they are, parsed back.
#include "serve/rows/row_writer.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "serve/rows/json_value.h"

namespace tarn::serve {
namespace {

std::string json_of(std::string_view type, std::string_view text) {
  std::string out;
  append_json(json_shape_of(type), text, out);
  EXPECT_TRUE(nlohmann::json::accept(out)) << out;
  return out;
}

TEST(JsonValueTest, Leaves) {
  EXPECT_EQ(json_of("BIGINT", "-42"), "-42");
  EXPECT_EQ(json_of("DECIMAL(18,3)", "1.500"), "1.500");
  EXPECT_EQ(json_of("DOUBLE", "1e+20"), "1e+20");
  EXPECT_EQ(json_of("DOUBLE", "-0.5e-7"), "-0.5e-7");
  EXPECT_EQ(json_of("DOUBLE", "nan"), "\"nan\"");
  for (const std::string none : {"-", "1.", "1.2.3", "1e", "1e+", "007", "1-2", "--1", "1 "}) {
    EXPECT_EQ(json_of("DOUBLE", none), "\"" + none + "\"");
  }
  EXPECT_EQ(json_of("DOUBLE", "-inf"), "\"-inf\"");
  EXPECT_EQ(json_of("BOOLEAN", "true"), "true");
  EXPECT_EQ(json_of("VARCHAR", "42"), "\"42\"");
  EXPECT_EQ(json_of("VARCHAR", "a\"b\n\xff"), "\"a\\\"b\\n\xef\xbf\xbd\"");
  EXPECT_EQ(json_of("DATE", "2026-01-02"), "\"2026-01-02\"");
  EXPECT_EQ(json_of("JSON", "{\"a\": [1]}"), "{\"a\": [1]}");
  EXPECT_EQ(json_of("JSON", std::string("1\0x", 3)), "\"1\\u0000x\"");
  EXPECT_EQ(json_of("JSON", "{broken"), "\"{broken\"");
}

TEST(JsonValueTest, Nested) {
  EXPECT_EQ(json_of("INTEGER[]", "[1, NULL, 3]"), "[1,null,3]");
  EXPECT_EQ(json_of("INTEGER[]", "[]"), "[]");
  EXPECT_EQ(json_of("INTEGER[3]", "[1, 2, 3]"), "[1,2,3]");
  EXPECT_EQ(json_of("VARCHAR[]", "[a, 'b, c', 'it\\'s', 'NULL', NULL]"),
            "[\"a\",\"b, c\",\"it's\",\"NULL\",null]");
  EXPECT_EQ(json_of("STRUCT(a INTEGER, \"b c\" VARCHAR)", "{'a': 1, 'b c': x y}"),
            "{\"a\":1,\"b c\":\"x y\"}");
  EXPECT_EQ(json_of("STRUCT(a INTEGER, b VARCHAR[])[]", "[{'a': 1, 'b': [x]}, NULL]"),
            "[{\"a\":1,\"b\":[\"x\"]},null]");
  EXPECT_EQ(json_of("MAP(VARCHAR, DOUBLE)", "{k=1.5, 'a=b'=2.0}"), "{\"k\":1.5,\"a=b\":2.0}");
  EXPECT_EQ(json_of("MAP(VARCHAR, DOUBLE)", "{}"), "{}");
  EXPECT_EQ(json_of("INTEGER[]", "[1, 2"), "\"[1, 2\"");  // not what was promised: still valid JSON
}

struct Written {
  std::string text;
  explicit Written(std::string_view format) {
    const auto writer = make_row_writer(format, [this](std::string_view bytes) {
      text += bytes;
      return ok();
    });
    engine::TextBatch batch;
    batch.rows = 2;
    batch.columns = {{{"1", ""}, {false, true}}, {{"a,\"b\"", ""}, {false, false}}};
    EXPECT_TRUE(writer->columns({{"id", "INTEGER"}, {"na,me", "VARCHAR"}}));
    EXPECT_TRUE(writer->rows(batch));
    EXPECT_TRUE(writer->end());
  }
};

TEST(RowWriterTest, CsvTellsNullFromEmpty) {
  EXPECT_EQ(Written("csv").text, "id,\"na,me\"\n1,\"a,\"\"b\"\"\"\n,\"\"\n");
}

TEST(RowWriterTest, JsonIsOneArray) {
  const auto json = nlohmann::json::parse(Written("json").text, nullptr, false);
  ASSERT_EQ(json.size(), 2U);
  EXPECT_EQ(json[0]["id"], 1);
  EXPECT_TRUE(json[1]["id"].is_null());
  EXPECT_EQ(json[0]["na,me"], "a,\"b\"");
}

TEST(RowWriterTest, NdjsonIsALineARow) {
  EXPECT_EQ(Written("ndjson").text, "{\"id\":1,\"na,me\":\"a,\\\"b\\\"\"}\n{\"id\":null,\"na,me\":\"\"}\n");
}

}  // namespace
}  // namespace tarn::serve
