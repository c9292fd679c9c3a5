#include "quality/bands.h"

#include <algorithm>
#include <cmath>

namespace tarn::quality {
namespace {

constexpr double kHoursOfDay = 24;
constexpr double kDailyMin = 20, kDailyMax = 28;  // hours between what comes about once a day

int64_t weekday_of(double hours) {
  return static_cast<int64_t>(std::floor(hours / kHoursOfDay)) % 7;
}

// What comes once a day has weeks in it; what comes more often, or by chance, has not.
bool is_daily(const std::vector<Point>& points) {
  std::vector<double> gaps;
  const size_t first = points.size() > kPointsMax ? points.size() - kPointsMax : 1;
  for (size_t i = std::max<size_t>(first, 1); i < points.size(); ++i)
    gaps.push_back(points[i].hours - points[i - 1].hours);
  const double gap = median_of(std::move(gaps));
  return gap >= kDailyMin && gap <= kDailyMax;
}

std::vector<double> newest(const std::vector<Point>& before, size_t max, std::optional<int64_t> weekday) {
  std::vector<double> values;
  for (auto it = before.rbegin(); it != before.rend() && values.size() < max; ++it) {
    if (!weekday || weekday_of(it->hours) == *weekday)
      values.push_back(it->value);
  }
  return values;
}

}  // namespace

double median_of(std::vector<double> values) {
  if (values.empty())
    return 0;
  std::sort(values.begin(), values.end());
  const size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

std::optional<Band> band_of(const std::vector<Point>& before, double hours, const BandRules& rules) {
  Band band;
  auto values = is_daily(before) ? newest(before, kWeekdays, weekday_of(hours)) : std::vector<double>();
  band.same_weekday = values.size() >= kPointsMin;
  if (!band.same_weekday)
    values = newest(before, kPointsMax, std::nullopt);
  if (values.size() < kPointsMin)
    return std::nullopt;
  band.points = values.size();
  band.median = median_of(values);
  std::vector<double> deviations;
  for (const double value : values)
    deviations.push_back(std::abs(value - band.median));
  band.reach = std::max({kReach * kMadToDeviation * median_of(std::move(deviations)), rules.floor,
                         rules.floor_share * std::abs(band.median)});
  return band;
}

}  // namespace tarn::quality
