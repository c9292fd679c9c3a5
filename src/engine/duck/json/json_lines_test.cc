// Goal: each line becomes a row with exactly its values, or a reason with its line; keys that nobody named
// are told. Method: SQL over small files, and over files of many ranges.
#include <cstdlib>
#include <fstream>

#include "engine/duck/lake/lake_fixture_test.h"

namespace tarn::engine {
namespace {

class JsonLinesTest : public LakeTest {
 protected:
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ + "/" + name, std::ios::binary) << text;
  }
  // `columns`: name and type by turns; the last scan is 1.
  std::string lines(const std::string& name, const std::vector<std::string>& columns,
                    const std::string& required = "") const {
    std::string names;
    std::string types;
    for (size_t i = 0; i + 1 < columns.size(); i += 2) {
      names += (i > 0 ? ", '" : "'") + columns[i] + "'";
      types += (i > 0 ? ", '" : "'") + columns[i + 1] + "'";
    }
    return fmt::format(
        "tarn_json_lines(['{0}/{1}'], ['f1'], [{2}]::varchar[], [{2}]::varchar[], [{3}]::varchar[], "
        "[{4}]::varchar[], 1, 0)",
        folder_, name, names, types, required);
  }
  std::string rejects() { return rows("select row_number, reason from tarn_json_rejects(1) order by 1"); }
};

TEST_F(JsonLinesTest, ScalarsAreReadExactly) {
  write("a.ndjson",
        "{\"i\": 9007199254740993, \"d\": 0.1, \"b\": true, \"s\": \"x\", \"t\": \"2024-01-02T03:04:05.5\"}\n"
        "{\"i\": \"12\", \"d\": \"-2.5e3\", \"b\": \"false\", \"s\": 1.50, \"t\": \"2024-01-02 03:04:05\"}\n"
        "{\"i\": 5.0, \"d\": 123456789012345678, \"b\": null, \"s\": {\"a\": [1, 2]}}\n"
        "{\"i\": 1e3, \"d\": 100.02, \"s\": true, \"t\": null}");
  EXPECT_EQ(rows("select i, d, b, s, t, tarn_fetch, tarn_row from " +
                 lines("a.ndjson",
                       {"i", "BIGINT", "d", "DOUBLE", "b", "BOOLEAN", "s", "VARCHAR", "t", "TIMESTAMP"})),
            "9007199254740993|0.1|true|x|2024-01-02 03:04:05.5|f1|1\n"
            "12|-2500.0|false|1.50|2024-01-02 03:04:05|f1|2\n"
            "5|1.2345678901234568e+17|NULL|{\"a\":[1,2]}|NULL|f1|3\n"
            "1000|100.02|NULL|true|NULL|f1|4\n");
  EXPECT_EQ(rejects(), "");
}

TEST_F(JsonLinesTest, WhatDoesNotFitIsRejectedWithEachReason) {
  write("a.ndjson",
        "{\"i\": 5.5, \"u\": 1}\n{\"i\": 1, \"u\": -1}\n{\"i\": 300, \"u\": 18446744073709551615}\n\n"
        "{\"i\": \"x\", \"u\": \"\"}\n{\"i\": 2\n{\"i\": 2} {}\n{\"u\": 7}\n{\"i\": null, \"u\": 7}\n"
        "{\"i\": 3, \"i\": 4, \"u\": 0}\n\xFF\xFE\n{\"i\": 9, \"u\": 99999999999999999999}\n");
  EXPECT_EQ(rows("select i, u from " + lines("a.ndjson", {"i", "TINYINT", "u", "UBIGINT"}, "'i'")), "4|0\n");
  EXPECT_EQ(rejects(),
            "1|column i: cannot read '5.5' as TINYINT\n2|column u: cannot read '-1' as UBIGINT\n"
            "3|column i: cannot read '300' as TINYINT\n"
            "5|column i: cannot read 'x' as TINYINT; column u: cannot read '' as UBIGINT\n"
            "6|the line is not valid JSON\n7|the line is not valid JSON\n8|column i is required\n"
            "9|column i is required\n11|the line is not valid JSON\n"
            "12|column u: cannot read '99999999999999999999' as UBIGINT\n");
  EXPECT_EQ(rows("select raw from tarn_json_rejects(1) where row_number in (6, 11) order by row_number"),
            "{\"i\": 2\n??\n");
}

TEST_F(JsonLinesTest, NestedValuesAreTypedToTheirLeaves) {
  write(
      "a.ndjson",
      "{\"l\": [1, null, 3], \"s\": {\"x\": 1.5, \"Y\": [\"a\"], \"more\": 1}, \"m\": {\"k\": 1}, \"j\": [1, "
      "{\"a\": 2}]}\n"
      "{\"l\": [], \"s\": {}, \"m\": {}, \"j\": \"t\"}\n"
      "{\"l\": [1, \"x\"], \"s\": {\"x\": 1}}\n{\"l\": [1], \"s\": {\"x\": \"abc\"}}\n"
      "{\"l\": 7}\n{\"m\": {\"k\": 1.5}}\n{\"l\": [4, 5], \"m\": {\"a\": 1, \"b\": 2}}\n");
  EXPECT_EQ(rows("select l, s, m, j, tarn_row from " +
                 lines("a.ndjson", {"l", "BIGINT[]", "s", "STRUCT(x DOUBLE, y VARCHAR[])", "m",
                                    "MAP(VARCHAR, INTEGER)", "j", "JSON"})),
            "[1, NULL, 3]|{'x': 1.5, 'y': [a]}|{k=1}|[1,{\"a\":2}]|1\n"
            "[]|{'x': NULL, 'y': NULL}|{}|\"t\"|2\n"
            "[4, 5]|NULL|{a=1, b=2}|NULL|7\n");
  EXPECT_EQ(rejects(),
            "3|column l: cannot read '[1, \"x\"]' as BIGINT[]\n"
            "4|column s: cannot read '{\"x\": \"abc\"}' as STRUCT(x DOUBLE, y VARCHAR[])\n"
            "5|column l: cannot read '7' as BIGINT[]\n"
            "6|column m: cannot read '{\"k\": 1.5}' as MAP(VARCHAR, INTEGER)\n");
}

TEST_F(JsonLinesTest, NumbersAtTheEndsOfDoubles) {
  write("a.ndjson",
        "{\"d\": 1e308}\n{\"d\": 1e400}\n{\"d\": -1e400}\n{\"d\": 1e-400}\n{\"d\": \"inf\"}\n{\"d\": "
        "0.30000000000000004}\n{\"d\": -0.0}\n{\"d\": 123456.789012345}\n");
  EXPECT_EQ(rows("select d from " + lines("a.ndjson", {"d", "DOUBLE"})),
            "1e+308\n0.0\ninf\n0.30000000000000004\n-0.0\n123456.789012345\n");
  EXPECT_EQ(rejects(),
            "2|column d: cannot read '1e400' as DOUBLE\n3|column d: cannot read '-1e400' as DOUBLE\n");
}

TEST_F(JsonLinesTest, OtherTypesGoThroughTheirText) {
  write("a.ndjson",
        "{\"d\": 12345678901234.56, \"u\": \"6f2c1a52-8a7e-4b0e-9d53-0d7d6b1f2a11\", \"z\": "
        "\"2024-01-01T00:00:00+02:00\", \"h\": 170141183460469231731687303715884105727}\n"
        "{\"d\": \"x\"}\n{\"u\": 5}\n{\"z\": \"2024-01-01T00:00:00\"}\n");
  EXPECT_EQ(rows("select d, u, z, h from " + lines("a.ndjson", {"d", "DECIMAL(18,2)", "u", "UUID", "z",
                                                                "TIMESTAMP WITH TIME ZONE", "h", "HUGEINT"})),
            "12345678901234.56|6f2c1a52-8a7e-4b0e-9d53-0d7d6b1f2a11|2023-12-31 22:00:00+00|"
            "170141183460469231731687303715884105727\nNULL|NULL|2024-01-01 00:00:00+00|NULL\n");
  EXPECT_EQ(rejects(), "2|column d: cannot read 'x' as DECIMAL(18,2)\n3|column u: cannot read '5' as UUID\n");
}

TEST_F(JsonLinesTest, ManyRangesKeepOrderLinesAndLateKeys) {
  std::string text;
  std::string gone;
  for (int i = 1; i <= 100'000; ++i) {
    if (i % 30'000 == 0) {
      text += fmt::format("{{\"id\": \"{}th\", \"pad\": \"\"}}\n", i);
      gone += fmt::format("{}|column id: cannot read '{}th' as BIGINT\n", i, i);
    } else if (i == 99'999) {
      text += fmt::format("{{\"id\": {}, \"pad\": \"\", \"late\": \"2024-05-01\"}}\n", i);
    } else {
      text +=
          fmt::format("{{\"id\": {}, \"pad\": \"{}\"}}\n", i, std::string(static_cast<size_t>(i % 90), 'x'));
    }
  }
  ASSERT_GT(text.size(), size_t{4} << 20);
  write("a.ndjson", text);
  ASSERT_EQ(std::system(("gzip -k " + folder_ + "/a.ndjson").c_str()), 0);
  for (const char* file : {"a.ndjson", "a.ndjson.gz"}) {
    const auto source = lines(file, {"id", "BIGINT", "pad", "VARCHAR"});
    run("create or replace temp table t as select id, length(pad) as size, tarn_row from " + source);
    EXPECT_EQ(
        rows(
            "select count(*), sum(id), sum(size) = sum(case when id = 99999 then 0 else id % 90 end) from t"),
        fmt::format("99997|{}|true\n", 5000050000LL - 180000));
    EXPECT_EQ(rows("select count(*) from (select id, lag(id) over (order by rowid) as before from t) where "
                   "id < before"),
              "0\n");
    EXPECT_EQ(rejects(), gone);
    EXPECT_EQ(rows("select * from tarn_json_keys(1)"), "late|DATE|DATE\n");
    EXPECT_EQ(
        rows("select count(*) from t join tarn_json_ranges(1) g on g.range = tarn_row // 4294967296 where "
             "lines_before + tarn_row % 4294967296 <> id"),
        "0\n");
  }
}

TEST_F(JsonLinesTest, OddFiles) {
  write("empty.ndjson", "");
  EXPECT_EQ(rows("select * exclude (tarn_raw) from " + lines("empty.ndjson", {"a", "BIGINT"})), "");
  write("mark.ndjson", "\xEF\xBB\xBF{\"a\": 1}\r\n\r\n{\"a\": 2}\r\n");
  EXPECT_EQ(rows("select a, tarn_row from " + lines("mark.ndjson", {"a", "BIGINT"})), "1|1\n2|3\n");
  write("values.ndjson", "1\n\"x\"\n[1, 2]\nnull\n");
  EXPECT_EQ(rows("select value from " + lines("values.ndjson", {"value", "VARCHAR"})), "1\nx\n[1,2]\nNULL\n");
  write("keys.ndjson", "{\"\": 1, \"a\\\"b\": 2, \"A\": 3, \"a\": 4}\n{\"a\": 5, \"A\": 6}\n");
  EXPECT_EQ(rows("select count(*) from " + lines("keys.ndjson", {})), "2\n");
  EXPECT_EQ(rows("select key, type from tarn_json_keys(1)"), "|BIGINT\na\"b|BIGINT\nA|BIGINT\na|BIGINT\n");
  std::string wide(size_t{5} << 20, 'x');
  write("wide.ndjson", "{\"a\": \"" + wide + "\"}\n{\"a\": \"y\"}\n");
  EXPECT_EQ(rows("select length(a), tarn_row % 4294967296 from " + lines("wide.ndjson", {"a", "VARCHAR"}) +
                 " order by 1"),
            "1|1\n5242880|1\n");
}

TEST_F(JsonLinesTest, OneValueAsAType) {
  EXPECT_EQ(
      rows("select tarn_json_value(v, 'STRUCT(a BIGINT, b VARCHAR[])') from (values ('{\"a\": 1, \"b\": "
           "[\"x\"]}'), ('{\"a\": 1.5}'), (null), ('null'), ('{\"a\": 18446744073709551615}'), ('{')) t(v)"),
      "{'a': 1, 'b': [x]}\nNULL\nNULL\nNULL\nNULL\nNULL\n");
  EXPECT_EQ(rows("select tarn_json_value('18446744073709551616', 'HUGEINT')"), "18446744073709551616\n");
}

}  // namespace
}  // namespace tarn::engine
