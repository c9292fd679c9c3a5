// Rows as a table drawn with lines, no wider than the terminal: numbers to the right, nulls shown, long texts
// cut.
#pragma once

#include <string>
#include <vector>

#include "app/show/terminal.h"
#include "serve/rows/row_writer.h"

namespace tarn::app {

struct BoxTableOptions {
  int width = 0;         // of the terminal; 0: as wide as it takes
  size_t rows_max = 40;  // more are counted, not shown; 0: all (they are kept in memory)
  Colors colors;
};

std::unique_ptr<serve::RowWriter> make_box_table_writer(BoxTableOptions options, serve::ByteSink sink);

}  // namespace tarn::app
