// Rows as a table drawn with lines, no wider than the terminal: numbers to the right, nulls shown, long texts
// cut.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "app/show/terminal.h"
#include "serve/rows/row_writer.h"

namespace tarn::app {

struct BoxTableOptions {
  int width = 0;         // of the terminal; 0: as wide as it takes
  size_t rows_max = 40;  // more are counted, not shown; 0: all (they are kept in memory)
  std::string more_hint = "-o FILE or --rows 0 gives all";
  std::function<std::string()> note = {};  // asked for at the end, for the line below the table
  std::string footer = {};                 // instead of the number of rows
  std::function<std::string(size_t column, const std::string& text)> paint = {};  // adds colours to a cell
  Colors colors;
};

std::unique_ptr<serve::RowWriter> make_box_table_writer(BoxTableOptions options, serve::ByteSink sink);

}  // namespace tarn::app
