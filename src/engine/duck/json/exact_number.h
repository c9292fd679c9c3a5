// Whole numbers from text without rounding: "5", "5.0" and "5e0" are 5, "5.5" is none.
#pragma once

#include <string_view>

#include "duckdb.hpp"

namespace tarn::engine::json {

// Into vector[row], whose type is one of DuckDB's integers; false: it does not hold the number, or it is
// none.
bool read_whole(std::string_view text, duckdb::Vector& vector, duckdb::idx_t row);

}  // namespace tarn::engine::json
