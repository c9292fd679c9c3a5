// Rows of an open result as CSV, JSON or NDJSON, written as they come.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/connection.h"

namespace tarn::serve {

using ByteSink = std::function<Status(std::string_view)>;

// Calls in this order: columns, rows…, end. One thread.
class RowWriter {
 public:
  virtual ~RowWriter() = default;
  virtual Status columns(const std::vector<engine::Column>& columns) = 0;
  virtual Status rows(const engine::TextBatch& batch) = 0;
  virtual Status end() = 0;
};

std::unique_ptr<RowWriter> make_csv_writer(ByteSink sink);
// One array of objects.
std::unique_ptr<RowWriter> make_json_writer(ByteSink sink);
// One object a line.
std::unique_ptr<RowWriter> make_ndjson_writer(ByteSink sink);
// "csv", "json", "ndjson"; null for any other name.
std::unique_ptr<RowWriter> make_row_writer(std::string_view format, ByteSink sink);
std::string_view content_type_of(std::string_view format);

// Drains the stream into the writer; returns how many rows there were.
Result<int64_t> write_rows(engine::ResultStream& stream, RowWriter& writer);

}  // namespace tarn::serve
