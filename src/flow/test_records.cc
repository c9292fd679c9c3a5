#include "flow/test_records.h"

#include <nlohmann/json.hpp>

namespace tarn::flow {
namespace {

// An array of objects of texts and nulls, in the order of the columns; empty when there is nothing to show.
std::string sample_of(const TestOutcome& test) {
  if (test.rows.empty())
    return "";
  auto rows = nlohmann::ordered_json::array();
  for (const auto& row : test.rows) {
    auto object = nlohmann::ordered_json::object();
    for (size_t i = 0; i < row.size() && i < test.columns.size(); ++i)
      object[test.columns[i]] = row[i] ? nlohmann::ordered_json(*row[i]) : nlohmann::ordered_json();
    rows.push_back(std::move(object));
  }
  return rows.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace

store::Migrations test_migrations() {
  return {.component = "tests", .steps = {R"sql(
CREATE TABLE test_results (
  run_id TEXT NOT NULL, task TEXT NOT NULL, test TEXT NOT NULL, path TEXT NOT NULL, line INTEGER NOT NULL,
  table_name TEXT NOT NULL, column_name TEXT NOT NULL, kind TEXT NOT NULL, severity TEXT NOT NULL,
  state TEXT NOT NULL, failures INTEGER NOT NULL, message TEXT NOT NULL, sample TEXT NOT NULL,
  sql TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (run_id, task, test)
) STRICT, WITHOUT ROWID;
CREATE INDEX test_results_by_time ON test_results (at);
)sql"}};
}

Status write_tests(store::Connection& db, const TestsOf& of, const std::vector<TestOutcome>& tests) {
  TARN_CHECK(db.run("DELETE FROM test_results WHERE run_id = ? AND task = ?", {of.run_id, of.task}));
  for (const auto& test : tests) {
    TARN_CHECK(
        db.run("INSERT OR REPLACE INTO test_results VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
               {of.run_id, of.task, test.name, test.path, test.line, test.table, test.column, test.kind,
                test.severity, test.state, test.failures, test.message, sample_of(test), test.sql, of.at}));
  }
  return ok();
}

}  // namespace tarn::flow
