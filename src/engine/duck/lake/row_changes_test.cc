// Goal: no row that a statement took out is lost, in whatever order DuckDB's threads prepare its operators.
#include "engine/duck/lake/row_changes.h"

#include <gtest/gtest.h>

#include "duckdb/main/connection.hpp"
#include "duckdb/main/database.hpp"

namespace tarn::engine::lake {
namespace {

class RowChangesTest : public testing::Test {
 protected:
  RowChangesTest() { connection_.BeginTransaction(); }

  void begin_query(db::transaction_t number) { connection_.context->transaction.SetActiveQuery(number); }
  void begin() { changes_.begin(*connection_.context); }

  void take_out(int64_t position) {
    db::Vector files(db::Value("a.parquet"));
    db::Vector positions(db::Value::BIGINT(position));
    db::SelectionVector fresh(STANDARD_VECTOR_SIZE);
    changes_.take_out(files, positions, 1, fresh);
  }

  db::DuckDB database_;
  db::Connection connection_{database_};
  RowChanges changes_;
};

TEST_F(RowChangesTest, AnOperatorThatComesLateEmptiesNothing) {
  begin_query(7);
  begin();
  take_out(3);
  begin();  // the end of the plan, prepared after the first rows went through
  take_out(4);
  auto rows = changes_.rows_out();
  EXPECT_EQ(rows["a.parquet"].count(), 2);
}

TEST_F(RowChangesTest, APlanThatRunsAgainKnowsNothingOfAFailedRun) {
  begin_query(7);
  begin();
  take_out(3);
  begin_query(8);
  begin();
  take_out(4);
  auto rows = changes_.rows_out();
  EXPECT_EQ(rows["a.parquet"].count(), 1);
}

}  // namespace
}  // namespace tarn::engine::lake
