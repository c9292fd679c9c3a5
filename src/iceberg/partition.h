// Partition specs, sort orders and transforms (spec: "Partitioning", "Sorting").
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "iceberg/value.h"

namespace tarn::iceberg {

enum class TransformKind { kIdentity, kBucket, kTruncate, kYear, kMonth, kDay, kHour, kVoid, kUnknown };

struct Transform {
  TransformKind kind = TransformKind::kIdentity;
  int parameter = 0;  // bucket: N; truncate: W
  std::string text;   // only for unknown transforms: as written
  bool operator==(const Transform&) const = default;
};

Result<Transform> parse_transform(std::string_view text);
std::string to_string(const Transform& transform);

// Type of the transform's result for a source type.
Type result_type(const Transform& transform, const Type& source);

// Whether the transform may be used on a column of this type, as an error that says why not.
Status check_transform(const Transform& transform, const Type& source);

// The first so many code points of UTF-8 text.
std::string truncate_text(const std::string& text, size_t code_points);

// Applies the transform; null gives null. Fails when the source type does not allow it.
Result<Value> apply(const Transform& transform, const Type& source, const Value& value);

struct PartitionField {
  int source_id = 0;
  int field_id = 0;  // from 1000, never reused
  std::string name;
  Transform transform;
  bool operator==(const PartitionField&) const = default;
};

struct PartitionSpec {
  int spec_id = 0;
  std::vector<PartitionField> fields;
  [[nodiscard]] bool is_unpartitioned() const { return fields.empty(); }
  bool operator==(const PartitionSpec&) const = default;
};

// Bytes that are the same for the same partition of the same spec, also when a column was widened in between.
std::string partition_key(int spec_id, const std::vector<Value>& values);

struct SortField {
  int source_id = 0;
  Transform transform;
  bool descending = false;
  bool nulls_first = true;
  bool operator==(const SortField&) const = default;
};

struct SortOrder {
  int order_id = 0;  // 0 is always the unsorted order
  std::vector<SortField> fields;
  bool operator==(const SortOrder&) const = default;
};

}  // namespace tarn::iceberg
