// References in formulas, as Excel's files write them: A1, $B$2:C3, 'My sheet'!A1, 5:7. Structured references
// (Prices[Close]), names, whole columns, other workbooks and ranges over several sheets stay as they are.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "report/template/row_moves.h"

namespace tarn::report::template_file {

// Null: nothing moves on that sheet. The sheet's name comes without quotes.
using MovesOf = std::function<const RowMoves*(std::string_view sheet)>;

struct MoveOptions {
  std::string sheet;  // the formula's own; empty: it has none
  // The formula stands in a row that is repeated: B$5:B5 grows row by row, not with the area.
  bool repeated = false;
  // A single cell that is the whole of a grown area becomes a range (series of charts).
  bool widen_cells = false;
};

// Every reference follows what it refers to; one to a row that went away becomes #REF!.
std::string move_formula(std::string_view formula, const MovesOf& moves, const MoveOptions& options);

// As if copied so many rows down and columns to the right.
std::string copy_formula(std::string_view formula, int64_t rows, int64_t columns);

}  // namespace tarn::report::template_file
