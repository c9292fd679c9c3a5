#include "iceberg/pruning.h"

#include <algorithm>
#include <limits>

namespace tarn::iceberg {
namespace {

const Transform kIdentity{.kind = TransformKind::kIdentity, .parameter = 0, .text = {}};

bool is_floating(const Type& type) {
  return type.kind == TypeKind::kFloat || type.kind == TypeKind::kDouble;
}

// SQL knows one zero, bounds two.
Value one_zero(const Value& value) {
  if (const auto* number = std::get_if<double>(&value); number != nullptr && *number == 0) {
    return 0.0;
  }
  if (const auto* number = std::get_if<float>(&value); number != nullptr && *number == 0) {
    return 0.0F;
  }
  return value;
}

// Truncation wraps around at the least integers, so that their partitions lie above all others; those of an
// int column stay where they are when it becomes long.
bool may_wrap(const Transform& transform, const Type& type, const ValueRange& range) {
  bool whole = type.kind == TypeKind::kInt || type.kind == TypeKind::kLong;
  if (transform.kind != TransformKind::kTruncate || !whole || is_null(range.upper)) {
    return false;
  }
  auto number_of = [](const Value& value) {
    const auto* small = std::get_if<int32_t>(&value);
    return small != nullptr ? *small : std::get<int64_t>(value);
  };
  auto upper = number_of(range.upper);
  auto lower = is_null(range.lower) ? std::numeric_limits<int64_t>::min() : number_of(range.lower);
  constexpr int64_t kIntMax = std::numeric_limits<int32_t>::max();
  bool at_int_end = upper > kIntMax - transform.parameter && lower <= kIntMax;
  return at_int_end || upper > std::numeric_limits<int64_t>::max() - transform.parameter;
}

bool below(const Value& value, const ValueRange& range) {
  return !is_null(range.lower) && compare(value, one_zero(range.lower)) < 0;
}

bool above(const Value& value, const ValueRange& range) {
  return !is_null(range.upper) && compare(value, one_zero(range.upper)) > 0;
}

bool may_equal(const Value& value, const ValueRange& range) {
  if (is_nan(value)) {
    return range.may_be_nan;
  }
  return !below(value, range) && !above(value, range);
}

bool at_end(const Value& value, const Value& end) {
  return !is_null(end) && compare(value, one_zero(end)) == 0;
}

// `literal` is the transform's result. With a transform that joins several values, x < y only gives t(x) <=
// t(y).
bool may_order(Operator op, const Value& literal, const ValueRange& range, bool exact) {
  if (is_nan(literal)) {
    return true;
  }
  switch (op) {
    case Operator::kEqual: return may_equal(literal, range);
    case Operator::kNotEqual:
      return !exact || range.may_be_nan || !at_end(literal, range.lower) || !at_end(literal, range.upper);
    case Operator::kLess: return !below(literal, range) && !(exact && at_end(literal, range.lower));
    case Operator::kLessEqual: return !below(literal, range);
    case Operator::kGreater:
      return range.may_be_nan || (!above(literal, range) && !(exact && at_end(literal, range.upper)));
    case Operator::kGreaterEqual: return range.may_be_nan || !above(literal, range);
    default: return true;
  }
}

// The literal as the range's values are; null when nothing can be said.
Value literal_of(const Transform& transform, const Type& type, const Value& value) {
  auto held = promote(type, value);
  if (!held || is_null(*held)) {
    return {};
  }
  auto result = apply(transform, type, *held);
  bool wrapped = result && transform.kind == TransformKind::kTruncate && compare(*result, *held) > 0;
  return result && !wrapped ? one_zero(*result) : Value();
}

bool may_be_one_of(const Condition& condition, const Type& type, const Transform& transform,
                   const ValueRange& range) {
  return std::any_of(condition.values.begin(), condition.values.end(), [&](const Value& value) {
    if (is_null(value)) {
      return false;  // nothing equals null
    }
    auto literal = literal_of(transform, type, value);
    return is_null(literal) || may_equal(literal, range);
  });
}

Value bound_of(const Type& type, const std::optional<std::string>& bytes) {
  if (!bytes) {
    return {};
  }
  auto value = from_bytes(type, *bytes);
  return value && !is_nan(*value) ? std::move(*value) : Value();
}

std::optional<int64_t> count_of(const std::map<int, int64_t>& counts, int id) {
  auto at = counts.find(id);
  return at == counts.end() ? std::nullopt : std::optional<int64_t>(at->second);
}

std::optional<std::string> bytes_of(const std::map<int, std::string>& bounds, int id) {
  auto at = bounds.find(id);
  return at == bounds.end() ? std::nullopt : std::optional<std::string>(at->second);
}

ValueRange range_of(const DataFile& file, const Field& field) {
  ValueRange range;
  auto values = count_of(file.value_counts, field.id);
  auto nulls = count_of(file.null_value_counts, field.id);
  auto nans = count_of(file.nan_value_counts, field.id);
  range.may_be_null = !nulls || *nulls != 0;
  range.may_be_value = !nulls || !values || *nulls != *values;
  range.may_be_nan = is_floating(field.type) && (!nans || *nans != 0);
  if (field.type.kind == TypeKind::kUuid) {
    return range;  // some writers order UUIDs as signed numbers
  }
  range.lower = bound_of(field.type, bytes_of(file.lower_bounds, field.id));
  range.upper = bound_of(field.type, bytes_of(file.upper_bounds, field.id));
  if (!is_null(range.lower) && !is_null(range.upper) && compare(range.lower, range.upper) > 0) {
    range.lower = range.upper = Value();
  }
  return range;
}

// Whether a partition value tells whether its source is null, and anything at all.
bool is_telling(const Transform& transform) {
  return transform.kind != TransformKind::kVoid && transform.kind != TransformKind::kUnknown;
}

ValueRange range_of_partition(const Type& type, const Value& value) {
  ValueRange range;
  if (is_null(value)) {
    range.may_be_value = range.may_be_nan = false;
    return range;
  }
  auto held = promote(type, value);
  range.may_be_null = false;
  range.may_be_nan = is_floating(type) && (!held || is_nan(*held));
  if (held && !is_nan(*held)) {
    range.lower = range.upper = std::move(*held);
  }
  return range;
}

ValueRange range_of_summary(const Type& type, const FieldSummary& summary) {
  ValueRange range;
  range.may_be_null = summary.contains_null;
  range.may_be_nan = is_floating(type) && summary.contains_nan.value_or(true);
  range.lower = bound_of(type, summary.lower_bound);
  range.upper = bound_of(type, summary.upper_bound);
  return range;
}

}  // namespace

bool may_satisfy(const Condition& condition, const Type& type, const Transform& transform,
                 const ValueRange& range) {
  if (condition.op == Operator::kIsNull) {
    return range.may_be_null;
  }
  if (!range.may_be_value) {
    return false;
  }
  if (condition.op == Operator::kNotNull || may_wrap(transform, type, range)) {
    return true;
  }
  if (condition.op == Operator::kIn) {
    return may_be_one_of(condition, type, transform, range);
  }
  if (condition.values.size() != 1) {
    return true;
  }
  if (transform.kind == TransformKind::kBucket && condition.op != Operator::kEqual) {
    return true;
  }
  auto literal = literal_of(transform, type, condition.values[0]);
  bool exact = transform.kind == TransformKind::kIdentity;
  return is_null(literal) || may_order(condition.op, literal, range, exact);
}

const Field* find_prunable(const std::vector<Field>& fields, int field_id) {
  for (const auto& field : fields) {
    if (field.id == field_id) {
      return field.type.is_nested() ? nullptr : &field;
    }
    if (field.type.kind == TypeKind::kStruct) {
      if (const auto* inner = find_prunable(field.type.fields, field_id)) {
        return inner;
      }
    }
  }
  return nullptr;
}

bool may_match(const TableMetadata& metadata, const DataFile& file, const Filter& filter) {
  const auto* spec = metadata.spec(file.spec_id);
  bool known_spec = spec != nullptr && spec->fields.size() == file.partition.size();
  for (const auto& condition : filter.conditions) {
    const auto* field = find_prunable(metadata.schema().fields, condition.field_id);
    if (field == nullptr) {
      continue;
    }
    for (size_t i = 0; known_spec && i < spec->fields.size(); ++i) {
      const auto& partition = spec->fields[i];
      if (partition.source_id != field->id || !is_telling(partition.transform)) {
        continue;
      }
      auto range = range_of_partition(result_type(partition.transform, field->type), file.partition[i]);
      if (!may_satisfy(condition, field->type, partition.transform, range)) {
        return false;
      }
    }
    if (!may_satisfy(condition, field->type, kIdentity, range_of(file, *field))) {
      return false;
    }
  }
  return true;
}

bool may_match(const TableMetadata& metadata, const ManifestFile& manifest, const Filter& filter) {
  const auto* spec = metadata.spec(manifest.spec_id);
  if (spec == nullptr || spec->fields.size() != manifest.partitions.size()) {
    return true;
  }
  for (const auto& condition : filter.conditions) {
    const auto* field = find_prunable(metadata.schema().fields, condition.field_id);
    for (size_t i = 0; field != nullptr && i < spec->fields.size(); ++i) {
      const auto& partition = spec->fields[i];
      if (partition.source_id != field->id || !is_telling(partition.transform)) {
        continue;
      }
      auto range = range_of_summary(result_type(partition.transform, field->type), manifest.partitions[i]);
      if (!may_satisfy(condition, field->type, partition.transform, range)) {
        return false;
      }
    }
  }
  return true;
}

}  // namespace tarn::iceberg
