// What is usual for a number that comes again and again, from what it was before: the median, and as far
// around it as the values themselves spread. Pure. docs/quality.md has the rules in words.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

namespace tarn::quality {

struct Point {
  double value = 0;
  double hours = 0;  // since 1970, on the clock of the project's zone
};

struct BandRules {
  double floor = 1;        // the band is at least so wide on each side,
  double floor_share = 0;  // and at least this share of the median
};

struct Band {
  double median = 0;
  double reach = 0;   // the band is median ± reach
  size_t points = 0;  // that it stands on
  bool same_weekday = false;
};

constexpr size_t kPointsMin = 5;   // fewer say nothing
constexpr size_t kPointsMax = 20;  // the newest count
constexpr size_t kWeekdays = 8;    // of the same weekday, where they are enough
constexpr double kReach = 4;       // in standard deviations, as the median absolute deviation estimates them
constexpr double kMadToDeviation = 1.4826;

// `before` is oldest first and does not hold the point that is judged, which comes at `hours`. nullopt: too
// few.
std::optional<Band> band_of(const std::vector<Point>& before, double hours, const BandRules& rules);

double median_of(std::vector<double> values);  // of none: 0

}  // namespace tarn::quality
