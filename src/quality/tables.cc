#include "quality/tables.h"

#include <fmt/format.h>

#include "base/time.h"
#include "quality/measures.h"

namespace tarn::quality {
namespace {

using Cell = std::optional<std::string>;

Cell text_or_null(const std::string& text) {
  return text.empty() ? Cell() : Cell(text);
}

template <class T>
Cell number_or_null(const std::optional<T>& number) {
  return number ? Cell(fmt::format("{}", *number)) : Cell();
}

class HistoryTable final : public engine::TableSource {
 public:
  explicit HistoryTable(const TablesOf& of) : of_(of) {}
  [[nodiscard]] const std::string& name() const override { return name_; }
  [[nodiscard]] const std::string& about() const override { return about_; }
  [[nodiscard]] const std::vector<engine::SourceColumn>& columns() const override { return columns_; }
  Status scan(const std::function<bool(engine::TextRow row)>& sink) override {
    TARN_TRY(const auto loads, loads_of(of_.catalog));
    for (const auto& load : loads) {
      if (!sink({load.table, std::to_string(load.snapshot_id), format_utc(load.at), load.operation,
                 text_or_null(load.task), text_or_null(load.run), number_or_null(load.added),
                 number_or_null(load.deleted), number_or_null(load.rows), number_or_null(load.bytes)}))
        break;
    }
    return ok();
  }

 private:
  const TablesOf of_;
  const std::string name_ = "table_history";
  const std::string about_ = "One row per change of a table that its metadata still has, oldest first.";
  const std::vector<engine::SourceColumn> columns_ = {{"table_name", "VARCHAR", "schema.name"},
                                                      {"snapshot_id", "BIGINT", ""},
                                                      {"changed_at", "TIMESTAMP WITH TIME ZONE", ""},
                                                      {"operation", "VARCHAR", "append, overwrite or delete"},
                                                      {"task", "VARCHAR", "null: somebody's statement"},
                                                      {"run", "VARCHAR", ""},
                                                      {"rows_added", "BIGINT", ""},
                                                      {"rows_deleted", "BIGINT", ""},
                                                      {"rows", "BIGINT", "Afterwards"},
                                                      {"bytes", "BIGINT", "Of its files, afterwards"}};
};

class MeasuresTable final : public engine::TableSource {
 public:
  explicit MeasuresTable(const TablesOf& of) : of_(of) {}
  [[nodiscard]] const std::string& name() const override { return name_; }
  [[nodiscard]] const std::string& about() const override { return about_; }
  [[nodiscard]] const std::vector<engine::SourceColumn>& columns() const override { return columns_; }
  Status scan(const std::function<bool(engine::TextRow row)>& sink) override {
    TARN_TRY(const auto all, measures_of({of_.catalog, of_.store, of_.zone, of_.env.clock->now()}));
    for (const auto& one : all) {
      const auto basis = one.points == 0 ? Cell() : one.same_weekday ? Cell("same weekday") : Cell("newest");
      if (!sink({one.table, text_or_null(one.task), one.name, format_utc(one.at),
                 fmt::format("{}", one.value), number_or_null(one.expected), number_or_null(one.low),
                 number_or_null(one.high), std::to_string(one.points), basis, one.state,
                 text_or_null(one.run)}))
        break;
    }
    return ok();
  }

 private:
  const TablesOf of_;
  const std::string name_ = "measures";
  const std::string about_ =
      "What each load brought and what is usual: median ± 4 deviations of the loads before "
      "(docs/quality.md).";
  const std::vector<engine::SourceColumn> columns_ = {
      {"table_name", "VARCHAR", "schema.name"},
      {"task", "VARCHAR", "null for rows: whoever changed the table"},
      {"measure", "VARCHAR",
       "rows in the table; written by a success of the task; quarantined by it; gap: hours since the one "
       "before"},
      {"measured_at", "TIMESTAMP WITH TIME ZONE", ""},
      {"value", "DOUBLE", ""},
      {"expected", "DOUBLE", "null: fewer than five loads before it"},
      {"low", "DOUBLE", ""},
      {"high", "DOUBLE", ""},
      {"points", "BIGINT", "Loads that the band stands on"},
      {"basis", "VARCHAR", "same weekday, or newest"},
      {"state", "VARCHAR", "ok, low, high, or few: too few loads before it"},
      {"run", "VARCHAR", "null: the gap that is open now, or somebody's statement"}};
};

}  // namespace

std::vector<std::shared_ptr<engine::TableSource>> quality_tables(const TablesOf& of) {
  return {std::make_shared<HistoryTable>(of), std::make_shared<MeasuresTable>(of)};
}

}  // namespace tarn::quality
