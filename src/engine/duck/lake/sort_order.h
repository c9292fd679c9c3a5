// SORTED BY: from SQL to a sort order of the table, and which order rows are written in (write_plan.cc sorts
// them).
#pragma once

#include <optional>

#include "duckdb/parser/result_modifier.hpp"
#include "engine/duck/lake/glue.h"
#include "iceberg/metadata.h"

namespace tarn::engine::lake {

// Makes the keys the default sort order of the document; none: unsorted. An order that the document has
// already is used again. `schema` is the one that will be current. Nulls come last unless a key says
// otherwise, as in ORDER BY.
Status set_sort_order(iceberg::TableMetadata& metadata, const iceberg::Schema& schema,
                      const db::vector<db::OrderByNode>& keys);

// The order that rows are written in. Null: none, or one of another writer with a transform that is not known
// or a column that is gone.
const iceberg::SortOrder* write_order(const iceberg::TableMetadata& metadata);

// The id that files written in this order may carry. None when DuckDB's order of a key's type is not quite
// Iceberg's: -0.0 and 0.0 are one value to it.
std::optional<int> sort_order_id(const iceberg::TableMetadata& metadata, const iceberg::SortOrder& order);

}  // namespace tarn::engine::lake
