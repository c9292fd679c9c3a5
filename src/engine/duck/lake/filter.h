// DuckDB's pushed-down filters as conditions that prune files.
#pragma once

#include "engine/duck/lake/glue.h"
#include "engine/duck/lake/table_entry.h"
#include "iceberg/filter.h"

namespace tarn::engine::lake {

// Adds what `filter` on a column says, as far as it can be said; what cannot is left to the rows' own filter.
void add_conditions(const TableEntry& table, db::column_t column, const db::TableFilter& filter,
                    iceberg::Filter& conditions);

// The same for `column IS [NOT] NULL`, which DuckDB leaves as an expression. `columns` are those of the scan.
void add_null_test(const TableEntry& table, const db::Expression& expression,
                   const db::vector<db::ColumnIndex>& columns, iceberg::Filter& conditions);

// False where DuckDB's Parquet reader (1.5.5) would answer a filter on the column wrongly: it looks a BLOB up
// in bloom filters by its text, and rounds a DOUBLE to the FLOAT of files older than the column's widening.
bool reader_filters_right(const TableEntry& table, db::column_t column);

// Mends what it would answer wrongly otherwise: it looks for 0.0 in bloom filters, which know -0.0 as another
// value.
void look_for_both_zeros(db::TableFilterSet& filters);

}  // namespace tarn::engine::lake
