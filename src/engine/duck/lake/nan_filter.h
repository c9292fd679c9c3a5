// Filters on floating-point columns of files that may hold NaN. In a Parquet file of another writer the least
// and the greatest value leave NaN out (as the format says); DuckDB's reader (1.5.5) takes them for bounds of
// all rows, and so skips row groups in which NaN would match, or takes NaN for a row that matches.
#pragma once

#include "duckdb/common/multi_file/base_file_reader.hpp"
#include "engine/duck/lake/glue.h"
#include "iceberg/data_file.h"

namespace tarn::engine::lake {

// Of a reader whose filters are set: what is asked of such columns is asked of each row, not of statistics.
void ask_rows_for_nan(db::BaseFileReader& reader, const iceberg::DataFile& file);

}  // namespace tarn::engine::lake
