#include "report/chart/axis.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>

#include <fmt/format.h>

namespace tarn::report::chart {
namespace {

constexpr double kMinute = 60, kHour = 3600, kDay = 86'400;

std::string grouped(std::string digits) {
  const auto dot = std::min(digits.find('.'), digits.size());
  const size_t first = digits.starts_with('-') ? 1 : 0;
  for (auto at = static_cast<int64_t>(dot) - 3; at > static_cast<int64_t>(first); at -= 3)
    digits.insert(static_cast<size_t>(at), ",");
  return digits;
}

std::string without_zeros(std::string digits) {
  if (digits.find('.') == std::string::npos)
    return digits;
  while (digits.ends_with('0'))
    digits.pop_back();
  if (digits.ends_with('.'))
    digits.pop_back();
  return digits == "-0" ? "0" : digits;
}

// 1, 2 or 5 times a power of ten.
double nice_step(double span, int count) {
  const double raw = span / std::max(1, count);
  const double power = std::pow(10, std::floor(std::log10(raw)));
  const double share = raw / power;
  return (share <= 1 ? 1 : share <= 2 ? 2 : share <= 5 ? 5 : 10) * power;
}

std::chrono::year_month_day date_of(double seconds) {
  const auto days = static_cast<int>(std::floor(seconds / kDay));
  return std::chrono::sys_days(std::chrono::days(days));
}

double seconds_of(std::chrono::year_month_day date) {
  return static_cast<double>(std::chrono::sys_days(date).time_since_epoch().count()) * kDay;
}

std::string month_name(std::chrono::month month) {
  constexpr std::array kNames = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  return kNames.at(static_cast<unsigned>(month) - 1);
}

std::vector<Tick> month_ticks(double first, double last, int months) {
  std::vector<Tick> ticks;
  const auto begin = date_of(first);
  const int start =
      static_cast<int>(begin.year()) * 12 + static_cast<int>(static_cast<unsigned>(begin.month())) - 1;
  for (int at = (start / months) * months;; at += months) {
    const auto year = std::chrono::year(at / 12);
    const auto month = std::chrono::month(static_cast<unsigned>(at % 12) + 1);
    const double seconds = seconds_of(year / month / 1);
    if (seconds > last)
      return ticks;
    if (seconds < first)
      continue;
    const bool names_year = months >= 12 || month == std::chrono::January || ticks.empty();
    ticks.push_back({seconds, months >= 12 ? fmt::format("{}", at / 12)
                              : names_year ? fmt::format("{} {}", month_name(month), at / 12)
                                           : month_name(month)});
  }
}

std::string clock_text(double seconds) {
  const auto minutes = static_cast<int64_t>(std::floor(seconds / kMinute));
  return fmt::format("{:02}:{:02}", minutes / 60 % 24, minutes % 60);
}

std::vector<Tick> even_ticks(double first, double last, double step) {
  std::vector<Tick> ticks;
  for (double at = std::ceil(first / step) * step; at <= last; at += step) {
    const auto date = date_of(at);
    const bool midnight = std::fmod(at, kDay) == 0;
    ticks.push_back(
        {at, midnight ? fmt::format("{} {}", static_cast<unsigned>(date.day()), month_name(date.month()))
                      : clock_text(at)});
  }
  return ticks;
}

}  // namespace

std::string short_number(double value) {
  constexpr std::array<std::pair<double, const char*>, 4> kUnits = {
      {{1e12, "T"}, {1e9, "B"}, {1e6, "M"}, {1e3, "K"}}};
  if (std::abs(value) >= 10'000) {
    for (const auto& [size, unit] : kUnits) {
      if (std::abs(value) >= size)
        return grouped(without_zeros(fmt::format("{:.1f}", value / size))) + unit;
    }
  }
  return grouped(without_zeros(fmt::format("{:.4f}", value)));
}

std::string time_text(double seconds) {
  const auto date = date_of(seconds);
  const auto text = fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()),
                                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
  return std::fmod(seconds, kDay) == 0 ? text : text + " " + clock_text(seconds);
}

Axis number_axis(double least, double most, bool from_zero, int ticks_wanted) {
  if (from_zero) {
    least = std::min(least, 0.0);
    most = std::max(most, 0.0);
  }
  if (!(most > least)) {
    const double half = least == 0 ? 1 : std::abs(least) / 10;
    most = least + half;
    least -= from_zero && least == 0 ? 0 : half;
  }
  const double step = nice_step(most - least, ticks_wanted);
  Axis axis{.low = std::floor(least / step + 1e-9) * step,
            .high = std::ceil(most / step - 1e-9) * step,
            .ticks = {}};
  if (!(axis.high > axis.low))
    axis.high = axis.low + step;
  const auto count = static_cast<int>(std::lround((axis.high - axis.low) / step));
  for (int i = 0; i <= std::min(count, 100); ++i) {
    const double at = axis.low + i * step;
    axis.ticks.push_back({at, short_number(std::abs(at) < step / 1000 ? 0 : at)});
  }
  return axis;
}

Axis time_axis(double first, double last, int ticks_most) {
  if (!(last > first)) {
    first -= kDay / 2;
    last += kDay / 2;
  }
  Axis axis{.low = first, .high = last, .ticks = {}};
  const double span = last - first;
  const auto fits = [&](double step) { return span / step <= ticks_most; };
  for (const double step : {kMinute, 5 * kMinute, 15 * kMinute, 30 * kMinute, kHour, 3 * kHour, 6 * kHour,
                            12 * kHour, kDay, 2 * kDay, 7 * kDay, 14 * kDay}) {
    if (fits(step)) {
      axis.ticks = even_ticks(first, last, step);
      return axis;
    }
  }
  for (const int months : {1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1200, 6000, 12000}) {
    if (fits(months * 30.4 * kDay)) {
      axis.ticks = month_ticks(first, last, months);
      return axis;
    }
  }
  return axis;
}

}  // namespace tarn::report::chart
