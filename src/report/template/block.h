// The rows of one query on their way into a template: written to a work file as they come, read back in order
// when the sheet is put together. Memory does not grow with them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/env/file_reader.h"
#include "base/env/file_system.h"
#include "base/result.h"
#include "engine/connection.h"
#include "report/template/target.h"
#include "report/work_file.h"
#include "report/workbook/book_writer.h"
#include "report/workbook/cell_value.h"

namespace tarn::report::template_file {

// What is between <c …> and </c>, and how the cell says what it is.
struct BlockCell {
  enum class Kind : char { kEmpty, kNumber, kBoolean, kText };
  Kind kind = Kind::kEmpty;
  std::string text;  // escaped
};

// ` t="b"><v>1</v></c>`: the cell from behind its name and style.
// `prefix` is that of the sheet's elements: "" or "x:".
void append_cell_end(const BlockCell& cell, std::string_view prefix, std::string& out);
BlockCell text_cell(std::string_view text, bool& cut);

struct Block {
  Target target;
  std::vector<std::string> names;  // of the query's columns
  std::vector<ColumnKind> kinds;
  int64_t rows = 0;
  int64_t cut = 0;  // texts that were too long for a cell
  std::unique_ptr<WorkFile> file;
};

struct BlockOptions {
  std::string path;  // of the work file
  bool counts_from_1904 = false;
};

// Fills rows, kinds and file of `block`.
Status write_block(FileSystem& files, const BlockOptions& options, engine::ResultStream& rows,
                   const RowProgress& progress, Block& block);

class BlockReader {
 public:
  static Result<BlockReader> open(const Block& block);
  // The next row's cells; false at the end.
  Result<bool> next(std::vector<BlockCell>& cells);

 private:
  BlockReader(FileReader reader, size_t columns, int64_t rows)
      : reader_(std::move(reader)), columns_(columns), left_(rows) {}
  Status need(size_t bytes);

  FileReader reader_;
  size_t columns_;
  int64_t left_;
  std::string bytes_;
  size_t at_ = 0;
};

}  // namespace tarn::report::template_file
