// Goal: the type found fits every value that was seen. Method: values one by one and merged.
#include "codec/json_shape.h"

#include <gtest/gtest.h>

namespace tarn::codec {
namespace {

JsonShape shape_of(std::initializer_list<std::string_view> values) {
  JsonShape shape;
  for (const auto value : values) {
    JsonScanner scanner(value);
    EXPECT_TRUE(shape.add(scanner)) << value;
  }
  return shape;
}

TEST(JsonShapeTest, Scalars) {
  EXPECT_EQ(shape_of({"null"}).flat_type(), "");
  EXPECT_EQ(shape_of({"null"}).nested_type(), "JSON");
  EXPECT_EQ(shape_of({"true", "null"}).flat_type(), "BOOLEAN");
  EXPECT_EQ(shape_of({"1", "-9223372036854775808"}).flat_type(), "BIGINT");
  EXPECT_EQ(shape_of({"1", "9223372036854775808"}).flat_type(), "HUGEINT");
  EXPECT_EQ(shape_of({"1", "1.5"}).flat_type(), "DOUBLE");
  EXPECT_EQ(shape_of({"1", "\"x\""}).flat_type(), "JSON");
  EXPECT_EQ(shape_of({"true", "1"}).flat_type(), "JSON");
}

TEST(JsonShapeTest, DatesAndTimesOnlyWhenAllAreOfOneForm) {
  EXPECT_EQ(shape_of({"\"2024-02-29\"", "null"}).flat_type(), "DATE");
  EXPECT_EQ(shape_of({"\"2023-02-29\""}).flat_type(), "VARCHAR");
  EXPECT_EQ(shape_of({"\"2024-01-01\"", "\"x\""}).flat_type(), "VARCHAR");
  EXPECT_EQ(shape_of({"\"2024-01-01T10:00\"", "\"2024-01-01 10:00:00.25\""}).flat_type(), "TIMESTAMP");
  EXPECT_EQ(shape_of({"\"2024-01-01T10:00:00Z\"", "\"2024-01-01 10:00:00+02:30\""}).flat_type(),
            "TIMESTAMP WITH TIME ZONE");
  EXPECT_EQ(shape_of({"\"2024-01-01T10:00:00Z\"", "\"2024-01-01T10:00:00\""}).flat_type(), "VARCHAR");
  EXPECT_EQ(shape_of({"\"2024-01-01T10:00:00.\""}).flat_type(), "VARCHAR");
}

TEST(JsonShapeTest, NestedValues) {
  const auto shape = shape_of({R"({"a": 1, "b": [{"x": 1}, {"y": "t"}]})", R"({"a": 2.5, "c d": null})"});
  EXPECT_EQ(shape.flat_type(), "JSON");
  EXPECT_EQ(shape.nested_type(), R"(STRUCT("a" DOUBLE, "b" STRUCT("x" BIGINT, "y" VARCHAR)[], "c d" JSON))");
  EXPECT_EQ(shape_of({R"({"a": 1, "A": 2})"}).nested_type(), "JSON");
  EXPECT_EQ(shape_of({"[1]", "{}"}).nested_type(), "JSON");
}

TEST(JsonShapeTest, WhatIsNestedTooDeepIsJson) {
  const std::string deep = std::string(300, '[') + std::string(300, ']');
  std::string wanted = "JSON";
  for (int i = 0; i < JsonScanner::kDepthMax; ++i) {
    wanted += "[]";
  }
  EXPECT_EQ(shape_of({deep}).nested_type(), wanted);
}

TEST(JsonShapeTest, MergedIsAsIfSeenByOne) {
  auto one = shape_of({R"({"a": 1, "d": "2024-01-01"})"});
  one.merge(shape_of({R"({"b": [1], "d": "2024-01-02"})", R"({"a": "x"})"}));
  EXPECT_EQ(one.nested_type(), R"(STRUCT("a" JSON, "d" DATE, "b" BIGINT[]))");
  one.merge(shape_of({R"({"b": [2.5], "d": "soon"})"}));
  EXPECT_EQ(one.nested_type(), R"(STRUCT("a" JSON, "d" VARCHAR, "b" DOUBLE[]))");
}

}  // namespace
}  // namespace tarn::codec
