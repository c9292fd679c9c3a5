#include "engine/duck/lake/filter.h"

#include "duckdb/planner/filter/conjunction_filter.hpp"
#include "duckdb/planner/filter/constant_filter.hpp"
#include "duckdb/planner/filter/in_filter.hpp"
#include "duckdb/planner/filter/null_filter.hpp"
#include "duckdb/planner/filter/optional_filter.hpp"
#include "duckdb/planner/filter/struct_filter.hpp"
#include "engine/duck/lake/types.h"

namespace tarn::engine::lake {
namespace {

using iceberg::Operator;

struct Target {
  const iceberg::Field& field;
  const db::LogicalType& type;  // as declared
};

// Text that stands for a value of another type is not in the value's order, and may spell one value in two
// ways.
bool stored_comparably(const Target& target) {
  switch (target.type.id()) {
    case db::LogicalTypeId::ENUM:
    case db::LogicalTypeId::BIT:
    case db::LogicalTypeId::INTERVAL:
    case db::LogicalTypeId::TIME_TZ:
    case db::LogicalTypeId::BIGNUM: return false;
    default: return !target.field.type.is_nested();
  }
}

std::optional<iceberg::Value> literal(const Target& target, const db::Value& value) {
  if (value.IsNull()) {
    return std::nullopt;
  }
  auto converted = to_iceberg(value, target.field.type);
  if (!converted) {
    return std::nullopt;
  }
  // A cast that rounds would move the boundary.
  db::Value there;
  db::Value back;
  db::string error;
  if (!value.DefaultTryCastAs(engine_type(target.field.type), there, &error, true) ||
      !there.DefaultTryCastAs(value.type(), back, &error, true) || back != value) {
    return std::nullopt;
  }
  return converted;
}

std::optional<Operator> operator_of(db::ExpressionType type) {
  switch (type) {
    case db::ExpressionType::COMPARE_EQUAL: return Operator::kEqual;
    case db::ExpressionType::COMPARE_NOTEQUAL: return Operator::kNotEqual;
    case db::ExpressionType::COMPARE_LESSTHAN: return Operator::kLess;
    case db::ExpressionType::COMPARE_LESSTHANOREQUALTO: return Operator::kLessEqual;
    case db::ExpressionType::COMPARE_GREATERTHAN: return Operator::kGreater;
    case db::ExpressionType::COMPARE_GREATERTHANOREQUALTO: return Operator::kGreaterEqual;
    default: return std::nullopt;
  }
}

void add_constant(const Target& target, const db::ConstantFilter& filter, iceberg::Filter& conditions) {
  const auto op = operator_of(filter.comparison_type);
  if (!op || !stored_comparably(target)) {
    return;
  }
  const auto value = literal(target, filter.constant);
  if (value) {
    conditions.conditions.push_back({target.field.id, *op, {*value}});
  }
}

void add_in(const Target& target, const db::InFilter& filter, iceberg::Filter& conditions) {
  if (!stored_comparably(target)) {
    return;
  }
  iceberg::Condition condition{target.field.id, Operator::kIn, {}};
  for (const auto& entry : filter.values) {
    const auto value = literal(target, entry);
    if (!value) {
      return;
    }
    condition.values.push_back(*value);
  }
  conditions.conditions.push_back(std::move(condition));
}

void add(const Target& target, const db::TableFilter& filter, iceberg::Filter& conditions) {
  switch (filter.filter_type) {
    case db::TableFilterType::CONSTANT_COMPARISON:
      return add_constant(target, filter.Cast<db::ConstantFilter>(), conditions);
    case db::TableFilterType::IN_FILTER: return add_in(target, filter.Cast<db::InFilter>(), conditions);
    case db::TableFilterType::IS_NULL:
      conditions.conditions.push_back({target.field.id, Operator::kIsNull, {}});
      return;
    case db::TableFilterType::IS_NOT_NULL:
      conditions.conditions.push_back({target.field.id, Operator::kNotNull, {}});
      return;
    case db::TableFilterType::CONJUNCTION_AND:
      for (const auto& child : filter.Cast<db::ConjunctionAndFilter>().child_filters) {
        add(target, *child, conditions);
      }
      return;
    case db::TableFilterType::OPTIONAL_FILTER:
      if (const auto& child = filter.Cast<db::OptionalFilter>().child_filter) {
        add(target, *child, conditions);
      }
      return;
    case db::TableFilterType::STRUCT_EXTRACT: {
      const auto& part = filter.Cast<db::StructFilter>();
      const bool known = target.field.type.kind == iceberg::TypeKind::kStruct &&
                         target.type.id() == db::LogicalTypeId::STRUCT &&
                         part.child_idx < target.field.type.fields.size();
      if (known) {
        add({target.field.type.fields[part.child_idx],
             db::StructType::GetChildType(target.type, part.child_idx)},
            *part.child_filter, conditions);
      }
      return;
    }
    default: return;
  }
}

}  // namespace

void add_conditions(const TableEntry& table, db::column_t column, const db::TableFilter& filter,
                    iceberg::Filter& conditions) {
  const auto& fields = table.metadata()->schema().fields;
  if (column >= fields.size()) {
    return;  // a virtual column
  }
  const auto& field = fields[column];
  // A value that rows of older files only show is in no file's bounds.
  if (table.metadata()->properties.contains("tarn.column." + std::to_string(field.id) + ".initial")) {
    return;
  }
  add({field, table.GetColumn(db::LogicalIndex(column)).Type()}, filter, conditions);
}

}  // namespace tarn::engine::lake
