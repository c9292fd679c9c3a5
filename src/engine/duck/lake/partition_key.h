// PARTITIONED BY: from SQL to a partition spec, and the values of its fields, and of a
// sort order's, as engine expressions.
#pragma once

#include <string>

#include "engine/duck/lake/glue.h"
#include "iceberg/metadata.h"

namespace tarn::engine::lake {

// Makes the keys (`col`, `day(col)`, `bucket(8, col)`, …) the default spec of the document; none:
// unpartitioned. A spec that the document has already is used again. `schema` is the one that will be
// current.
Status set_partition_spec(iceberg::TableMetadata& metadata, const iceberg::Schema& schema,
                          const db::vector<db::unique_ptr<db::ParsedExpression>>& keys);

// Computes a partition or sort field from its source column, for one row group after another; nulls stay
// null.
db::unique_ptr<db::Expression> transform_expression(const iceberg::Transform& transform,
                                                    const iceberg::Type& source,
                                                    db::unique_ptr<db::Expression> column);

}  // namespace tarn::engine::lake
