#include "engine/duck/outside/outside_scan.h"

#include <set>

#include <fmt/format.h>

#include "engine/duck/errors.h"
#include "engine/duck/outside/condition_text.h"

namespace tarn::engine::outside {
namespace {

constexpr db::idx_t kRowsUnknown = 100'000;

struct ScanData final : public db::TableFunctionData {
  explicit ScanData(OutsideTableEntry& e) : entry(e) {}
  db::unique_ptr<db::FunctionData> Copy() const override { return db::make_uniq<ScanData>(*this); }
  bool Equals(const db::FunctionData& other) const override {
    const auto& data = other.Cast<ScanData>();
    return &entry == &data.entry && conditions == data.conditions;
  }
  // The other side may have changed since: each execution looks the table up anew.
  bool SupportStatementCache() const override { return false; }

  OutsideTableEntry& entry;
  std::set<std::string> conditions;  // all of them hold for the rows that are wanted
};

struct ScanState final : public db::GlobalTableFunctionState {
  db::idx_t MaxThreads() const override { return MAX_THREADS; }
  std::unique_ptr<Rows> rows;
  db::vector<db::LogicalType> types;
};

std::string identifier(std::string_view name) {
  return db::KeywordHelper::WriteQuoted(std::string(name), '"');
}

std::string select_text(const ScanData& data, const db::vector<db::column_t>& columns) {
  const auto& shape = data.entry.shape();
  std::string list;
  for (const auto column : columns) {
    const auto text = column < shape.names.size() ? identifier(shape.names[column]) : "NULL::BOOLEAN";
    list += fmt::format("{}{}", list.empty() ? "" : ", ", text);
  }
  auto sql = fmt::format("SELECT {} FROM {}", list.empty() ? "NULL::BOOLEAN" : list,
                         relation_of(data.entry.attachment().outside(), data.entry.id()));
  const char* word = " WHERE ";
  for (const auto& condition : data.conditions) {
    sql += fmt::format("{}({})", word, condition);
    word = " AND ";
  }
  return sql;
}

db::unique_ptr<db::GlobalTableFunctionState> start(db::ClientContext&, db::TableFunctionInitInput& input) {
  const auto& data = input.bind_data->Cast<ScanData>();
  auto state = db::make_uniq<ScanState>();
  auto rows = data.entry.attachment().read(select_text(data, input.column_ids));
  if (!rows) {
    throw_error(rows.error());
  }
  state->rows = std::move(*rows);
  const auto& shape = data.entry.shape();
  for (const auto column : input.column_ids) {
    state->types.push_back(column < shape.types.size() ? shape.types[column] : db::LogicalType::BOOLEAN);
  }
  return std::move(state);
}

void next(db::ClientContext& context, db::TableFunctionInput& input, db::DataChunk& output) {
  auto& state = input.global_state->Cast<ScanState>();
  auto chunk = state.rows->next(stopped_by(context));
  if (!chunk) {
    throw_error(chunk.error());
  }
  if (!*chunk) {
    return;
  }
  auto& rows = **chunk;
  if (!state.types.empty() && rows.GetTypes() != state.types) {
    auto& entry = input.bind_data->Cast<ScanData>().entry;
    entry.attachment().forget(entry.id());
    throw_error(
        {Code::kConflict, fmt::format("attachment {}: {}.{} has other columns than a moment ago; run the "
                                      "statement again",
                                      entry.attachment().name(), entry.schema.name, entry.name)});
  }
  for (db::idx_t i = 0; i < output.ColumnCount() && i < rows.ColumnCount(); ++i) {
    output.data[i].Reference(rows.data[i]);
  }
  output.SetCardinality(rows.size());
}

// Every condition stays with DuckDB as well: what the other side leaves out is only a saving.
void push_conditions(db::ClientContext&, db::LogicalGet& get, db::FunctionData* bind_data,
                     db::vector<db::unique_ptr<db::Expression>>& filters) {
  auto& data = bind_data->Cast<ScanData>();
  const auto& shape = data.entry.shape();
  const auto name_of_column = [&](const db::BoundColumnRefExpression& column) -> std::optional<std::string> {
    const auto& columns = get.GetColumnIds();
    const auto at = column.binding.column_index;
    if (column.binding.table_index != get.table_index || at >= columns.size() ||
        columns[at].GetPrimaryIndex() >= shape.names.size()) {
      return std::nullopt;
    }
    return identifier(shape.names[columns[at].GetPrimaryIndex()]);
  };
  for (const auto& filter : filters) {
    if (auto text = condition_text(*filter, name_of_column)) {
      data.conditions.insert(std::move(*text));
    }
  }
}

db::unique_ptr<db::NodeStatistics> cardinality(db::ClientContext&, const db::FunctionData* bind_data) {
  const auto rows = bind_data->Cast<ScanData>().entry.shape().rows_about;
  return db::make_uniq<db::NodeStatistics>(rows > 1 ? rows : kRowsUnknown);
}

db::BindInfo bind_info(const db::optional_ptr<db::FunctionData> bind_data) {
  return db::BindInfo(bind_data->Cast<ScanData>().entry);
}

db::InsertionOrderPreservingMap<db::string> describe(db::TableFunctionToStringInput& input) {
  const auto& data = input.bind_data->Cast<ScanData>();
  db::InsertionOrderPreservingMap<db::string> text;
  text["Table"] =
      fmt::format("{}.{}.{}", data.entry.attachment().name(), data.entry.schema.name, data.entry.name);
  std::string asked;
  for (const auto& condition : data.conditions) {
    asked += fmt::format("{}{}", asked.empty() ? "" : " AND ", condition);
  }
  if (!asked.empty()) {
    text["Asked for"] = asked;
  }
  return text;
}

}  // namespace

db::TableFunction outside_scan(OutsideTableEntry& entry, db::unique_ptr<db::FunctionData>& bind_data) {
  bind_data = db::make_uniq<ScanData>(entry);
  db::TableFunction function("outside_scan", {}, next);
  function.init_global = start;
  function.projection_pushdown = true;
  function.pushdown_complex_filter = push_conditions;
  function.cardinality = cardinality;
  function.get_bind_info = bind_info;
  function.to_string = describe;
  return function;
}

}  // namespace tarn::engine::outside
