// Puts one sheet together: the template's rows at their new places, and the rows of queries in between, in
// the style of the row that they repeat. Written as it goes.
#pragma once

#include <vector>

#include "base/env/file_system.h"
#include "base/result.h"
#include "report/template/block.h"
#include "report/template/book.h"
#include "report/template/row_moves.h"
#include "report/template/styles.h"

namespace tarn::report::template_file {

struct SheetJob {
  size_t sheet = 0;
  const RowMoves* moves = nullptr;
  std::vector<const Block*> blocks;  // of this sheet
};

// References have followed already (follow.h).
Status write_sheet(Book& book, const SheetJob& job, Styles& styles, WritableFile& out);

}  // namespace tarn::report::template_file
