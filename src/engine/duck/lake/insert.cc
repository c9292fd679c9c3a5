#include "engine/duck/lake/insert.h"

#include <fmt/format.h>

#include "duckdb/common/types/uuid.hpp"
#include "duckdb/execution/physical_plan_generator.hpp"
#include "duckdb/planner/operator/logical_create_table.hpp"
#include "duckdb/planner/operator/logical_insert.hpp"
#include "engine/duck/lake/constraint_check.h"
#include "engine/duck/lake/file_measures.h"
#include "engine/duck/lake/lake_database.h"
#include "engine/duck/lake/partition_key.h"
#include "engine/duck/lake/scan.h"
#include "engine/duck/lake/schema_entry.h"
#include "engine/duck/lake/table_definition.h"
#include "engine/duck/lake/table_entry.h"
#include "engine/duck/lake/transaction.h"
#include "engine/duck/lake/types.h"
#include "engine/duck/lake/written_file.h"

namespace tarn::engine::lake {
namespace {

struct TakenFiles : public db::GlobalSinkState {
  std::vector<iceberg::DataFile> files;
};

db::vector<std::pair<db::idx_t, std::string>> required_columns(const iceberg::TableMetadata& metadata) {
  db::vector<std::pair<db::idx_t, std::string>> columns;
  const auto& fields = metadata.schema().fields;
  for (size_t i = 0; i < fields.size(); ++i) {
    if (fields[i].required) {
      columns.emplace_back(i, fields[i].name);
    }
  }
  return columns;
}

}  // namespace

db::PhysicalOperator& add_check(db::PhysicalPlanGenerator& planner, const WriteTarget& target,
                                db::PhysicalOperator& plan) {
  auto required = required_columns(*target.metadata);
  if (required.empty()) {
    return plan;
  }
  std::vector<std::pair<db::idx_t, std::string>> columns(required.begin(), required.end());
  auto& check = planner.Make<CheckNotNull>(plan.types, plan.estimated_cardinality, target.name.name,
                                           std::move(columns));
  check.children.push_back(plan);
  return check;
}

TableEntry& need_lake_table(db::TableCatalogEntry& table) {
  auto* entry = dynamic_cast<TableEntry*>(&table);
  if (entry == nullptr) {
    throw_error({Code::kDenied, fmt::format("\"{}\" belongs to Tarn and cannot be written", table.name)});
  }
  return *entry;
}

WriteTarget write_target(LakeDatabase& lake, TableEntry& entry) {
  WriteTarget target;
  target.lake = &lake;
  target.name = entry.table().name();
  target.uuid = entry.table().uuid();
  target.metadata = entry.metadata();
  target.types = entry.GetTypes();
  target.entry = entry.shared_from_this();
  return target;
}

bool sets_key(const WriteTarget& target, size_t column, const db::Expression& value) {
  const auto columns = key_columns(*target.metadata);
  return value.GetAlias() != kKeptColumn &&
         std::find(columns.begin(), columns.end(), column) != columns.end();
}

TakeFiles::TakeFiles(db::PhysicalPlan& plan, db::vector<db::LogicalType> types, WriteTarget target,
                     std::shared_ptr<RowChanges> changes, std::string name)
    : db::PhysicalOperator(plan, db::PhysicalOperatorType::EXTENSION, std::move(types), 1),
      target_(std::move(target)),
      changes_(std::move(changes)),
      name_(std::move(name)) {}

TakeFiles::TakeFiles(db::PhysicalPlan& plan, db::vector<db::LogicalType> types, WriteTarget target,
                     db::unique_ptr<db::BoundCreateTableInfo> create)
    : db::PhysicalOperator(plan, db::PhysicalOperatorType::EXTENSION, std::move(types), 1),
      target_(std::move(target)),
      changes_(std::make_shared<RowChanges>()),
      name_("LAKE_CREATE_TABLE_AS"),
      create_(std::move(create)) {}

db::unique_ptr<db::GlobalSinkState> TakeFiles::GetGlobalSinkState(db::ClientContext& context) const {
  auto& transaction = Transaction::of(context, *target_.lake);
  transaction.need_writable();
  if (create_) {
    const auto table = target_.schema->create_table(context, create_->Base(), target_.uuid);
    if (!table) {
      throw_error({Code::kConflict,
                   fmt::format("table \"{}\" appeared in between: run this again", target_.name.name)});
    }
    const auto metadata = value_or_throw(table->metadata());
    if (table->uuid() != target_.uuid ||
        !iceberg::same_fields(metadata->schema(), target_.metadata->schema())) {
      throw_error({Code::kConflict,
                   fmt::format("table \"{}\" changed in between: run this again", target_.name.name)});
    }
  }
  changes_->begin(context);
  return db::make_uniq<TakenFiles>();
}

db::SinkResultType TakeFiles::Sink(db::ExecutionContext&, db::DataChunk& chunk,
                                   db::OperatorSinkInput& input) const {
  auto& taken = input.global_state.Cast<TakenFiles>();
  for (db::idx_t row = 0; row < chunk.size(); ++row) {
    taken.files.push_back(read_written_file(chunk, row, *target_.metadata, target_.constants));
    taken.files.back().sort_order_id = target_.sort_order_id;
    changes_->count(taken.files.back().record_count);
  }
  return db::SinkResultType::NEED_MORE_INPUT;
}

db::SinkFinalizeType TakeFiles::Finalize(db::Pipeline&, db::Event&, db::ClientContext& context,
                                         db::OperatorSinkFinalizeInput& input) const {
  auto& taken = input.global_state.Cast<TakenFiles>();
  measure_files(context, *target_.metadata, taken.files);
  auto& transaction = Transaction::of(context, *target_.lake);
  transaction.take_out_rows(target_.uuid, changes_->rows_out());
  if (!taken.files.empty()) {
    auto& change = transaction.change_files(target_.uuid);
    change.alone |= target_.alone;
    auto& added = change.added;
    added.insert(added.end(), taken.files.begin(), taken.files.end());
    if (target_.new_keys) {
      change.new_keys = true;
      check_new_keys(context, *scan_source(context, *target_.entry), taken.files);
    }
  }
  return db::SinkFinalizeType::READY;
}

db::unique_ptr<db::GlobalSourceState> TakeFiles::GetGlobalSourceState(db::ClientContext&) const {
  return db::make_uniq<AnswerState>();
}

db::SourceResultType TakeFiles::GetDataInternal(db::ExecutionContext&, db::DataChunk& chunk,
                                                db::OperatorSourceInput& input) const {
  return next_answers(*changes_, input.global_state.Cast<AnswerState>(), chunk);
}

db::InsertionOrderPreservingMap<db::string> TakeFiles::ParamsToString() const {
  db::InsertionOrderPreservingMap<db::string> text;
  text["Table"] = target_.name.schema + "." + target_.name.name;
  return text;
}

CheckNotNull::CheckNotNull(db::PhysicalPlan& plan, db::vector<db::LogicalType> types, db::idx_t cardinality,
                           std::string table, std::vector<std::pair<db::idx_t, std::string>> columns)
    : db::PhysicalOperator(plan, db::PhysicalOperatorType::EXTENSION, std::move(types), cardinality),
      table_(std::move(table)),
      columns_(std::move(columns)) {}

db::OperatorResultType CheckNotNull::Execute(db::ExecutionContext&, db::DataChunk& input,
                                             db::DataChunk& chunk, db::GlobalOperatorState&,
                                             db::OperatorState&) const {
  for (const auto& [index, name] : columns_) {
    if (db::VectorOperations::HasNull(input.data[index], input.size())) {
      throw_error({Code::kInvalid,
                   fmt::format("column \"{}\" of table \"{}\" must have a value in every row (NOT NULL), "
                               "and a row has none",
                               name, table_)});
    }
  }
  chunk.Reference(input);
  return db::OperatorResultType::NEED_MORE_INPUT;
}

db::PhysicalOperator& plan_rows_in(db::ClientContext& context, db::PhysicalPlanGenerator& planner,
                                   const db::vector<db::LogicalType>& types, WriteTarget target,
                                   db::PhysicalOperator& rows, std::shared_ptr<RowChanges> changes,
                                   std::string name) {
  auto* checked = &add_check(planner, target, rows);
  if (changes->has_answers()) {
    checked = &planner.Make<AnswerRows>(*checked, changes);
  }
  auto& write = plan_write(context, planner, target, *checked);
  auto& take = planner.Make<TakeFiles>(types, std::move(target), std::move(changes), std::move(name));
  take.children.push_back(write);
  return take;
}

db::PhysicalOperator& LakeDatabase::PlanInsert(db::ClientContext& context, db::PhysicalPlanGenerator& planner,
                                               db::LogicalInsert& op,
                                               db::optional_ptr<db::PhysicalOperator> plan) {
  auto& entry = need_lake_table(op.table);
  if (!op.column_index_map.empty()) {
    plan = planner.ResolveDefaultsProjection(op, *plan);
  }
  auto target = write_target(*this, entry);
  target.new_keys = has_key(*target.metadata);
  return plan_rows_in(context, planner, op.types, std::move(target), *plan, changes_of(op), "LAKE_INSERT");
}

db::PhysicalOperator& LakeDatabase::PlanCreateTableAs(db::ClientContext& context,
                                                      db::PhysicalPlanGenerator& planner,
                                                      db::LogicalCreateTable& op,
                                                      db::PhysicalOperator& plan) {
  auto& transaction = Transaction::of(context, *this);
  transaction.need_writable();
  auto& info = op.info->Base();
  WriteTarget target;
  target.lake = this;
  target.schema = &op.schema.Cast<SchemaEntry>();
  target.name = {op.schema.name, info.table};
  const auto existing = transaction.find_table(*transaction.version(), target.name.schema, target.name.name);
  if (existing && info.on_conflict == db::OnCreateConflict::REPLACE_ON_CONFLICT) {
    target.name = existing->name();
    target.uuid = existing->uuid();
    const auto old = value_or_throw(existing->metadata());
    target.metadata =
        std::make_shared<const iceberg::TableMetadata>(value_or_throw(replaced_metadata(*old, info)));
  } else {
    target.uuid = db::UUID::ToString(db::UUID::GenerateRandomUUID());
    target.metadata =
        std::make_shared<const iceberg::TableMetadata>(value_or_throw(new_metadata(target.uuid, info)));
  }
  for (const auto& column : info.columns.Logical()) {
    target.types.push_back(column.Type());
  }
  auto& write = plan_write(context, planner, target, add_check(planner, target, plan));
  auto& take = planner.Make<TakeFiles>(op.types, std::move(target), std::move(op.info));
  take.children.push_back(write);
  return take;
}

}  // namespace tarn::engine::lake
