// A condition of a statement as text for the other side, which is DuckDB, too, and may hand it on. Only what
// cannot fail and means the same there: comparisons of a column with constants, IN, BETWEEN, IS NULL, and
// what AND, OR and NOT make of those.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "duckdb.hpp"

namespace duckdb {
class BoundColumnRefExpression;
class Expression;
}  // namespace duckdb

namespace tarn::engine::outside {

// The column's quoted name, or nothing when it is of another table.
using ColumnName = std::function<std::optional<std::string>(const duckdb::BoundColumnRefExpression& column)>;

// Nothing: the other side is not asked.
std::optional<std::string> condition_text(const duckdb::Expression& condition, const ColumnName& column_name);

}  // namespace tarn::engine::outside
