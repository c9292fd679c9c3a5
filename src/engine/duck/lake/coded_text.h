// Texts with few values, written by their codes. A text column costs DuckDB's Parquet writer a hash for each
// row, even when every row holds the same constant; an ENUM column costs next to nothing and gives the same
// column of the file (BYTE_ARRAY, UTF8, with a dictionary).
#pragma once

#include "engine/duck/lake/glue.h"

namespace tarn::engine::lake {

// Where column `column` of `plan` is a text constant, or an ENUM cast to text, the plan is changed to give
// the ENUM itself; it must not run before. Answers whether it was changed: plan.types[column] is an ENUM
// then.
bool code_text_column(db::PhysicalOperator& plan, db::idx_t column);

}  // namespace tarn::engine::lake
