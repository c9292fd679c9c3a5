#include "engine/duck/lake/partition_key.h"

#include <fmt/format.h>

#include <algorithm>

#include "duckdb/function/scalar_function.hpp"
#include "duckdb/planner/expression/bound_function_expression.hpp"
#include "engine/duck/lake/transform_key.h"
#include "engine/duck/lake/types.h"

namespace tarn::engine::lake {
namespace {

using iceberg::TransformKind;

std::string suffix(const iceberg::Transform& transform) {
  switch (transform.kind) {
    case TransformKind::kBucket: return "_bucket";
    case TransformKind::kTruncate: return "_trunc";
    case TransformKind::kYear: return "_year";
    case TransformKind::kMonth: return "_month";
    case TransformKind::kDay: return "_day";
    case TransformKind::kHour: return "_hour";
    case TransformKind::kIdentity:
    case TransformKind::kVoid:
    case TransformKind::kUnknown: break;
  }
  return "";
}

// A field that an earlier spec had keeps its id and name.
iceberg::PartitionField reuse_or_make(iceberg::TableMetadata& metadata, const iceberg::Field& source,
                                      const iceberg::Transform& transform) {
  for (const auto& spec : metadata.partition_specs) {
    for (const auto& field : spec.fields) {
      if (field.source_id == source.id && field.transform == transform) {
        return field;
      }
    }
  }
  return {source.id, ++metadata.last_partition_id, source.name + suffix(transform), transform};
}

struct TransformInfo : public db::FunctionData {
  TransformInfo(iceberg::Transform t, iceberg::Type s) : transform(std::move(t)), source(std::move(s)) {}
  db::unique_ptr<db::FunctionData> Copy() const override {
    return db::make_uniq<TransformInfo>(transform, source);
  }
  bool Equals(const db::FunctionData& other) const override {
    return transform == other.Cast<TransformInfo>().transform;
  }
  iceberg::Transform transform;
  iceberg::Type source;
};

int64_t floor_div(int64_t value, int64_t by) {
  return value / by - (value % by < 0 ? 1 : 0);
}

// Days and hours of a timestamp without a detour: they are what large tables are partitioned by.
bool fast_transform(const TransformInfo& info, db::Vector& input, db::Vector& result, db::idx_t count) {
  using iceberg::TypeKind;
  const bool time = info.source.kind == TypeKind::kTimestamp || info.source.kind == TypeKind::kTimestampTz;
  if (!time || (info.transform.kind != TransformKind::kDay && info.transform.kind != TransformKind::kHour)) {
    return false;
  }
  const int64_t unit_us = info.transform.kind == TransformKind::kDay ? 86'400'000'000 : 3'600'000'000;
  db::UnaryExecutor::Execute<db::timestamp_t, int32_t>(
      input, result, count,
      [unit_us](db::timestamp_t value) { return static_cast<int32_t>(floor_div(value.value, unit_us)); });
  return true;
}

db::Value to_engine(const iceberg::Value& value, const db::LogicalType& type) {
  if (iceberg::is_null(value)) {
    return db::Value(type);
  }
  if (const auto* number = std::get_if<int32_t>(&value)) {
    return type.id() == db::LogicalTypeId::DATE ? db::Value::DATE(db::date_t(*number))
                                                : db::Value::INTEGER(*number);
  }
  if (const auto* number = std::get_if<int64_t>(&value)) {
    return db::Value::BIGINT(*number).DefaultCastAs(type);
  }
  if (const auto* text = std::get_if<std::string>(&value)) {
    return type.id() == db::LogicalTypeId::BLOB ? db::Value::BLOB_RAW(*text) : db::Value(*text);
  }
  const auto& unscaled = std::get<iceberg::Decimal>(value).unscaled;
  db::hugeint_t huge;
  huge.upper = static_cast<int64_t>(unscaled >> 64);
  huge.lower = static_cast<uint64_t>(unscaled);
  return db::Value::DECIMAL(huge, 38, db::DecimalType::GetScale(type)).DefaultCastAs(type);
}

void transform_chunk(db::DataChunk& arguments, db::ExpressionState& state, db::Vector& result) {
  const auto& info = state.expr.Cast<db::BoundFunctionExpression>().bind_info->Cast<TransformInfo>();
  auto& input = arguments.data[0];
  const db::idx_t count = arguments.size();
  if (fast_transform(info, input, result, count)) {
    return;
  }
  for (db::idx_t i = 0; i < count; ++i) {
    const auto value = to_iceberg(input.GetValue(i), info.source);
    if (!value) {
      throw_error({Code::kInternal, "a partition value does not have its column's type"});
    }
    result.SetValue(
        i, to_engine(value_or_throw(iceberg::apply(info.transform, info.source, *value)), result.GetType()));
  }
}

}  // namespace

Status set_partition_spec(iceberg::TableMetadata& metadata, const iceberg::Schema& schema,
                          const db::vector<db::unique_ptr<db::ParsedExpression>>& keys) {
  iceberg::PartitionSpec spec;
  for (const auto& expression : keys) {
    TARN_TRY(auto key, bind_key("PARTITIONED BY", *expression, schema));
    spec.fields.push_back(reuse_or_make(metadata, *key.source, key.transform));
  }
  int next_id = 0;
  for (const auto& known : metadata.partition_specs) {
    if (known.fields == spec.fields) {
      metadata.default_spec_id = known.spec_id;
      return ok();
    }
    next_id = std::max(next_id, known.spec_id + 1);
  }
  spec.spec_id = next_id;
  metadata.default_spec_id = spec.spec_id;
  metadata.partition_specs.push_back(std::move(spec));
  return ok();
}

db::unique_ptr<db::Expression> transform_expression(const iceberg::Transform& transform,
                                                    const iceberg::Type& source,
                                                    db::unique_ptr<db::Expression> column) {
  if (transform.kind == TransformKind::kIdentity) {
    return column;
  }
  // A day is a date to some readers; its value is a number of days in any case.
  auto type = engine_type(iceberg::result_type(transform, source));
  if (type.id() == db::LogicalTypeId::DATE) {
    type = db::LogicalType::INTEGER;
  }
  db::ScalarFunction function("tarn_partition_value", {column->return_type}, type, transform_chunk);
  function.SetNullHandling(db::FunctionNullHandling::SPECIAL_HANDLING);
  db::vector<db::unique_ptr<db::Expression>> children;
  children.push_back(std::move(column));
  return db::make_uniq<db::BoundFunctionExpression>(type, std::move(function), std::move(children),
                                                    db::make_uniq<TransformInfo>(transform, source));
}

}  // namespace tarn::engine::lake
