// What a table is partitioned or sorted by, in SQL: `col`, `day(col)`, `bucket(8, col)`, …
#pragma once

#include <string_view>

#include "duckdb/parser/parsed_expression.hpp"
#include "engine/duck/lake/glue.h"
#include "iceberg/metadata.h"

namespace tarn::engine::lake {

struct BoundKey {
  const iceberg::Field* source;  // of the schema that was given
  iceberg::Transform transform;
};

// `clause` is what errors begin with: "PARTITIONED BY".
Result<BoundKey> bind_key(std::string_view clause, const db::ParsedExpression& expression,
                          const iceberg::Schema& schema);

// The way back. Null: SQL has no form for it, or its column is gone.
db::unique_ptr<db::ParsedExpression> key_expression(const iceberg::Schema& schema, int source_id,
                                                    const iceberg::Transform& transform);

}  // namespace tarn::engine::lake
