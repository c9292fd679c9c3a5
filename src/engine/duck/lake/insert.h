// Writing rows: DuckDB's parallel Parquet writer into files of the transaction, then a sink that takes the
// names and statistics of the files as data files of the table. The files become the table's at COMMIT.
#pragma once

#include "duckdb/execution/physical_operator.hpp"
#include "duckdb/planner/parsed_data/bound_create_table_info.hpp"
#include "engine/duck/lake/glue.h"
#include "engine/duck/lake/row_changes.h"
#include "engine/lake_catalog.h"

namespace tarn::engine::lake {

class LakeDatabase;
class SchemaEntry;
class TableEntry;

// The table that a plan writes to; for CREATE TABLE AS it exists only from the moment the plan runs.
struct WriteTarget {
  LakeDatabase* lake = nullptr;
  TableName name;
  std::string uuid;
  std::shared_ptr<const iceberg::TableMetadata> metadata;
  db::vector<db::LogicalType> types;        // as declared
  std::shared_ptr<const TableEntry> entry;  // null: CREATE TABLE AS
  SchemaEntry* schema = nullptr;            // CREATE TABLE AS
  bool alone = false;                       // see TableChange
  bool new_keys = false;                    // the rows written may bring keys of their own
  // Filled by plan_write:
  std::map<int, std::string> constants;  // field id: its text in every row
  std::optional<int> sort_order_id;      // the order of the rows in each file
};

// The table of a statement that changes rows; refuses what belongs to Tarn.
TableEntry& need_lake_table(db::TableCatalogEntry& table);
WriteTarget write_target(LakeDatabase& lake, TableEntry& entry);

// Takes the written files, and the rows that the statement took out, into the transaction; answers the rows
// that RETURNING asks for, or the number of rows.
class TakeFiles : public db::PhysicalOperator {
 public:
  TakeFiles(db::PhysicalPlan& plan, db::vector<db::LogicalType> types, WriteTarget target,
            std::shared_ptr<RowChanges> changes, std::string name);
  // CREATE TABLE AS
  TakeFiles(db::PhysicalPlan& plan, db::vector<db::LogicalType> types, WriteTarget target,
            db::unique_ptr<db::BoundCreateTableInfo> create);

  db::unique_ptr<db::GlobalSinkState> GetGlobalSinkState(db::ClientContext& context) const override;
  db::SinkResultType Sink(db::ExecutionContext& context, db::DataChunk& chunk,
                          db::OperatorSinkInput& input) const override;
  db::SinkFinalizeType Finalize(db::Pipeline& pipeline, db::Event& event, db::ClientContext& context,
                                db::OperatorSinkFinalizeInput& input) const override;
  bool IsSink() const override { return true; }
  bool ParallelSink() const override { return false; }

  db::unique_ptr<db::GlobalSourceState> GetGlobalSourceState(db::ClientContext& context) const override;
  db::SourceResultType GetDataInternal(db::ExecutionContext& context, db::DataChunk& chunk,
                                       db::OperatorSourceInput& input) const override;
  bool IsSource() const override { return true; }
  db::string GetName() const override { return name_; }
  db::InsertionOrderPreservingMap<db::string> ParamsToString() const override;

 private:
  WriteTarget target_;
  std::shared_ptr<RowChanges> changes_;
  std::string name_;
  db::unique_ptr<db::BoundCreateTableInfo> create_;  // null: not CREATE TABLE AS
};

// Passes rows through, and throws when a column that must have a value has none.
class CheckNotNull : public db::PhysicalOperator {
 public:
  CheckNotNull(db::PhysicalPlan& plan, db::vector<db::LogicalType> types, db::idx_t cardinality,
               std::string table, std::vector<std::pair<db::idx_t, std::string>> columns);

  db::OperatorResultType Execute(db::ExecutionContext& context, db::DataChunk& input, db::DataChunk& chunk,
                                 db::GlobalOperatorState& gstate, db::OperatorState& state) const override;
  bool ParallelOperator() const override { return true; }
  db::string GetName() const override { return "CHECK_NOT_NULL"; }

 private:
  std::string table_;
  std::vector<std::pair<db::idx_t, std::string>> columns_;
};

// Whether an UPDATE gives a column of the key another value, for all that can be said.
bool sets_key(const WriteTarget& target, size_t column, const db::Expression& value);

// Refuses rows without a value where the table demands one.
db::PhysicalOperator& add_check(db::PhysicalPlanGenerator& planner, const WriteTarget& target,
                                db::PhysicalOperator& plan);

// From rows of the declared types, in the order of the table's columns, to TakeFiles: the check of NOT NULL,
// RETURNING, the writer.
db::PhysicalOperator& plan_rows_in(db::ClientContext& context, db::PhysicalPlanGenerator& planner,
                                   const db::vector<db::LogicalType>& types, WriteTarget target,
                                   db::PhysicalOperator& rows, std::shared_ptr<RowChanges> changes,
                                   std::string name);

// The writer over `plan`, whose rows have the declared types in the order of the table's columns.
db::PhysicalOperator& plan_write(db::ClientContext& context, db::PhysicalPlanGenerator& planner,
                                 WriteTarget& target, db::PhysicalOperator& plan);

}  // namespace tarn::engine::lake
