// Fills a person's own .xlsx: cells, named ranges and tables get rows of queries; everything else stays as it
// is. Rows are inserted where a range grows, and whatever refers to what moved follows. One thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/diagnostic.h"
#include "base/env/env.h"
#include "base/result.h"
#include "engine/connection.h"
#include "report/config.h"
#include "report/workbook/book_writer.h"

namespace tarn::report::template_file {

struct FillOptions {
  std::string template_path;  // absolute
  std::string shown_path;     // for messages
  std::string path;           // absolute; written by finish()
  std::string work_folder;
};

class Filler {
 public:
  // Refuses what is no .xlsx: encrypted, with macros, broken, or too large unpacked.
  static Result<std::unique_ptr<Filler>> open(Env& env, FillOptions options);
  virtual ~Filler() = default;
  virtual Result<int64_t> fill(const FillConfig& fill, engine::ResultStream& rows,
                               const RowProgress& progress) = 0;
  virtual Status finish() = 0;
  // What a reader should know: texts that were cut.
  [[nodiscard]] virtual std::vector<std::string> warnings() const = 0;
};

// One fill whose query has these columns; none: the query is wrong and was told already.
struct FillShape {
  const FillConfig* fill = nullptr;
  std::vector<std::string> columns;
};

// Mistakes that can be seen without running the queries. `root` is the project's.
void check_template(const std::string& root, const ReportConfig& config, const std::vector<FillShape>& fills,
                    Diagnostics& diagnostics);

}  // namespace tarn::report::template_file
