// Goal: what choices depend on comes first, and a circle is told at its place, however parameters stand in
// the file. Method: needs by hand; places from a YAML text.
#include "report/cascade.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "report/config.h"

namespace tarn::report {
namespace {

using testing::ElementsAre;

TEST(CascadeTest, WhatIsNeededComesFirstElseAsInTheFile) {
  EXPECT_THAT(*order_of({{}, {}, {}}), ElementsAre(0, 1, 2));
  EXPECT_THAT(*order_of({{2}, {}, {1}}), ElementsAre(1, 2, 0));
  EXPECT_THAT(*order_of({{1, 2}, {2}, {}, {0}}), ElementsAre(2, 1, 0, 3));
  EXPECT_FALSE(order_of({{0}}));
  EXPECT_FALSE(order_of({{}, {2}, {3}, {1}}));
  EXPECT_TRUE(order_of({})->empty());
}

TEST(CascadeTest, ACircleIsToldAtItsPlace) {
  Diagnostics found;
  const auto config = read_config(
      "title: T\n"
      "parameters:\n"
      "  region: {type: choice, choices: select r from t where c = $City}\n"
      "  city:\n"
      "    type: choice\n"
      "    choices: |\n"
      "      select c from t\n"
      "      where r = $region\n"
      "  own: {type: list, choices: select o from t where o > $own}\n"
      "sheets: [{name: A, query: select 1 as n}]\n",
      "reports/x.yml", found);
  ASSERT_TRUE(found.empty()) << to_string(found.front());
  check_circles({{1}, {0}, {2}}, config->file, config->parameters, found);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(
      to_string(found[0]),
      "reports/x.yml:8:17: choices depend on each other in a circle (region on city on region): take one of "
      "the $ out");
  EXPECT_EQ(to_string(found[1]),
            "reports/x.yml:9:56: the choices of own depend on own itself: take $own out of them");
  found.clear();
  check_circles({{}, {0}, {}}, config->file, config->parameters, found);
  EXPECT_TRUE(found.empty());
}

}  // namespace
}  // namespace tarn::report
