#include "engine/duck/lake/filter.h"

#include <algorithm>

#include "duckdb/planner/expression/bound_columnref_expression.hpp"
#include "duckdb/planner/expression/bound_operator_expression.hpp"
#include "duckdb/planner/filter/conjunction_filter.hpp"
#include "duckdb/planner/filter/constant_filter.hpp"
#include "duckdb/planner/filter/in_filter.hpp"
#include "duckdb/planner/filter/null_filter.hpp"
#include "duckdb/planner/filter/optional_filter.hpp"
#include "duckdb/planner/filter/struct_filter.hpp"
#include "engine/duck/lake/table_definition.h"
#include "engine/duck/lake/types.h"
#include "iceberg/pruning.h"

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

void add(const Target& target, const db::TableFilter& filter, iceberg::Filter& conditions);

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

// "a = 1 or a = 2" and "a in (1, 2) or a = 3" are one list of values.
void add_or(const Target& target, const db::ConjunctionOrFilter& filter, iceberg::Filter& conditions) {
  iceberg::Condition all{target.field.id, Operator::kIn, {}};
  for (const auto& child : filter.child_filters) {
    iceberg::Filter one;
    add(target, *child, one);
    const bool equal = one.conditions.size() == 1 && one.conditions[0].field_id == all.field_id &&
                       (one.conditions[0].op == Operator::kEqual || one.conditions[0].op == Operator::kIn);
    if (!equal) {
      return;
    }
    all.values.insert(all.values.end(), one.conditions[0].values.begin(), one.conditions[0].values.end());
  }
  conditions.conditions.push_back(std::move(all));
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
    case db::TableFilterType::CONJUNCTION_OR:
      return add_or(target, filter.Cast<db::ConjunctionOrFilter>(), conditions);
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

namespace {

// Null when the column's value is in no file's bounds: a virtual column, or one that older rows only show.
const iceberg::Field* prunable_field(const TableEntry& table, db::column_t column) {
  const auto& fields = table.metadata()->schema().fields;
  if (column >= fields.size()) {
    return nullptr;
  }
  const auto& field = fields[column];
  return table.metadata()->properties.contains(column_property(field.id, "initial")) ? nullptr : &field;
}

bool was_float(const iceberg::TableMetadata& metadata, int field_id) {
  return std::any_of(metadata.schemas.begin(), metadata.schemas.end(), [&](const iceberg::Schema& schema) {
    const auto* field = iceberg::find_prunable(schema.fields, field_id);
    return field != nullptr && field->type.kind == iceberg::TypeKind::kFloat;
  });
}

bool reader_filters_right(const iceberg::TableMetadata& metadata, const iceberg::Field& field) {
  switch (field.type.kind) {
    case iceberg::TypeKind::kBinary:
    case iceberg::TypeKind::kFixed: return false;
    case iceberg::TypeKind::kDouble: return !was_float(metadata, field.id);
    case iceberg::TypeKind::kStruct:
      return std::all_of(field.type.fields.begin(), field.type.fields.end(),
                         [&](const iceberg::Field& child) { return reader_filters_right(metadata, child); });
    default: return true;
  }
}

bool is_zero(const db::Value& value) {
  switch (value.type().id()) {
    case db::LogicalTypeId::FLOAT: return !value.IsNull() && value.GetValue<float>() == 0;
    case db::LogicalTypeId::DOUBLE: return !value.IsNull() && value.GetValue<double>() == 0;
    default: return false;
  }
}

// x = 0.0 becomes x >= 0.0 AND x <= 0.0, for which no bloom filter is asked.
void look_for_both_zeros(db::unique_ptr<db::TableFilter>& filter) {
  switch (filter->filter_type) {
    case db::TableFilterType::CONSTANT_COMPARISON: {
      const auto& comparison = filter->Cast<db::ConstantFilter>();
      if (comparison.comparison_type != db::ExpressionType::COMPARE_EQUAL || !is_zero(comparison.constant)) {
        return;
      }
      auto both = db::make_uniq<db::ConjunctionAndFilter>();
      for (const auto type : {db::ExpressionType::COMPARE_GREATERTHANOREQUALTO,
                              db::ExpressionType::COMPARE_LESSTHANOREQUALTO}) {
        both->child_filters.push_back(db::make_uniq<db::ConstantFilter>(type, comparison.constant));
      }
      filter = std::move(both);
      return;
    }
    case db::TableFilterType::CONJUNCTION_AND:
    case db::TableFilterType::CONJUNCTION_OR:
      for (auto& child : static_cast<db::ConjunctionFilter&>(*filter).child_filters) {
        look_for_both_zeros(child);
      }
      return;
    case db::TableFilterType::STRUCT_EXTRACT:
      return look_for_both_zeros(filter->Cast<db::StructFilter>().child_filter);
    default: return;
  }
}

}  // namespace

void look_for_both_zeros(db::TableFilterSet& filters) {
  for (auto& [column, filter] : filters.filters) {
    look_for_both_zeros(filter);
  }
}

bool reader_filters_right(const TableEntry& table, db::column_t column) {
  const auto& fields = table.metadata()->schema().fields;
  return column >= fields.size() || reader_filters_right(*table.metadata(), fields[column]);
}

void add_conditions(const TableEntry& table, db::column_t column, const db::TableFilter& filter,
                    iceberg::Filter& conditions) {
  if (const auto* field = prunable_field(table, column)) {
    add({*field, table.GetColumn(db::LogicalIndex(column)).Type()}, filter, conditions);
  }
}

void add_null_test(const TableEntry& table, const db::Expression& expression,
                   const db::vector<db::ColumnIndex>& columns, iceberg::Filter& conditions) {
  const auto type = expression.GetExpressionType();
  const bool is_null = type == db::ExpressionType::OPERATOR_IS_NULL;
  if (!is_null && type != db::ExpressionType::OPERATOR_IS_NOT_NULL) {
    return;
  }
  const auto& child = *expression.Cast<db::BoundOperatorExpression>().children[0];
  if (child.GetExpressionClass() != db::ExpressionClass::BOUND_COLUMN_REF) {
    return;
  }
  const auto position = child.Cast<db::BoundColumnRefExpression>().binding.column_index;
  if (position >= columns.size() || columns[position].HasChildren()) {
    return;
  }
  if (const auto* field = prunable_field(table, columns[position].GetPrimaryIndex())) {
    conditions.conditions.push_back({field->id, is_null ? Operator::kIsNull : Operator::kNotNull, {}});
  }
}

}  // namespace tarn::engine::lake
