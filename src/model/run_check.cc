#include "model/run_check.h"

#include <fmt/format.h>

#include "model/render.h"

namespace tarn::model {
namespace {

constexpr size_t kRowsShown = 5;
constexpr size_t kCellBytesMax = 60;

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

}  // namespace

Result<Verdict> run_test(const ModelProject& project, const DataTest& test, session::Session& session) {
  Diagnostic mistake;
  TARN_TRY(Compiled compiled, compile_test(project, test, mistake));
  const std::string front = "select * from (\n";
  std::string limit = test.config.limit ? fmt::format(" limit {}", *test.config.limit) : "";
  auto stream = session.query(front + compiled.rendered.text + "\n)" + limit);
  if (!stream) {
    return placed(project, compiled, test, stream.error(), front);
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
    for (size_t row = 0;
         row < (*batch)->rows && verdict.rows + static_cast<int64_t>(row) < int64_t{kRowsShown}; ++row) {
      rows += (rows.empty() ? "" : ", ") + shown_row((*stream)->columns(), **batch, row);
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

}  // namespace tarn::model
