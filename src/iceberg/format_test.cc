// Goal: types, values, transforms and bounds are bit for bit what the specification says.
// Method: the vectors of the specification and of other implementations, and texts as DuckDB 1.5.5 prints
// them.
#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "iceberg/bounds.h"
#include "iceberg/partition.h"
#include "iceberg/type.h"
#include "iceberg/value.h"

namespace tarn::iceberg {
namespace {

Type type_of(std::string_view text) {
  auto type = parse_type(text);
  EXPECT_TRUE(type) << text;
  return type ? *type : Type{};
}

Value apply_ok(std::string_view transform, std::string_view type, const Value& value) {
  auto parsed = parse_transform(transform);
  EXPECT_TRUE(parsed);
  auto result = apply(*parsed, type_of(type), value);
  EXPECT_TRUE(result) << (result ? "" : result.error().message);
  return result ? *result : Value();
}

Value text_ok(std::string_view type, std::string_view text) {
  auto value = parse_text(type_of(type), text);
  EXPECT_TRUE(value) << text;
  return value ? *value : Value();
}

uint32_t hash(const Type& type, const Value& value) {
  Transform widest{.kind = TransformKind::kBucket, .parameter = std::numeric_limits<int>::max(), .text = {}};
  return static_cast<uint32_t>(std::get<int32_t>(*apply(widest, type, value)));
}

// bucket[2147483647] gives (h & 0x7fffffff) % 0x7fffffff.
uint32_t masked(int64_t hash) {
  return (static_cast<uint32_t>(hash) & 0x7FFFFFFF) % 0x7FFFFFFF;
}

TEST(TypeTest, NamesGoBothWays) {
  for (const char* name :
       {"boolean", "int", "long", "float", "double", "decimal(9, 2)", "date", "time", "timestamp",
        "timestamptz", "timestamp_ns", "timestamptz_ns", "string", "uuid", "fixed[16]", "binary"}) {
    EXPECT_EQ(to_string(type_of(name)), name);
  }
  EXPECT_EQ(to_string(type_of("decimal(9,2)")), "decimal(9, 2)");
  for (const char* name :
       {"", "integer", "decimal(39,2)", "decimal(9)", "decimal(2,3)", "fixed[-1]", "fixed[x]", "list"}) {
    auto type = parse_type(name);
    ASSERT_FALSE(type) << name;
    EXPECT_EQ(type.error().code, Code::kCorrupt);
  }
  EXPECT_EQ(parse_type("variant").error().code, Code::kUnsupported);
}

TEST(TypeTest, NestedSchemaGoesBothWays) {  // checklist D.3
  const char* json =
      R"j({"type":"struct","schema-id":3,"fields":[{"id":1,"name":"id","required":true,"type":"long",)j"
      R"j("doc":"the key"},)j"
      R"j({"id":2,"name":"tags","required":false,"type":{"type":"list","element-id":4,"element":"string",)j"
      R"j("element-required":false}},{"id":3,"name":"m","required":false,"type":{"type":"map","key-id":5,)j"
      R"j("key":"string","value-id":6,"value":{"type":"struct","fields":[{"id":7,"name":"x",)j"
      R"j("required":false,"type":"decimal(9, 2)"}]},"value-required":true}}],"identifier-field-ids":[1]})j";
  auto schema = parse_schema(json);
  ASSERT_TRUE(schema) << schema.error().message;
  EXPECT_EQ(to_json(*schema), json);
  EXPECT_EQ(schema->max_field_id(), 7);
  EXPECT_EQ(schema->find(7)->name, "x");
  EXPECT_EQ(schema->find("tags")->type.fields.at(0).id, 4);
}

TEST(TypeTest, WrongSchemasNameTheField) {  // checklist D.1
  auto two = parse_schema(R"({"type":"struct","fields":[{"id":1,"name":"a","required":true,"type":"long"},)"
                          R"({"id":1,"name":"b","required":true,"type":"long"}]})");
  ASSERT_FALSE(two);
  EXPECT_EQ(two.error().message, "field 'b' has the id 1 of another field");
  auto wrong =
      parse_schema(R"({"type":"struct","fields":[{"id":1,"name":"a","required":true,"type":"lung"}]})");
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().message, "field 'a': 'lung' is not an Iceberg type");
  std::string deep = R"({"type":"struct","fields":[{"id":1,"name":"a","required":true,"type":)";
  for (int i = 0; i < 100000; ++i) {
    deep += R"({"type":"list","element-id":2,"element":)";
  }
  EXPECT_EQ(parse_schema(deep).error().code, Code::kCorrupt);
}

TEST(ValueTest, BytesOfTheSpecification) {  // checklist D.17
  EXPECT_EQ(to_bytes(type_of("boolean"), true), std::string("\x01", 1));
  EXPECT_EQ(to_bytes(type_of("int"), int32_t{1}), std::string("\x01\0\0\0", 4));
  EXPECT_EQ(to_bytes(type_of("long"), int64_t{-2}), std::string("\xFE\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 8));
  EXPECT_EQ(to_bytes(type_of("decimal(9,2)"), Decimal{1420}), std::string("\x05\x8C", 2));
  EXPECT_EQ(to_bytes(type_of("decimal(9,2)"), Decimal{0}), std::string("\0", 1));
  EXPECT_EQ(to_bytes(type_of("decimal(9,2)"), Decimal{128}), std::string("\x00\x80", 2));
  EXPECT_EQ(to_bytes(type_of("decimal(9,2)"), Decimal{-128}), std::string("\x80", 1));
  EXPECT_EQ(to_bytes(type_of("decimal(9,2)"), Decimal{-129}), std::string("\xFF\x7F", 2));
  for (__int128 number :
       {__int128{0}, __int128{-1}, __int128{255}, (__int128{1} << 100) - 7, -(__int128{1} << 126)}) {
    auto type = type_of("decimal(38,0)");
    EXPECT_TRUE(std::get<Decimal>(*from_bytes(type, to_bytes(type, Decimal{number}))).unscaled == number);
  }
}

TEST(ValueTest, PromotedBoundsAreRead) {  // checklist D.17
  EXPECT_EQ(std::get<int64_t>(*from_bytes(type_of("long"), std::string("\xFE\xFF\xFF\xFF", 4))), -2);
  EXPECT_EQ(std::get<double>(*from_bytes(type_of("double"), to_bytes(type_of("float"), 1.5F))), 1.5);
  EXPECT_FALSE(from_bytes(type_of("timestamp"), "1234"));
  EXPECT_FALSE(from_bytes(type_of("int"), ""));
  EXPECT_FALSE(from_bytes(type_of("decimal(9,2)"), ""));
}

TEST(ValueTest, OrderOfFloatingPoint) {  // checklist D.17, D.32
  double nan = std::numeric_limits<double>::quiet_NaN();
  double inf = std::numeric_limits<double>::infinity();
  std::vector<double> sorted = {-nan, -inf, -1.5, -1.0, -0.0, 0.0, 1.0, 1.5, inf, nan};
  for (size_t i = 0; i + 1 < sorted.size(); ++i) {
    EXPECT_LT(compare(sorted[i], sorted[i + 1]), 0) << i;
    EXPECT_GT(compare(sorted[i + 1], sorted[i]), 0) << i;
    EXPECT_EQ(compare(sorted[i], sorted[i]), 0) << i;
  }
  EXPECT_GT(compare(std::string("\xFF"), std::string("a")), 0);
  EXPECT_EQ(compare(int32_t{5}, int64_t{5}), 0);
}

TEST(TransformTest, BucketHashesOfTheSpecification) {  // checklist D.8
  EXPECT_EQ(hash(type_of("int"), int32_t{34}), masked(2017239379));
  EXPECT_EQ(hash(type_of("long"), int64_t{34}), masked(2017239379));
  EXPECT_EQ(hash(type_of("decimal(9,2)"), Decimal{1420}), masked(-500754589));
  EXPECT_EQ(hash(type_of("date"), text_ok("date", "2017-11-16")), masked(-653330422));
  EXPECT_EQ(hash(type_of("time"), text_ok("time", "22:31:08")), masked(-662762989));
  EXPECT_EQ(hash(type_of("timestamp"), text_ok("timestamp", "2017-11-16 22:31:08")), masked(-2047944441));
  EXPECT_EQ(hash(type_of("timestamp"), text_ok("timestamp", "2017-11-16 22:31:08.000001")),
            masked(-1207196810));
  EXPECT_EQ(hash(type_of("timestamptz"), text_ok("timestamptz", "2017-11-16 14:31:08-08")),
            masked(-2047944441));
  EXPECT_EQ(hash(type_of("timestamp_ns"), text_ok("timestamp_ns", "2017-11-16 22:31:08.000001001")),
            masked(-1207196810));
  EXPECT_EQ(hash(type_of("string"), std::string("iceberg")), masked(1210000089));
  EXPECT_EQ(hash(type_of("uuid"), text_ok("uuid", "f79c3e09-677c-4bbd-a479-3f349cb785e7")),
            masked(1488055340));
  EXPECT_EQ(hash(type_of("fixed[4]"), std::string("\0\1\2\3", 4)), masked(-188683207));
  EXPECT_EQ(hash(type_of("binary"), std::string("\0\1\2\3", 4)), masked(-188683207));
  EXPECT_EQ(std::get<int32_t>(apply_ok("bucket[16]", "string", std::string("iceberg"))), 1210000089 % 16);
}

TEST(TransformTest, TruncateFloors) {  // checklist D.9
  EXPECT_EQ(std::get<int32_t>(apply_ok("truncate[10]", "int", int32_t{1})), 0);
  EXPECT_EQ(std::get<int32_t>(apply_ok("truncate[10]", "int", int32_t{-1})), -10);
  EXPECT_EQ(std::get<int64_t>(apply_ok("truncate[10]", "long", int64_t{-11})), -20);
  EXPECT_TRUE(std::get<Decimal>(apply_ok("truncate[50]", "decimal(9,2)", Decimal{1065})).unscaled == 1050);
  EXPECT_TRUE(std::get<Decimal>(apply_ok("truncate[50]", "decimal(9,2)", Decimal{-5})).unscaled == -50);
  EXPECT_EQ(std::get<std::string>(apply_ok("truncate[3]", "string", std::string("iceberg"))), "ice");
  EXPECT_EQ(std::get<std::string>(apply_ok("truncate[2]", "string", std::string("h\u00e9llo"))), "h\u00e9");
  EXPECT_EQ(std::get<std::string>(apply_ok("truncate[2]", "binary", std::string("\1\2\3"))), "\1\2");
}

TEST(TransformTest, DatesFloorBefore1970) {  // checklist D.9
  auto number = [](const char* transform, const char* type, const char* text) {
    return std::get<int32_t>(apply_ok(transform, type, text_ok(type, text)));
  };
  EXPECT_EQ(number("year", "date", "2017-12-01"), 47);
  EXPECT_EQ(number("year", "date", "1969-12-31"), -1);
  EXPECT_EQ(number("month", "date", "2017-12-01"), 575);
  EXPECT_EQ(number("month", "date", "1969-12-31"), -1);
  EXPECT_EQ(number("month", "date", "1970-01-01"), 0);
  EXPECT_EQ(number("day", "date", "1969-12-31"), -1);
  EXPECT_EQ(number("day", "timestamp", "1969-12-31 23:59:59.999999"), -1);
  EXPECT_EQ(number("hour", "timestamp", "1969-12-31 23:59:59.999999"), -1);
  EXPECT_EQ(number("hour", "timestamp", "2017-12-01 10:12:55.038194"), 420034);
  EXPECT_EQ(number("year", "timestamp_ns", "1969-12-31 23:59:59.999999999"), -1);
  EXPECT_EQ(number("day", "date", "2000-02-29"), 11016);
  EXPECT_EQ(number("year", "date", "29000-01-01 (BC)"), 1 - 29000 - 1970);
}

TEST(TransformTest, NullsUnknownAndWrongTypes) {  // checklist D.7
  EXPECT_TRUE(is_null(apply_ok("bucket[4]", "int", Value())));
  EXPECT_TRUE(is_null(apply_ok("void", "int", int32_t{5})));
  auto unknown = parse_transform("zorder[3]");
  ASSERT_TRUE(unknown);
  EXPECT_EQ(to_string(*unknown), "zorder[3]");
  EXPECT_EQ(apply(*unknown, type_of("int"), int32_t{5}).error().code, Code::kUnsupported);
  EXPECT_FALSE(parse_transform("bucket[0]"));
  EXPECT_FALSE(parse_transform("truncate[x]"));
  EXPECT_FALSE(apply(*parse_transform("hour"), type_of("date"), int32_t{5}));
  EXPECT_FALSE(apply(*parse_transform("bucket[4]"), type_of("double"), 1.5));
  EXPECT_FALSE(apply(*parse_transform("year"), type_of("string"), std::string("2017")));
}

TEST(TextTest, WhatDuckDbPrints) {
  EXPECT_EQ(std::get<bool>(text_ok("boolean", "1")), true);
  EXPECT_EQ(std::get<int64_t>(text_ok("long", "-9223372036854775808")), INT64_MIN);
  EXPECT_TRUE(std::get<Decimal>(text_ok("decimal(9,2)", "-0.05")).unscaled == -5);
  EXPECT_TRUE(std::get<Decimal>(text_ok("decimal(9,2)", "1.2")).unscaled == 120);
  EXPECT_EQ(to_bytes(type_of("decimal(38,2)"), text_ok("decimal(38,2)", "-12345678901234567890.50")),
            minimal_big_endian(-(static_cast<__int128>(12345678901234567890ULL) * 100 + 50)));
  EXPECT_EQ(std::get<int64_t>(text_ok("timestamp", "1969-12-31 23:59:59.123456")), -876544);
  EXPECT_EQ(std::get<int64_t>(text_ok("timestamptz", "1969-12-31 23:00:00.5+00")), -3599500000);
  EXPECT_EQ(std::get<int64_t>(text_ok("time", "24:00:00")), 86400000000);
  EXPECT_EQ(std::get<double>(text_ok("double", "1e+300")), 1e300);
  EXPECT_EQ(std::get<double>(text_ok("double", "inf")), std::numeric_limits<double>::infinity());
  EXPECT_EQ(std::get<std::string>(text_ok("binary", "00FF61")), std::string("\0\xFF"
                                                                            "a",
                                                                            3));
  EXPECT_FALSE(parse_text(type_of("timestamptz"), "infinity"));
  EXPECT_FALSE(parse_text(type_of("decimal(9,2)"), "1.234"));
  EXPECT_FALSE(parse_text(type_of("int"), "3000000000"));
  EXPECT_FALSE(parse_text(type_of("binary"), "0"));
  EXPECT_FALSE(parse_text(type_of("date"), "2024-13-01"));
}

TEST(BoundsTest, LongTextIsCutAndIncremented) {  // checklist D.18
  auto text = type_of("string");
  std::string sixteen = "abcdefghijklmnop";
  EXPECT_EQ(lower_bound(text, sixteen + "q"), sixteen);
  EXPECT_EQ(upper_bound(text, sixteen), sixteen);
  EXPECT_EQ(upper_bound(text, sixteen + "q"), "abcdefghijklmnoq");
  std::string greatest = "\U0010FFFF";
  std::string many;
  for (int i = 0; i < 15; ++i) {
    many += greatest;
  }
  EXPECT_EQ(upper_bound(text, "a" + many + "x"), "b");
  EXPECT_EQ(upper_bound(text, many + greatest + "x"), std::nullopt);
  EXPECT_EQ(upper_bound(text, std::string("aaaaaaaaaaaaaaa\uD7FFx")), std::string("aaaaaaaaaaaaaaa\uE000"));
  EXPECT_EQ(upper_bound(text, std::string("\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9"
                                          "\u00e9\u00e9\u00e9\u00e9\u00e9x")),
            std::string("\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9"
                        "\u00e9\u00ea"));
  auto binary = type_of("binary");
  EXPECT_EQ(upper_bound(binary, std::string(16, '\xFF') + "x"), std::nullopt);
  EXPECT_EQ(upper_bound(binary, "a" + std::string(15, '\xFF') + "x"), "b");
}

TEST(BoundsTest, NanIsNoBoundAndZerosWiden) {  // checklist D.17
  DataFile file;
  Field field{.id = 7,
              .name = "x",
              .required = false,
              .type = type_of("double"),
              .doc = {},
              .initial_default = {},
              .write_default = {}};
  add_statistics(
      file, field,
      {.min = "0.0", .max = "-0.0", .value_count = 3, .null_count = 1, .size_bytes = 9, .has_nan = true},
      false);
  EXPECT_TRUE(std::signbit(std::get<double>(*from_bytes(field.type, file.lower_bounds.at(7)))));
  EXPECT_FALSE(std::signbit(std::get<double>(*from_bytes(field.type, file.upper_bounds.at(7)))));
  EXPECT_FALSE(file.nan_value_counts.contains(7));
  DataFile other;
  add_statistics(
      other, field,
      {.min = "nan", .max = "nan", .value_count = {}, .null_count = {}, .size_bytes = {}, .has_nan = false},
      false);
  EXPECT_TRUE(other.lower_bounds.empty() && other.upper_bounds.empty());
  EXPECT_EQ(other.nan_value_counts.at(7), 0);
}

}  // namespace
}  // namespace tarn::iceberg
