#include "quality/bands.h"

#include <gtest/gtest.h>

namespace tarn::quality {
namespace {

std::vector<Point> daily(const std::vector<double>& values) {
  std::vector<Point> points;
  for (const double value : values)
    points.push_back({value, 24.0 * static_cast<double>(points.size()) + 3});
  return points;
}

// Goal: with fewer than five points nothing is said; with five there is a band.
TEST(BandsTest, FewPointsSayNothing) {
  EXPECT_FALSE(band_of(daily({1, 2, 3, 4}), 99, {}));
  EXPECT_TRUE(band_of(daily({1, 2, 3, 4, 5}), 123, {}));
}

// Goal: one wild value among the points does not widen the band.
TEST(BandsTest, OneWildValueDoesNotMatter) {
  const auto band = band_of(daily({100, 102, 98, 101, 99, 100, 1'000'000}), 171, {});
  ASSERT_TRUE(band);
  EXPECT_DOUBLE_EQ(band->median, 100);
  EXPECT_NEAR(band->reach, kReach * kMadToDeviation * 1, 1e-9);
}

// Goal: values that never change get the floor, not a band of no width.
TEST(BandsTest, ConstantValuesHaveTheFloor) {
  const auto band = band_of(daily({20, 20, 20, 20, 20, 20}), 147, {.floor = 1, .floor_share = 0.1});
  ASSERT_TRUE(band);
  EXPECT_DOUBLE_EQ(band->reach, 2);
}

// Goal: what comes once a day is compared with its own weekday as soon as there are five of them; a week-end
// of few rows is then usual. What comes every hour has no weekdays.
TEST(BandsTest, DailyPointsAreComparedByWeekday) {
  std::vector<double> values;
  for (int day = 0; day < 42; ++day)
    values.push_back(day % 7 < 5 ? 1000 : 10);
  const auto weekend = band_of(daily(values), 24.0 * 47 + 3, {});  // 47 % 7 == 5
  ASSERT_TRUE(weekend);
  EXPECT_TRUE(weekend->same_weekday);
  EXPECT_EQ(weekend->points, 6U);
  EXPECT_DOUBLE_EQ(weekend->median, 10);
  std::vector<Point> hourly;
  for (int hour = 0; hour < 24 * 60; ++hour)
    hourly.push_back({5, static_cast<double>(hour)});
  EXPECT_FALSE(band_of(hourly, 24 * 60, {})->same_weekday);
}

// Goal: only the newest twenty count, so that a level that changed is usual after a while.
TEST(BandsTest, OldPointsAreForgotten) {
  std::vector<Point> points;
  for (int i = 0; i < 40; ++i)
    points.push_back({i < 20 ? 1.0 : 500.0, static_cast<double>(i)});
  EXPECT_DOUBLE_EQ(band_of(points, 40, {})->median, 500);
}

TEST(BandsTest, Medians) {
  EXPECT_DOUBLE_EQ(median_of({}), 0);
  EXPECT_DOUBLE_EQ(median_of({3, 1, 2}), 2);
  EXPECT_DOUBLE_EQ(median_of({4, 1, 2, 3}), 2.5);
}

}  // namespace
}  // namespace tarn::quality
