// DELETE and UPDATE: how DuckDB's plans of them become rows taken out and rows written.
#include <fmt/format.h>

#include "duckdb/execution/operator/projection/physical_projection.hpp"
#include "duckdb/execution/physical_plan_generator.hpp"
#include "duckdb/planner/expression/bound_columnref_expression.hpp"
#include "duckdb/planner/expression/bound_reference_expression.hpp"
#include "duckdb/planner/operator/logical_delete.hpp"
#include "duckdb/planner/operator/logical_get.hpp"
#include "duckdb/planner/operator/logical_projection.hpp"
#include "duckdb/planner/operator/logical_update.hpp"
#include "engine/duck/lake/insert.h"
#include "engine/duck/lake/lake_database.h"
#include "engine/duck/lake/row_changes.h"
#include "engine/duck/lake/table_entry.h"
#include "engine/duck/lake/transaction.h"

namespace tarn::engine::lake {
namespace {

struct DeleteState : public db::LocalSinkState {
  DeleteState() : fresh(STANDARD_VECTOR_SIZE) {}
  db::SelectionVector fresh;
  db::DataChunk answers;
};

// The end of a DELETE.
class DeleteRows : public db::PhysicalOperator {
 public:
  DeleteRows(db::PhysicalPlan& plan, db::PhysicalOperator& child, db::vector<db::LogicalType> types,
             WriteTarget target, RowPlace place, std::vector<db::idx_t> returned,
             std::shared_ptr<RowChanges> changes)
      : db::PhysicalOperator(plan, db::PhysicalOperatorType::EXTENSION, std::move(types), 1),
        target_(std::move(target)),
        place_(place),
        returned_(std::move(returned)),
        changes_(std::move(changes)) {
    children.push_back(child);
  }

  db::unique_ptr<db::GlobalSinkState> GetGlobalSinkState(db::ClientContext& context) const override {
    Transaction::of(context, *target_.lake).need_writable();
    changes_->begin(context);
    return db::make_uniq<db::GlobalSinkState>();
  }
  db::unique_ptr<db::LocalSinkState> GetLocalSinkState(db::ExecutionContext&) const override {
    auto state = db::make_uniq<DeleteState>();
    state->answers.InitializeEmpty(types);
    return std::move(state);
  }

  db::SinkResultType Sink(db::ExecutionContext&, db::DataChunk& chunk,
                          db::OperatorSinkInput& input) const override {
    auto& state = input.local_state.Cast<DeleteState>();
    const auto count =
        changes_->take_out(chunk.data[place_.file], chunk.data[place_.position], chunk.size(), state.fresh);
    changes_->count(static_cast<int64_t>(count));
    if (!returned_.empty() && count > 0) {
      chunk.Slice(state.fresh, count);
      state.answers.ReferenceColumns(chunk, {returned_.begin(), returned_.end()});
      changes_->answer(state.answers);
    }
    return db::SinkResultType::NEED_MORE_INPUT;
  }
  db::SinkFinalizeType Finalize(db::Pipeline&, db::Event&, db::ClientContext& context,
                                db::OperatorSinkFinalizeInput&) const override {
    Transaction::of(context, *target_.lake).take_out_rows(target_.uuid, changes_->rows_out());
    return db::SinkFinalizeType::READY;
  }
  bool IsSink() const override { return true; }
  bool ParallelSink() const override { return true; }

  db::unique_ptr<db::GlobalSourceState> GetGlobalSourceState(db::ClientContext&) const override {
    return db::make_uniq<AnswerState>();
  }
  db::SourceResultType GetDataInternal(db::ExecutionContext&, db::DataChunk& chunk,
                                       db::OperatorSourceInput& input) const override {
    return next_answers(*changes_, input.global_state.Cast<AnswerState>(), chunk);
  }
  bool IsSource() const override { return true; }

  db::string GetName() const override { return "LAKE_DELETE"; }
  db::InsertionOrderPreservingMap<db::string> ParamsToString() const override {
    db::InsertionOrderPreservingMap<db::string> text;
    text["Table"] = target_.name.schema + "." + target_.name.name;
    return text;
  }

 private:
  WriteTarget target_;
  RowPlace place_;
  std::vector<db::idx_t> returned_;  // RETURNING: the table's columns in the child; else empty
  std::shared_ptr<RowChanges> changes_;
};

db::idx_t index_of(const db::Expression& expression) {
  return expression.Cast<db::BoundReferenceExpression>().index;
}

}  // namespace

db::PhysicalOperator& LakeDatabase::PlanDelete(db::ClientContext&, db::PhysicalPlanGenerator& planner,
                                               db::LogicalDelete& op, db::PhysicalOperator& plan) {
  auto& entry = need_lake_table(op.table);
  const RowPlace place{.file = index_of(*op.expressions[0]), .position = index_of(*op.expressions[1])};
  std::vector<db::idx_t> returned;
  if (op.return_chunk) {
    for (size_t i = 2; i < op.expressions.size(); ++i) {
      returned.push_back(index_of(*op.expressions[i]));
    }
    if (returned.size() != entry.GetColumns().PhysicalColumnCount()) {
      throw_error({Code::kInternal, "DELETE … RETURNING was planned without its columns"});
    }
  }
  return planner.Make<DeleteRows>(plan, op.types, write_target(*this, entry), place, std::move(returned),
                                  changes_of(op));
}

db::PhysicalOperator& LakeDatabase::PlanUpdate(db::ClientContext& context, db::PhysicalPlanGenerator& planner,
                                               db::LogicalUpdate& op, db::PhysicalOperator& plan) {
  auto& entry = need_lake_table(op.table);
  auto changes = changes_of(op);
  const RowPlace place{.file = plan.types.size() - 2, .position = plan.types.size() - 1};
  auto& taken = planner.Make<TakeOutRows>(plan, place, changes);
  auto target = write_target(*this, entry);
  db::vector<db::unique_ptr<db::Expression>> columns(target.types.size());
  for (size_t i = 0; i < op.columns.size(); ++i) {
    target.new_keys |= sets_key(target, op.columns[i].index, *op.expressions[i]);
    auto& column = columns.at(op.columns[i].index);
    const bool to_default = op.expressions[i]->GetExpressionType() == db::ExpressionType::VALUE_DEFAULT;
    column = to_default ? op.bound_defaults.at(op.columns[i].index)->Copy() : op.expressions[i]->Copy();
  }
  auto& rows =
      planner.Make<db::PhysicalProjection>(target.types, std::move(columns), plan.estimated_cardinality);
  rows.children.push_back(taken);
  return plan_rows_in(context, planner, op.types, std::move(target), rows, std::move(changes), "LAKE_UPDATE");
}

// A changed row is written anew, whole: the columns that keep their values come from the scan.
void TableEntry::BindUpdateConstraints(db::Binder&, db::LogicalGet& get, db::LogicalProjection& projection,
                                       db::LogicalUpdate& update, db::ClientContext&) {
  update.update_is_del_and_insert = true;
  for (const auto& column : GetColumns().Physical()) {
    if (std::find(update.columns.begin(), update.columns.end(), column.Physical()) != update.columns.end()) {
      continue;
    }
    const auto binding = scanned_column(get, column.Logical().index);
    update.columns.push_back(column.Physical());
    update.expressions.push_back(db::make_uniq<db::BoundColumnRefExpression>(
        kKeptColumn, column.Type(),
        db::ColumnBinding(projection.table_index, projection.expressions.size())));
    projection.expressions.push_back(db::make_uniq<db::BoundColumnRefExpression>(column.Type(), binding));
  }
}

db::ColumnBinding scanned_column(db::LogicalGet& get, db::column_t column) {
  const auto& ids = get.GetColumnIds();
  for (size_t i = 0; i < ids.size(); ++i) {
    if (!ids[i].HasChildren() && ids[i].GetPrimaryIndex() == column) {
      return {get.table_index, i};
    }
  }
  get.AddColumnId(column);
  return {get.table_index, get.GetColumnIds().size() - 1};
}

}  // namespace tarn::engine::lake
