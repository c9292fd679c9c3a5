// Where an axis has its marks, and what stands at them. Pure.
#pragma once

#include <string>
#include <vector>

namespace tarn::report::chart {

struct Tick {
  double at = 0;
  std::string label;
};

struct Axis {
  double low = 0, high = 1;  // low < high
  std::vector<Tick> ticks;   // within
};

// Round numbers around the values; from zero on when `from_zero`.
Axis number_axis(double least, double most, bool from_zero, int ticks_wanted);
// Times as seconds of a clock on the wall: years, months, days, hours, minutes, whichever fit.
Axis time_axis(double first, double last, int ticks_most);

// "1,234.5", "12.3K", "4.5M"
std::string short_number(double value);
// "2026-11-29", with the time when it is not midnight.
std::string time_text(double seconds);

}  // namespace tarn::report::chart
