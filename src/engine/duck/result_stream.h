// Results of DuckDB as text and Arrow. Only for engine/duck.
#pragma once

#include <memory>
#include <string>

#include "duckdb.hpp"
#include "engine/connection.h"

namespace tarn::engine {

// Columns of a result or a prepared statement.
std::vector<Column> columns_of(const duckdb::vector<std::string>& names,
                               const duckdb::vector<duckdb::LogicalType>& types);

// Rows changed, from a result whose statement returns only a count; reads it.
int64_t take_rows_changed(duckdb::QueryResult& result);

// `result` has no error. `sql` is only for places in errors.
std::unique_ptr<ResultStream> make_stream(duckdb::shared_ptr<duckdb::ClientContext> context,
                                          duckdb::unique_ptr<duckdb::QueryResult> result, std::string sql);

}  // namespace tarn::engine
