// Where a statement's rows go: the terminal or a file, in the format asked for.
#pragma once

#include <cstdio>
#include <functional>
#include <string>

#include "app/show/terminal.h"
#include "base/env/env.h"
#include "base/result.h"
#include "engine/connection.h"
#include "serve/rows/row_writer.h"

namespace tarn::app {

struct SqlOutput {
  std::string format = "table";  // table, json, ndjson, csv, chart
  std::string file;              // absolute; empty: the standard output
  size_t rows_max = 40;
  std::string more_hint = "-o FILE or --rows 0 gives all";
  std::function<std::string()> note = {};  // for the last line of a table
  Colors colors;
};

// Writes all rows; a file appears whole or not at all.
Status write_answer(Env& env, engine::ResultStream& rows, const SqlOutput& output);

// To the standard output; kCancelled when nobody reads it any more.
Status print_text(std::string_view text);

}  // namespace tarn::app
