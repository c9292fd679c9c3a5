// A workbook without a template: one formatted sheet a query, and a sheet that says where the numbers come
// from. Rows are written as they come: memory does not grow with them. One thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "engine/connection.h"
#include "report/config.h"

namespace tarn::report {

// What the info sheet says.
struct BookFacts {
  std::string title;
  std::string description;
  std::vector<std::pair<std::string, std::string>> lines;       // "Made at": …
  std::vector<std::pair<std::string, std::string>> parameters;  // label and value
  std::vector<std::pair<std::string, std::string>> queries;     // sheet and SQL
};

struct BookOptions {
  std::string path;         // absolute; created or replaced
  std::string work_folder;  // absolute; rows wait there until the file is put together
  int64_t sheet_rows_max = 1'048'576;
};

using RowProgress = std::function<Status(int64_t rows)>;  // an error stops

class BookWriter {
 public:
  static Result<std::unique_ptr<BookWriter>> create(BookOptions options);
  virtual ~BookWriter() = default;
  // All rows of the result; continues on further sheets when one is full. Returns the rows.
  virtual Result<int64_t> add_sheet(const SheetConfig& config, engine::ResultStream& rows,
                                    const RowProgress& progress) = 0;
  // The info sheet comes last; null: none. Nothing may be called afterwards.
  virtual Status finish(const BookFacts* facts) = 0;
};

}  // namespace tarn::report
