#include "engine/duck/lake/nan_filter.h"

#include <algorithm>

#include "duckdb/planner/expression/bound_reference_expression.hpp"
#include "duckdb/planner/filter/conjunction_filter.hpp"
#include "duckdb/planner/filter/expression_filter.hpp"
#include "duckdb/planner/filter/struct_filter.hpp"

namespace tarn::engine::lake {
namespace {

using FilterPointer = db::unique_ptr<db::TableFilter>;

bool may_hold_nan(const db::MultiFileColumnDefinition& column, const iceberg::DataFile& file) {
  if (column.type.id() == db::LogicalTypeId::FLOAT || column.type.id() == db::LogicalTypeId::DOUBLE) {
    if (column.identifier.IsNull() || column.identifier.type().id() != db::LogicalTypeId::INTEGER) {
      return true;
    }
    const auto counted = file.nan_value_counts.find(column.GetIdentifierFieldId());
    return counted == file.nan_value_counts.end() || counted->second != 0;
  }
  return std::any_of(column.children.begin(), column.children.end(),
                     [&](const db::MultiFileColumnDefinition& child) { return may_hold_nan(child, file); });
}

FilterPointer of_rows(const db::TableFilter& filter, const db::LogicalType& type);

// Null when one of the parts of an OR may be left out: then so may the whole.
FilterPointer of_rows(const db::ConjunctionFilter& filter, const db::LogicalType& type, bool all) {
  db::unique_ptr<db::ConjunctionFilter> made;
  if (all) {
    made = db::make_uniq<db::ConjunctionAndFilter>();
  } else {
    made = db::make_uniq<db::ConjunctionOrFilter>();
  }
  for (const auto& child : filter.child_filters) {
    auto part = of_rows(*child, type);
    if (part) {
      made->child_filters.push_back(std::move(part));
    } else if (!all) {
      return nullptr;
    }
  }
  return made->child_filters.empty() ? nullptr : FilterPointer(std::move(made));
}

// The same filter without an opinion on statistics. Null for one that need not be applied.
FilterPointer of_rows(const db::TableFilter& filter, const db::LogicalType& type) {
  switch (filter.filter_type) {
    case db::TableFilterType::IS_NULL:
    case db::TableFilterType::IS_NOT_NULL: return filter.Copy();
    case db::TableFilterType::OPTIONAL_FILTER:
    case db::TableFilterType::DYNAMIC_FILTER:
    case db::TableFilterType::BLOOM_FILTER: return nullptr;
    case db::TableFilterType::CONJUNCTION_AND:
      return of_rows(filter.Cast<db::ConjunctionAndFilter>(), type, true);
    case db::TableFilterType::CONJUNCTION_OR:
      return of_rows(filter.Cast<db::ConjunctionOrFilter>(), type, false);
    case db::TableFilterType::STRUCT_EXTRACT: {
      const auto& part = filter.Cast<db::StructFilter>();
      auto child = of_rows(*part.child_filter, db::StructType::GetChildType(type, part.child_idx));
      if (!child) {
        return nullptr;
      }
      return db::make_uniq<db::StructFilter>(part.child_idx, part.child_name, std::move(child));
    }
    case db::TableFilterType::CONSTANT_COMPARISON:
    case db::TableFilterType::IN_FILTER:
    case db::TableFilterType::EXPRESSION_FILTER: break;
  }
  return db::make_uniq<db::ExpressionFilter>(filter.ToExpression(db::BoundReferenceExpression(type, 0)));
}

}  // namespace

void ask_rows_for_nan(db::BaseFileReader& reader, const iceberg::DataFile& file) {
  auto kept = db::make_uniq<db::TableFilterSet>();
  for (auto& [local, filter] : reader.filters->filters) {
    const auto& column = reader.columns.at(reader.column_ids[db::MultiFileLocalIndex(local)].GetId());
    if (!may_hold_nan(column, file)) {
      kept->filters.emplace(local, std::move(filter));
      continue;
    }
    const auto expression = reader.expression_map.find(local);
    const auto& type =
        expression == reader.expression_map.end() ? column.type : expression->second->return_type;
    if (auto asked = of_rows(*filter, type)) {
      kept->filters.emplace(local, std::move(asked));
    }
  }
  reader.filters = kept->filters.empty() ? nullptr : std::move(kept);
}

}  // namespace tarn::engine::lake
