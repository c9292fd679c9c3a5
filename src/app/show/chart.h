// Rows as a small chart in the terminal: the first column is the label, each number column a series. Few rows
// make bars, many rows a line (dots of Braille letters).
#pragma once

#include <memory>

#include "app/show/terminal.h"
#include "serve/rows/row_writer.h"

namespace tarn::app {

struct ChartOptions {
  int width = 80;
  int height = 12;  // of a line chart, in rows of text
  Colors colors;
};

std::unique_ptr<serve::RowWriter> make_chart_writer(ChartOptions options, serve::ByteSink sink);

}  // namespace tarn::app
