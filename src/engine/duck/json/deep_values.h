// Two of DuckDB's functions fail badly on JSON that is nested without measure: json_structure recurses until
// the process ends, json_pretty indents until memory ends (100,000 brackets make 40 GB). They refuse such
// values here.
#pragma once

#include "duckdb.hpp"

namespace tarn::engine::json {

// Once, before the first statement.
void refuse_deep_values(duckdb::DatabaseInstance& database);

}  // namespace tarn::engine::json
