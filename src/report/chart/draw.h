// A chart as a picture: the look of the web UI's charts in light colours, on white.
#pragma once

#include <string>

#include "base/result.h"
#include "report/chart/chart.h"

namespace tarn::report::chart {

struct Picture {
  std::string png;
  int width = 0, height = 0;  // as shown; the file has twice as many pixels each way
};

// The picture of a chart without data says so.
Result<Picture> draw(const ChartConfig& config, const std::string& title, const ChartData& data);

// Of the plot, for tests: where a value of a series is drawn, in pixels of the file.
struct Spot {
  double x = 0, y = 0;
};
Spot spot_of(const ChartConfig& config, const ChartData& data, size_t series, size_t i);
// "#0a6780" of the series.
uint32_t color_of(size_t series);

}  // namespace tarn::report::chart
