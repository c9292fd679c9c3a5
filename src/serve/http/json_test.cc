// Goal: whatever a client or a server sends as JSON is a value or its default. Method: odd numbers and types.
#include "serve/http/json.h"

#include <gtest/gtest.h>

namespace tarn::serve {
namespace {

TEST(ApiJsonTest, NumbersThatAreNoIntegersAreTheDefault) {
  const auto json = Json::parse(R"({"a": 7, "b": 1e300, "c": -1e300, "d": 1.5, "e": "7", "f": null})");
  EXPECT_EQ(integer_of(json, "a"), 7);
  for (const char* key : {"b", "c", "d", "e", "f", "g"}) {
    EXPECT_EQ(integer_of(json, key), 0) << key;
  }
  EXPECT_EQ(integer_of(Json::parse("[1]"), "a"), 0);
}

}  // namespace
}  // namespace tarn::serve
