// The rows and cells of a sheet with their numbers, whether or not the file writes them.
#pragma once

#include <libxml/tree.h>

#include <cstdint>
#include <vector>

namespace tarn::report::template_file {

struct CellAt {
  int64_t column = 0;
  xmlNode* node = nullptr;
};

struct RowAt {
  int64_t row = 0;
  xmlNode* node = nullptr;
  std::vector<CellAt> cells;  // by column
};

class SheetCells {
 public:
  // Of two rows or cells with one number the first counts.
  explicit SheetCells(const xmlNode* worksheet);

  [[nodiscard]] const std::vector<RowAt>& rows() const { return rows_; }  // by row
  [[nodiscard]] const RowAt* find(int64_t row) const;

 private:
  std::vector<RowAt> rows_;
};

const CellAt* find_cell(const RowAt* row, int64_t column);

}  // namespace tarn::report::template_file
