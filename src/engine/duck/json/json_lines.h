// Table functions over files of JSON lines, for text that Tarn itself writes (the guard denies them to
// people).
//
//   tarn_json_lines(paths, fetches, keys, names, types, required, scan [, bytes])
//     One row a line that is an object of these keys (another value stands under the key "value"); blank
//     lines are left out. Columns: the names whose type is not "" ("": the key is known and not wanted), then
//     tarn_fetch ENUM, tarn_row BIGINT (see tarn_json_ranges), tarn_raw VARCHAR. Files are read in parallel
//     ranges; the order of the lines is kept where DuckDB asks for it. `bytes`: only the first of each file.
//   After a statement has read it whole, the same connection can ask what `scan` (a number of the caller's)
//   saw: tarn_json_rejects(scan)  fetch_id, row_number, reason, raw   lines that made no row
//   tarn_json_keys(scan)     key, type, nested                   keys that it was not told of, and their
//   types tarn_json_ranges(scan)   fetch_id, range, lines_before       line = lines_before + tarn_row % 2^32
//   where
//                                                                range = tarn_row // 2^32
#pragma once

#include "duckdb.hpp"

namespace tarn::engine::json {

void register_json_lines(duckdb::DatabaseInstance& database);

}  // namespace tarn::engine::json
