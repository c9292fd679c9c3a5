// Statistics of a Parquet file's columns, from the text in which DuckDB's writer returns them to the bounds
// of a DataFile (spec: "Metrics", appendix D). Bounds are never tighter than the values: what cannot be read
// is left out.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "iceberg/data_file.h"
#include "iceberg/type.h"
#include "iceberg/value.h"

namespace tarn::iceberg {

// Reads a value as DuckDB prints it: '2024-01-01 00:00:00+00', '1.20', 'true' or '1', blobs in hexadecimal.
Result<Value> parse_text(const Type& type, std::string_view text);

// Bound bytes: text and binary cut to 16 code points or bytes, an upper bound then incremented; nullopt when
// there is no such bound (NaN, null, nothing to increment).
std::optional<std::string> lower_bound(const Type& type, const Value& value);
std::optional<std::string> upper_bound(const Type& type, const Value& value);

// One column chunk's statistics, as far as the writer gave them. value_count includes nulls.
struct ColumnStatistics {
  std::optional<std::string> min;
  std::optional<std::string> max;
  std::optional<int64_t> value_count;
  std::optional<int64_t> null_count;
  std::optional<int64_t> size_bytes;
  std::optional<bool> has_nan;
};

// Puts the statistics of the primitive column `field` into `file`. Bounds are left out where the text cannot
// be read as the column's type or the column `in_collection` lies inside a list or map.
void add_statistics(DataFile& file, const Field& field, const ColumnStatistics& statistics,
                    bool in_collection);

}  // namespace tarn::iceberg
