// Proofs that no value of a range satisfies a condition. Every function answers "may match" when in doubt.
#pragma once

#include "iceberg/data_file.h"
#include "iceberg/filter.h"
#include "iceberg/metadata.h"

namespace tarn::iceberg {

// What is known of the values of a column or partition field in a file or manifest.
struct ValueRange {
  Value lower;  // null: not known
  Value upper;  // null: not known
  bool may_be_null = true;
  bool may_be_value = true;  // false: all are null
  bool may_be_nan = true;    // of floating-point columns
};

// Whether values of `range` may satisfy the condition on a column of `type`. With a transform, the range is
// of its results, and the condition still of the column.
bool may_satisfy(const Condition& condition, const Type& type, const Transform& transform,
                 const ValueRange& range);

// The field, if it can be pruned by: primitive and not inside a list or map.
const Field* find_prunable(const std::vector<Field>& fields, int field_id);

bool may_match(const TableMetadata& metadata, const DataFile& file, const Filter& filter);
bool may_match(const TableMetadata& metadata, const ManifestFile& manifest, const Filter& filter);

}  // namespace tarn::iceberg
