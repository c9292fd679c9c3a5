// What one statement (DELETE, UPDATE, MERGE, … RETURNING) does to rows, while it runs: the rows it takes out,
// by file and position, and the rows it answers. The operators here stand between the rows that DuckDB finds
// and the writer of new rows.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "duckdb/common/types/column/column_data_collection.hpp"
#include "duckdb/execution/physical_operator.hpp"
#include "engine/duck/lake/glue.h"
#include "engine/duck/lake/positions.h"

namespace tarn::engine::lake {

using RowsByFile = std::map<std::string, Positions>;  // key: the path as DuckDB names it

// Shared by the operators of one statement. Thread-safe.
class RowChanges {
 public:
  // Without types of rows to answer, the number of rows is the answer.
  explicit RowChanges(db::vector<db::LogicalType> returned_types = {})
      : returned_types_(std::move(returned_types)) {}

  // Empties what an earlier run of the plan left. Each operator calls it before its first row: DuckDB
  // prepares the end of a plan in a task of its own, while another thread may be through with the beginning.
  void begin(db::ClientContext& context);

  // Takes out the rows that the two columns name. `fresh` gets the indexes of those that were not taken out
  // before; returns their number.
  db::idx_t take_out(db::Vector& files, db::Vector& positions, db::idx_t count, db::SelectionVector& fresh);
  void count(int64_t rows) { rows_ += rows; }
  void answer(db::DataChunk& rows);

  // Once the rows have gone through.
  RowsByFile rows_out();
  [[nodiscard]] int64_t rows() const { return rows_; }
  [[nodiscard]] bool has_answers() const { return !returned_types_.empty(); }
  [[nodiscard]] const db::ColumnDataCollection& answers() const { return *answers_; }

 private:
  const db::vector<db::LogicalType> returned_types_;
  std::atomic<int64_t> rows_{0};
  std::mutex mutex_;  // guards what follows
  std::optional<db::transaction_t> query_;
  RowsByFile out_;
  db::unique_ptr<db::ColumnDataCollection> answers_;
};

// Of an INSERT, UPDATE, DELETE or MERGE.
template <class Statement>
std::shared_ptr<RowChanges> changes_of(const Statement& op) {
  return std::make_shared<RowChanges>(op.return_chunk ? op.types : db::vector<db::LogicalType>());
}

// The columns of a plan that say where a row lies.
struct RowPlace {
  db::idx_t file = 0;
  db::idx_t position = 0;
};

// UPDATE: takes out the rows that come along and passes them on, each once (UPDATE … FROM may find a row more
// than once; the first one counts).
class TakeOutRows : public db::PhysicalOperator {
 public:
  TakeOutRows(db::PhysicalPlan& plan, db::PhysicalOperator& child, RowPlace place,
              std::shared_ptr<RowChanges> changes);

  db::unique_ptr<db::OperatorState> GetOperatorState(db::ExecutionContext& execution) const override;
  db::OperatorResultType Execute(db::ExecutionContext& context, db::DataChunk& input, db::DataChunk& chunk,
                                 db::GlobalOperatorState& gstate, db::OperatorState& state) const override;
  bool ParallelOperator() const override { return true; }
  db::string GetName() const override { return "LAKE_TAKE_OUT_ROWS"; }

 private:
  RowPlace place_;
  std::shared_ptr<RowChanges> changes_;
};

// RETURNING: keeps a copy of the rows that come along.
class AnswerRows : public db::PhysicalOperator {
 public:
  AnswerRows(db::PhysicalPlan& plan, db::PhysicalOperator& child, std::shared_ptr<RowChanges> changes);

  db::unique_ptr<db::OperatorState> GetOperatorState(db::ExecutionContext& execution) const override;
  db::OperatorResultType Execute(db::ExecutionContext& context, db::DataChunk& input, db::DataChunk& chunk,
                                 db::GlobalOperatorState& gstate, db::OperatorState& state) const override;
  bool ParallelOperator() const override { return true; }
  db::string GetName() const override { return "RETURNING"; }

 private:
  std::shared_ptr<RowChanges> changes_;
};

// The end of a statement as a source: its answers, or the number of rows it changed.
struct AnswerState : public db::GlobalSourceState {
  db::ColumnDataScanState scan;
  bool started = false;
};
db::SourceResultType next_answers(const RowChanges& changes, AnswerState& state, db::DataChunk& chunk);

// The alias of columns that an UPDATE does not set and that are written again as they were.
inline constexpr const char* kKeptColumn = "tarn.kept";

// Where a scan gives out this column of its table; adds it to the scan when it does not yet.
db::ColumnBinding scanned_column(db::LogicalGet& get, db::column_t column);

}  // namespace tarn::engine::lake
