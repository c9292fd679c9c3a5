#include "engine/duck/lake/row_changes.h"

namespace tarn::engine::lake {
namespace {

struct SelectionState : public db::OperatorState {
  SelectionState() : selection(STANDARD_VECTOR_SIZE) {}
  db::SelectionVector selection;
};

}  // namespace

void RowChanges::begin(db::ClientContext& context) {
  const auto query = context.transaction.GetActiveQuery();
  const std::lock_guard lock(mutex_);
  if (query_ == query) {
    return;
  }
  query_ = query;
  rows_ = 0;
  out_.clear();
  answers_ = db::make_uniq<db::ColumnDataCollection>(context, returned_types_);
}

db::idx_t RowChanges::take_out(db::Vector& files, db::Vector& positions, db::idx_t count,
                               db::SelectionVector& fresh) {
  db::UnifiedVectorFormat file_column;
  db::UnifiedVectorFormat position_column;
  files.ToUnifiedFormat(count, file_column);
  positions.ToUnifiedFormat(count, position_column);
  const auto* names = db::UnifiedVectorFormat::GetData<db::string_t>(file_column);
  const auto* rows = db::UnifiedVectorFormat::GetData<int64_t>(position_column);
  const std::lock_guard lock(mutex_);
  Positions* file = nullptr;
  db::string_t name;
  db::idx_t kept = 0;
  for (db::idx_t i = 0; i < count; ++i) {
    const auto& next = names[file_column.sel->get_index(i)];
    if (file == nullptr || next != name) {
      name = next;
      file = &out_[name.GetString()];
    }
    if (file->add(rows[position_column.sel->get_index(i)])) {
      fresh.set_index(kept++, i);
    }
  }
  return kept;
}

void RowChanges::answer(db::DataChunk& rows) {
  const std::lock_guard lock(mutex_);
  answers_->Append(rows);
}

RowsByFile RowChanges::rows_out() {
  const std::lock_guard lock(mutex_);
  return std::move(out_);
}

TakeOutRows::TakeOutRows(db::PhysicalPlan& plan, db::PhysicalOperator& child, RowPlace place,
                         std::shared_ptr<RowChanges> changes)
    : db::PhysicalOperator(plan, db::PhysicalOperatorType::EXTENSION, child.types,
                           child.estimated_cardinality),
      place_(place),
      changes_(std::move(changes)) {
  children.push_back(child);
}

db::unique_ptr<db::OperatorState> TakeOutRows::GetOperatorState(db::ExecutionContext& execution) const {
  changes_->begin(execution.client);
  return db::make_uniq<SelectionState>();
}

db::OperatorResultType TakeOutRows::Execute(db::ExecutionContext&, db::DataChunk& input, db::DataChunk& chunk,
                                            db::GlobalOperatorState&, db::OperatorState& state) const {
  auto& fresh = state.Cast<SelectionState>().selection;
  const auto count =
      changes_->take_out(input.data[place_.file], input.data[place_.position], input.size(), fresh);
  if (count == input.size()) {
    chunk.Reference(input);
  } else {
    chunk.Slice(input, fresh, count);
  }
  return db::OperatorResultType::NEED_MORE_INPUT;
}

AnswerRows::AnswerRows(db::PhysicalPlan& plan, db::PhysicalOperator& child,
                       std::shared_ptr<RowChanges> changes)
    : db::PhysicalOperator(plan, db::PhysicalOperatorType::EXTENSION, child.types,
                           child.estimated_cardinality),
      changes_(std::move(changes)) {
  children.push_back(child);
}

db::unique_ptr<db::OperatorState> AnswerRows::GetOperatorState(db::ExecutionContext& execution) const {
  changes_->begin(execution.client);
  return db::make_uniq<db::OperatorState>();
}

db::OperatorResultType AnswerRows::Execute(db::ExecutionContext&, db::DataChunk& input, db::DataChunk& chunk,
                                           db::GlobalOperatorState&, db::OperatorState&) const {
  changes_->answer(input);
  chunk.Reference(input);
  return db::OperatorResultType::NEED_MORE_INPUT;
}

db::SourceResultType next_answers(const RowChanges& changes, AnswerState& state, db::DataChunk& chunk) {
  const auto& answers = changes.answers();
  if (!changes.has_answers()) {
    chunk.SetCardinality(1);
    chunk.SetValue(0, 0, db::Value::BIGINT(changes.rows()));
    return db::SourceResultType::FINISHED;
  }
  if (!state.started) {
    answers.InitializeScan(state.scan);
    state.started = true;
  }
  answers.Scan(state.scan, chunk);
  return chunk.size() == 0 ? db::SourceResultType::FINISHED : db::SourceResultType::HAVE_MORE_OUTPUT;
}

}  // namespace tarn::engine::lake
