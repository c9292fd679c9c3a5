// MERGE INTO, and INSERT … ON CONFLICT, which DuckDB binds as one: each joined row meets the first action
// whose condition holds. What it writes goes on as a row of the table; what it takes out is noted on the way.
#include <fmt/format.h>

#include <array>

#include "duckdb/execution/expression_executor.hpp"
#include "duckdb/execution/physical_plan_generator.hpp"
#include "duckdb/parser/statement/merge_into_statement.hpp"
#include "duckdb/planner/operator/logical_merge_into.hpp"
#include "engine/duck/lake/constraint_check.h"
#include "engine/duck/lake/insert.h"
#include "engine/duck/lake/lake_database.h"
#include "engine/duck/lake/row_changes.h"
#include "engine/duck/lake/table_entry.h"

namespace tarn::engine::lake {
namespace {

// One WHEN … THEN …
struct Action {
  db::MergeActionType type = db::MergeActionType::MERGE_DO_NOTHING;
  db::unique_ptr<db::Expression> condition;  // null: always
  // INSERT, UPDATE: the row, in the order of the table's columns. ERROR: the message, or nothing.
  db::vector<db::unique_ptr<db::Expression>> row;
};

// By what was found for a row: both sides, only the source, only the target.
enum Match : size_t { kMatched, kNotMatched, kNotMatchedBySource, kMatches };

struct MergeSpec {
  std::string table;
  RowPlace place;
  db::optional_idx source_marker;  // a column that is null when the source has no such row
  std::array<std::vector<Action>, kMatches> actions;
  std::vector<db::idx_t> deleted_row;  // RETURNING: the table's columns in the child
  bool returning = false;
};

const char* name_of_action(db::MergeActionType type) {
  switch (type) {
    case db::MergeActionType::MERGE_UPDATE: return "UPDATE";
    case db::MergeActionType::MERGE_DELETE: return "DELETE";
    default: return "INSERT";
  }
}

struct ActionState {
  std::unique_ptr<db::ExpressionExecutor> condition;
  std::unique_ptr<db::ExpressionExecutor> row;
  db::DataChunk made;  // what `row` gives
};

struct MergeState : public db::OperatorState {
  std::array<std::vector<std::unique_ptr<ActionState>>, kMatches> actions;
  db::SelectionVector chosen{STANDARD_VECTOR_SIZE};
  db::SelectionVector others{STANDARD_VECTOR_SIZE};
  db::DataChunk rows;  // the input, cut to the rows of one action
};

// Passes on the rows that are to be written.
class MergeRows : public db::PhysicalOperator {
 public:
  MergeRows(db::PhysicalPlan& plan, db::PhysicalOperator& child, db::vector<db::LogicalType> types,
            MergeSpec spec, std::shared_ptr<RowChanges> changes)
      : db::PhysicalOperator(plan, db::PhysicalOperatorType::EXTENSION, std::move(types),
                             child.estimated_cardinality),
        spec_(std::move(spec)),
        changes_(std::move(changes)) {
    children.push_back(child);
  }

  db::unique_ptr<db::OperatorState> GetOperatorState(db::ExecutionContext& context) const override {
    changes_->begin(context.client);
    auto state = db::make_uniq<MergeState>();
    for (size_t match = 0; match < kMatches; ++match) {
      for (const auto& action : spec_.actions[match]) {
        auto made = std::make_unique<ActionState>();
        if (action.condition) {
          made->condition = std::make_unique<db::ExpressionExecutor>(context.client, *action.condition);
        }
        if (!action.row.empty()) {
          made->row = std::make_unique<db::ExpressionExecutor>(context.client, action.row);
          db::vector<db::LogicalType> made_types;
          for (const auto& column : action.row) {
            made_types.push_back(column->return_type);
          }
          made->made.Initialize(context.client, made_types);
        }
        state->actions[match].push_back(std::move(made));
      }
    }
    state->rows.InitializeEmpty(children[0].get().types);
    return std::move(state);
  }

  db::OperatorResultType Execute(db::ExecutionContext&, db::DataChunk& input, db::DataChunk& chunk,
                                 db::GlobalOperatorState&, db::OperatorState& state) const override {
    auto& merge = state.Cast<MergeState>();
    std::array<db::SelectionVector, kMatches> rows;
    const auto counts = find_matches(input, rows);
    for (size_t match = 0; match < kMatches; ++match) {
      if (counts[match] > 0) {
        apply(static_cast<Match>(match), input, rows[match], counts[match], merge, chunk);
      }
    }
    return db::OperatorResultType::NEED_MORE_INPUT;
  }
  bool ParallelOperator() const override { return true; }
  db::string GetName() const override { return "LAKE_MERGE_ROWS"; }

 private:
  std::array<db::idx_t, kMatches> find_matches(db::DataChunk& input,
                                               std::array<db::SelectionVector, kMatches>& rows) const {
    for (auto& selection : rows) {
      selection.Initialize(STANDARD_VECTOR_SIZE);
    }
    db::UnifiedVectorFormat target;
    db::UnifiedVectorFormat source;
    input.data[spec_.place.file].ToUnifiedFormat(input.size(), target);
    if (spec_.source_marker.IsValid()) {
      input.data[spec_.source_marker.GetIndex()].ToUnifiedFormat(input.size(), source);
    }
    std::array<db::idx_t, kMatches> counts{};
    for (db::idx_t i = 0; i < input.size(); ++i) {
      const bool has_source =
          !spec_.source_marker.IsValid() || source.validity.RowIsValid(source.sel->get_index(i));
      const bool has_target = target.validity.RowIsValid(target.sel->get_index(i));
      const auto match = !has_source ? kNotMatchedBySource : has_target ? kMatched : kNotMatched;
      rows[match].set_index(counts[match]++, i);
    }
    return counts;
  }

  void apply(Match match, db::DataChunk& input, const db::SelectionVector& rows, db::idx_t count,
             MergeState& state, db::DataChunk& written) const {
    db::SelectionVector left(STANDARD_VECTOR_SIZE);
    for (db::idx_t i = 0; i < count; ++i) {
      left.set_index(i, rows.get_index(i));
    }
    const auto& actions = spec_.actions[match];
    for (size_t i = 0; i < actions.size() && count > 0; ++i) {
      auto& executors = *state.actions[match][i];
      db::idx_t chosen = count;
      const db::SelectionVector* selection = &left;
      if (executors.condition) {
        chosen = executors.condition->SelectExpression(input, state.chosen, state.others, left, count);
        selection = &state.chosen;
      }
      if (chosen > 0) {
        state.rows.Slice(input, *selection, chosen);
        act(match, actions[i], executors, state.rows, written);
      }
      if (executors.condition) {
        count -= chosen;
        for (db::idx_t row = 0; row < count; ++row) {
          left.set_index(row, state.others.get_index(row));
        }
      } else {
        count = 0;
      }
    }
  }

  void act(Match match, const Action& action, ActionState& executors, db::DataChunk& rows,
           db::DataChunk& written) const {
    if (action.type == db::MergeActionType::MERGE_DO_NOTHING) {
      return;
    }
    if (executors.row) {
      executors.made.Reset();
      executors.row->Execute(rows, executors.made);
    }
    if (action.type == db::MergeActionType::MERGE_ERROR) {
      throw_error({Code::kInvalid, executors.row ? executors.made.GetValue(0, 0).ToString()
                                                 : fmt::format("MERGE INTO \"{}\" met a row that it must not "
                                                               "meet (THEN ERROR)",
                                                               spec_.table)});
    }
    if (action.type != db::MergeActionType::MERGE_INSERT) {
      take_out(match, rows);
    }
    if (action.type == db::MergeActionType::MERGE_DELETE) {
      changes_->count(static_cast<int64_t>(rows.size()));
      answer(action.type, rows, spec_.deleted_row);
      return;
    }
    written.Append(executors.made);
    answer(action.type, executors.made, {});
  }

  void take_out(Match match, db::DataChunk& rows) const {
    db::SelectionVector fresh(STANDARD_VECTOR_SIZE);
    const auto taken =
        changes_->take_out(rows.data[spec_.place.file], rows.data[spec_.place.position], rows.size(), fresh);
    if (taken != rows.size() && match == kMatched) {
      throw_error({Code::kInvalid,
                   fmt::format("MERGE INTO \"{}\" meets a row of the table more than once: two rows of the "
                               "source match it; keep one of them (SELECT DISTINCT ON)",
                               spec_.table)});
    }
  }

  void answer(db::MergeActionType type, db::DataChunk& rows, const std::vector<db::idx_t>& columns) const {
    if (!spec_.returning) {
      return;
    }
    auto answer_types = types;
    answer_types.emplace_back(db::LogicalType::VARCHAR);
    db::DataChunk answer;
    answer.InitializeEmpty(answer_types);
    for (size_t i = 0; i < types.size(); ++i) {
      answer.data[i].Reference(rows.data[columns.empty() ? i : columns[i]]);
    }
    answer.data.back().Reference(db::Value(name_of_action(type)));
    answer.SetCardinality(rows.size());
    changes_->answer(answer);
  }

  MergeSpec spec_;
  std::shared_ptr<RowChanges> changes_;
};

Match match_of(db::MergeActionCondition condition) {
  switch (condition) {
    case db::MergeActionCondition::WHEN_MATCHED: return kMatched;
    case db::MergeActionCondition::WHEN_NOT_MATCHED_BY_SOURCE: return kNotMatchedBySource;
    default: return kNotMatched;
  }
}

// The row that an action writes, in the order of the table's columns.
db::vector<db::unique_ptr<db::Expression>> row_of(const db::LogicalMergeInto& op,
                                                  db::BoundMergeIntoAction& action) {
  const auto columns = op.table.GetColumns().PhysicalColumnCount();
  db::vector<db::unique_ptr<db::Expression>> row(columns);
  if (action.action_type == db::MergeActionType::MERGE_UPDATE) {
    for (size_t i = 0; i < action.columns.size(); ++i) {
      const auto column = action.columns[i].index;
      const bool to_default = action.expressions[i]->GetExpressionType() == db::ExpressionType::VALUE_DEFAULT;
      row.at(column) = to_default ? op.bound_defaults.at(column)->Copy() : action.expressions[i]->Copy();
    }
    return row;
  }
  for (size_t column = 0; column < columns; ++column) {
    const auto from =
        action.column_index_map.empty() ? column : action.column_index_map[db::PhysicalIndex(column)];
    row[column] = from == db::DConstants::INVALID_INDEX ? op.bound_defaults.at(column)->Copy()
                                                        : action.expressions.at(from)->Copy();
  }
  return row;
}

bool brings_keys(const db::LogicalMergeInto& op, const WriteTarget& target) {
  bool brings = false;
  for (const auto& [condition, actions] : op.actions) {
    for (const auto& action : actions) {
      brings |= action->action_type == db::MergeActionType::MERGE_INSERT && has_key(*target.metadata);
      for (size_t i = 0;
           action->action_type == db::MergeActionType::MERGE_UPDATE && i < action->columns.size(); ++i) {
        brings |= sets_key(target, action->columns[i].index, *action->expressions[i]);
      }
    }
  }
  return brings;
}

MergeSpec spec_of(db::LogicalMergeInto& op, const db::PhysicalOperator& plan) {
  MergeSpec spec;
  spec.table = op.table.name;
  spec.place = {.file = op.row_id_start, .position = op.row_id_start + 1};
  spec.source_marker = op.source_marker;
  spec.returning = op.return_chunk;
  bool deletes = false;
  for (auto& [condition, actions] : op.actions) {
    for (auto& bound : actions) {
      Action action{.type = bound->action_type, .condition = nullptr, .row = {}};
      if (bound->condition) {
        action.condition = bound->condition->Copy();
      }
      switch (action.type) {
        case db::MergeActionType::MERGE_INSERT:
        case db::MergeActionType::MERGE_UPDATE: action.row = row_of(op, *bound); break;
        case db::MergeActionType::MERGE_ERROR:
          for (const auto& text : bound->expressions) {
            action.row.push_back(text->Copy());
          }
          break;
        case db::MergeActionType::MERGE_DELETE: deletes = true; break;
        case db::MergeActionType::MERGE_DO_NOTHING: break;
      }
      spec.actions[match_of(condition)].push_back(std::move(action));
    }
  }
  if (deletes && spec.returning) {
    const auto columns = op.table.GetColumns().PhysicalColumnCount();
    const auto first = op.row_id_start + 2;
    if (plan.types.size() != first + columns) {
      throw_error({Code::kInternal, "MERGE … DELETE … RETURNING was planned without its columns"});
    }
    for (size_t i = 0; i < columns; ++i) {
      spec.deleted_row.push_back(first + i);
    }
  }
  return spec;
}

}  // namespace

db::PhysicalOperator& LakeDatabase::PlanMergeInto(db::ClientContext& context,
                                                  db::PhysicalPlanGenerator& planner,
                                                  db::LogicalMergeInto& op, db::PhysicalOperator& plan) {
  auto& entry = need_lake_table(op.table);
  auto changes = changes_of(op);
  auto target = write_target(*this, entry);
  const bool new_keys = brings_keys(op, target);
  auto& rows = planner.Make<MergeRows>(plan, target.types, spec_of(op, plan), changes);
  target.alone = true;
  target.new_keys = new_keys;
  // The rows to answer are kept by MergeRows, with the action that each met.
  auto& checked = add_check(planner, target, rows);
  auto& write = plan_write(context, planner, target, checked);
  auto& take = planner.Make<TakeFiles>(op.types, std::move(target), std::move(changes), "LAKE_MERGE");
  take.children.push_back(write);
  return take;
}

}  // namespace tarn::engine::lake
