// When rows of sheets move, whatever refers to them follows: formulas, names, tables, charts, merged cells,
// conditional formats, validations, filters, print areas, pictures, comments, pivot sources. Results that
// formulas had are taken out, so that nobody reads one of before; they are calculated when the file is
// opened.
#pragma once

#include <map>

#include "base/result.h"
#include "report/template/book.h"
#include "report/template/row_moves.h"

namespace tarn::report::template_file {

// By number of the sheet. Rows themselves stay where they are in the tree: sheet_writer.h places them.
using BookMoves = std::map<size_t, RowMoves>;

Status follow_moves(Book& book, const BookMoves& moves);

}  // namespace tarn::report::template_file
