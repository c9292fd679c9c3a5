// Goal: the depth of a JSON text is known whatever its strings hold. Method: texts counted by hand.
#include "codec/json_depth.h"

#include <gtest/gtest.h>

#include <string>

namespace tarn::codec {
namespace {

TEST(JsonDepthTest, CountsOpenBracketsOutsideStrings) {
  EXPECT_EQ(json_depth(""), 0U);
  EXPECT_EQ(json_depth("12"), 0U);
  EXPECT_EQ(json_depth("[]"), 1U);
  EXPECT_EQ(json_depth(R"({"a": [1, {"b": 2}], "c": []})"), 3U);
  EXPECT_EQ(json_depth("[[], [], [[]], []]"), 3U);
  EXPECT_EQ(json_depth(R"(["[[[[", "\"[[[", "\\", [1]])"), 2U);
}

TEST(JsonDepthTest, BrokenTextsHaveADepthToo) {
  EXPECT_EQ(json_depth("]]]]["), 1U);
  EXPECT_EQ(json_depth("[\"unfinished [["), 1U);
  EXPECT_EQ(json_depth("[\"\\"), 1U);
  EXPECT_EQ(json_depth(std::string(1'000'000, '[')), 1'000'000U);
}

}  // namespace
}  // namespace tarn::codec
