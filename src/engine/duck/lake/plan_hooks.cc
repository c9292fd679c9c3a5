#include "engine/duck/lake/plan_hooks.h"

#include <algorithm>

#include "duckdb/optimizer/optimizer_extension.hpp"
#include "duckdb/parser/statement/merge_into_statement.hpp"
#include "duckdb/planner/expression/bound_columnref_expression.hpp"
#include "duckdb/planner/operator/logical_delete.hpp"
#include "duckdb/planner/operator/logical_get.hpp"
#include "duckdb/planner/operator/logical_merge_into.hpp"
#include "engine/duck/lake/filter.h"
#include "engine/duck/lake/row_changes.h"
#include "engine/duck/lake/table_entry.h"

namespace tarn::engine::lake {
namespace {

db::LogicalGet* find_scan(db::LogicalOperator& plan, db::idx_t table_index) {
  if (plan.type == db::LogicalOperatorType::LOGICAL_GET) {
    auto& get = plan.Cast<db::LogicalGet>();
    return get.table_index == table_index ? &get : nullptr;
  }
  for (auto& child : plan.children) {
    if (auto* found = find_scan(*child, table_index)) {
      return found;
    }
  }
  return nullptr;
}

// Appends the columns of `table` to `expressions`, of which `place` names a row of it.
void add_columns(db::TableCatalogEntry& table, db::LogicalOperator& below, const db::Expression& place,
                 db::vector<db::unique_ptr<db::Expression>>& expressions) {
  const auto scan_index = place.Cast<db::BoundColumnRefExpression>().binding.table_index;
  auto* get = find_scan(below, scan_index);
  if (get == nullptr) {
    return;  // the plan of the statement then says that its columns are missing
  }
  for (const auto& column : table.GetColumns().Physical()) {
    const auto binding = scanned_column(*get, column.Logical().index);
    expressions.push_back(db::make_uniq<db::BoundColumnRefExpression>(column.Type(), binding));
  }
}

bool deletes(const db::LogicalMergeInto& merge) {
  return std::any_of(merge.actions.begin(), merge.actions.end(), [](const auto& entry) {
    return std::any_of(entry.second.begin(), entry.second.end(), [](const auto& action) {
      return action->action_type == db::MergeActionType::MERGE_DELETE;
    });
  });
}

void add_returned(db::LogicalOperator& plan) {
  for (auto& child : plan.children) {
    add_returned(*child);
  }
  if (plan.type == db::LogicalOperatorType::LOGICAL_DELETE) {
    auto& op = plan.Cast<db::LogicalDelete>();
    if (op.return_chunk && dynamic_cast<TableEntry*>(&op.table) != nullptr) {
      add_columns(op.table, *op.children[0], *op.expressions[0], op.expressions);
    }
  } else if (plan.type == db::LogicalOperatorType::LOGICAL_MERGE_INTO) {
    auto& op = plan.Cast<db::LogicalMergeInto>();
    if (op.return_chunk && deletes(op) && dynamic_cast<TableEntry*>(&op.table) != nullptr) {
      auto& rows = *op.children[0];
      add_columns(op.table, *rows.children[0], *rows.expressions.at(op.row_id_start), rows.expressions);
    }
  }
}

void before_optimizing(db::OptimizerExtensionInput&, db::unique_ptr<db::LogicalOperator>& plan) {
  add_returned(*plan);
}

bool is_given_out(const db::LogicalGet& get, db::idx_t column) {
  return std::any_of(get.projection_ids.begin(), get.projection_ids.end(),
                     [&](db::idx_t i) { return get.GetColumnIds()[i].GetPrimaryIndex() == column; });
}

// A scan of a lake table with filters: the planner puts those that the scan does not take above it, and has
// the scan give out their columns, too.
void keep_filter_columns_apart(const TableEntry& table, db::LogicalGet& get) {
  if (get.projection_ids.empty()) {  // all columns, which it would forget: they are named one by one
    for (size_t i = 0; i < get.GetColumnIds().size(); ++i) {
      get.projection_ids.push_back(i);
    }
    return;
  }
  size_t added = 0;
  for (const auto& [column, filter] : get.table_filters.filters) {
    added += !reader_filters_right(table, column) && !is_given_out(get, column) ? 1 : 0;
  }
  // As many as the scan has columns would be taken for all of them, in the order of the scan.
  if (added > 0 && get.projection_ids.size() + added == get.GetColumnIds().size()) {
    get.AddColumnId(db::COLUMN_IDENTIFIER_EMPTY);
  }
}

void mend_scans(db::LogicalOperator& plan) {
  for (auto& child : plan.children) {
    mend_scans(*child);
  }
  if (plan.type != db::LogicalOperatorType::LOGICAL_GET) {
    return;
  }
  auto& get = plan.Cast<db::LogicalGet>();
  const auto table = get.GetTable();
  const auto* entry = table ? dynamic_cast<const TableEntry*>(table.get()) : nullptr;
  if (entry != nullptr && !get.table_filters.filters.empty()) {
    keep_filter_columns_apart(*entry, get);
  }
}

void after_optimizing(db::OptimizerExtensionInput&, db::unique_ptr<db::LogicalOperator>& plan) {
  mend_scans(*plan);
}

}  // namespace

void register_plan_hooks(db::DBConfig& config) {
  db::OptimizerExtension extension;
  extension.pre_optimize_function = before_optimizing;
  extension.optimize_function = after_optimizing;
  db::OptimizerExtension::Register(config, std::move(extension));
}

}  // namespace tarn::engine::lake
