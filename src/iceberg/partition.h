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
  std::string text;   // as written, kept for unknown transforms
  bool operator==(const Transform&) const = default;
};

Result<Transform> parse_transform(std::string_view text);
std::string to_string(const Transform& transform);

// Type of the transform's result for a source type.
Type result_type(const Transform& transform, const Type& source);

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
};

struct SortField {
  int source_id = 0;
  Transform transform;
  bool descending = false;
  bool nulls_first = true;
};

struct SortOrder {
  int order_id = 0;  // 0 is always the unsorted order
  std::vector<SortField> fields;
};

}  // namespace tarn::iceberg
