#include "model/run_check.h"

#include <fmt/format.h>

#include "model/render.h"

namespace tarn::model {
namespace {

constexpr size_t kRowsShown = 5;
constexpr size_t kCellBytesMax = 60;
constexpr size_t kKeptRows = 20;  // in the records
constexpr size_t kKeptColumns = 50;
constexpr size_t kKeptCellBytes = 200;

std::string shown_row(const std::vector<engine::Column>& columns, const engine::TextBatch& batch,
                      size_t row) {
  std::string out;
  for (size_t i = 0; i < columns.size() && i < batch.columns.size(); ++i) {
    const auto& cells = batch.columns[i];
    std::string cell = cells.null[row] ? "null" : cells.text[row];
    if (cell.size() > kCellBytesMax) {
      cell = cell.substr(0, kCellBytesMax) + "…";
    }
    out += fmt::format("{}{}={}", out.empty() ? "" : ", ", columns[i].name, cell);
  }
  return "(" + out + ")";
}

Error placed(const ModelProject& project, const Compiled& compiled, const DataTest& test, const Error& error,
             std::string_view front) {
  bool own_file = compiled.text != nullptr;
  Diagnostic where = place_error(project, compiled, error, front);
  where.place = own_file ? where.place : test.place;
  return {error.code, fmt::format("{}: test {}: {}", to_string(where.place), test.name, where.message)};
}

flow::TestOutcome outcome_of(const ModelProject& project, const DataTest& test) {
  const Node* on = project.find(test.on);
  flow::TestOutcome outcome{.name = test.name, .path = test.path, .line = test.place.line};
  if (!test.generic.empty()) {
    outcome.table = on != nullptr           ? to_text(on->table)
                    : test.database.empty() ? to_text(test.table)
                                            : test.database + "." + to_text(test.table);
  }
  outcome.column = test.column;
  outcome.kind = test.generic;
  outcome.severity = test.config.severity;
  return outcome;
}

// Keeps the first rows as they came, cut to what a page shows.
void keep_rows(const engine::TextBatch& batch, size_t row, flow::TestOutcome& outcome) {
  std::vector<std::optional<std::string>> cells;
  for (const auto& column : batch.columns) {
    if (cells.size() == kKeptColumns) {
      break;
    }
    if (column.null[row]) {
      cells.emplace_back();
    } else {
      cells.emplace_back(column.text[row].size() > kKeptCellBytes
                             ? column.text[row].substr(0, kKeptCellBytes) + "…"
                             : column.text[row]);
    }
  }
  outcome.rows.push_back(std::move(cells));
}

Result<Verdict> ask(const ModelProject& project, const DataTest& test, session::Session& session,
                    flow::TestOutcome& outcome) {
  Diagnostic mistake;
  TARN_TRY(Compiled compiled, compile_test(project, test, mistake));
  outcome.sql = compiled.rendered.text;
  const std::string front = "select * from (\n";
  std::string limit = test.config.limit ? fmt::format(" limit {}", *test.config.limit) : "";
  auto stream = session.query(front + compiled.rendered.text + "\n)" + limit);
  if (!stream) {
    return placed(project, compiled, test, stream.error(), front);
  }
  for (const auto& column : (*stream)->columns()) {
    outcome.columns.push_back(column.name);
  }
  Verdict verdict;
  std::string rows;
  for (;;) {
    auto batch = (*stream)->next_text();
    if (!batch) {
      return placed(project, compiled, test, batch.error(), front);
    }
    if (!*batch) {
      break;
    }
    for (size_t row = 0; row < (*batch)->rows && outcome.rows.size() < kKeptRows; ++row) {
      if (outcome.rows.size() < kRowsShown) {
        rows += (rows.empty() ? "" : ", ") + shown_row((*stream)->columns(), **batch, row);
      }
      keep_rows(**batch, row, outcome);
    }
    verdict.rows += static_cast<int64_t>((*batch)->rows);
  }
  bool failed = test.config.severity == "error" && test.config.error_if.holds(verdict.rows);
  if (failed || test.config.warn_if.holds(verdict.rows)) {
    verdict.kind = failed ? Verdict::Kind::kFailed : Verdict::Kind::kWarned;
    verdict.message = fmt::format("{}: {} {}: {}", test.name, verdict.rows,
                                  verdict.rows == 1 ? "row fails" : "rows fail", rows);
  }
  return verdict;
}

}  // namespace

Result<Verdict> run_test(const ModelProject& project, const DataTest& test, session::Session& session,
                         std::vector<flow::TestOutcome>& outcomes) {
  auto outcome = outcome_of(project, test);
  auto verdict = ask(project, test, session, outcome);
  if (!verdict) {
    outcome.state = "error";
    outcome.message = verdict.error().message;
  } else {
    outcome.failures = verdict->rows;
    outcome.message = verdict->message;
    switch (verdict->kind) {
      case Verdict::Kind::kPassed: outcome.state = "passed"; break;
      case Verdict::Kind::kWarned: outcome.state = "warned"; break;
      case Verdict::Kind::kFailed: outcome.state = "failed"; break;
    }
  }
  if (outcome.state == "passed") {
    outcome.sql.clear();
    outcome.rows.clear();
  }
  outcomes.push_back(std::move(outcome));
  return verdict;
}

}  // namespace tarn::model
