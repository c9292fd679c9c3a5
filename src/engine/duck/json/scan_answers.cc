// tarn_json_rejects, tarn_json_keys and tarn_json_ranges: what a scan of JSON lines met besides rows.
#include "duckdb/function/table_function.hpp"
#include "duckdb/main/extension/extension_loader.hpp"
#include "engine/duck/json/scan_record.h"

namespace tarn::engine::json {
namespace {

struct Binding : public db::TableFunctionData {
  int64_t scan = 0;
};

struct State : public db::GlobalTableFunctionState {
  std::shared_ptr<ScanRecord> record;  // null: there was no such scan
  db::ColumnDataScanState scan;
  db::DataChunk rejects;
  std::vector<std::pair<std::string, codec::JsonShape>> keys;
  size_t next = 0;
};

db::unique_ptr<db::FunctionData> bind_columns(
    db::TableFunctionBindInput& input, db::vector<db::LogicalType>& types, db::vector<db::string>& names,
    std::initializer_list<std::pair<const char*, db::LogicalType>> all) {
  for (const auto& [name, type] : all) {
    names.emplace_back(name);
    types.push_back(type);
  }
  auto binding = db::make_uniq<Binding>();
  binding->scan = input.inputs[0].GetValue<int64_t>();
  return std::move(binding);
}

db::unique_ptr<db::FunctionData> bind_rejects(db::ClientContext&, db::TableFunctionBindInput& input,
                                              db::vector<db::LogicalType>& types,
                                              db::vector<db::string>& names) {
  return bind_columns(input, types, names,
                      {{"fetch_id", db::LogicalType::VARCHAR},
                       {"row_number", db::LogicalType::BIGINT},
                       {"reason", db::LogicalType::VARCHAR},
                       {"raw", db::LogicalType::VARCHAR}});
}

db::unique_ptr<db::FunctionData> bind_keys(db::ClientContext&, db::TableFunctionBindInput& input,
                                           db::vector<db::LogicalType>& types,
                                           db::vector<db::string>& names) {
  return bind_columns(input, types, names,
                      {{"key", db::LogicalType::VARCHAR},
                       {"type", db::LogicalType::VARCHAR},
                       {"nested", db::LogicalType::VARCHAR}});
}

db::unique_ptr<db::FunctionData> bind_ranges(db::ClientContext&, db::TableFunctionBindInput& input,
                                             db::vector<db::LogicalType>& types,
                                             db::vector<db::string>& names) {
  return bind_columns(input, types, names,
                      {{"fetch_id", db::LogicalType::VARCHAR},
                       {"range", db::LogicalType::BIGINT},
                       {"lines_before", db::LogicalType::BIGINT}});
}

db::unique_ptr<db::GlobalTableFunctionState> start(db::ClientContext& context,
                                                   db::TableFunctionInitInput& input) {
  auto state = db::make_uniq<State>();
  state->record = ScanRecords::find(context, input.bind_data->Cast<Binding>().scan);
  if (state->record) {
    state->record->rejects().InitializeScan(state->scan);
    state->record->rejects().InitializeScanChunk(state->rejects);
    state->keys = state->record->keys();
  }
  return std::move(state);
}

void next_rejects(db::ClientContext&, db::TableFunctionInput& input, db::DataChunk& chunk) {
  auto& state = input.global_state->Cast<State>();
  if (!state.record || !state.record->rejects().Scan(state.scan, state.rejects)) {
    return;
  }
  for (db::idx_t i = 0; i < state.rejects.size(); ++i) {
    const auto range = static_cast<size_t>(state.rejects.GetValue(0, i).GetValue<int64_t>());
    const auto line = state.rejects.GetValue(1, i).GetValue<int64_t>();
    const auto before = static_cast<int64_t>(state.record->lines_before(range));
    chunk.SetValue(0, i, db::Value(state.record->fetch_of(range)));
    chunk.SetValue(1, i, db::Value::BIGINT(before + line));
    chunk.SetValue(2, i, state.rejects.GetValue(2, i));
    chunk.SetValue(3, i, state.rejects.GetValue(3, i));
  }
  chunk.SetCardinality(state.rejects.size());
}

void next_keys(db::ClientContext&, db::TableFunctionInput& input, db::DataChunk& chunk) {
  auto& state = input.global_state->Cast<State>();
  db::idx_t rows = 0;
  for (; state.next < state.keys.size() && rows < STANDARD_VECTOR_SIZE; ++state.next, ++rows) {
    const auto& [key, shape] = state.keys[state.next];
    chunk.SetValue(0, rows, db::Value(key));
    chunk.SetValue(1, rows, db::Value(shape.flat_type()));
    chunk.SetValue(2, rows, db::Value(shape.nested_type()));
  }
  chunk.SetCardinality(rows);
}

void next_ranges(db::ClientContext&, db::TableFunctionInput& input, db::DataChunk& chunk) {
  auto& state = input.global_state->Cast<State>();
  db::idx_t rows = 0;
  const size_t count = state.record ? state.record->ranges().size() : 0;
  for (; state.next < count && rows < STANDARD_VECTOR_SIZE; ++state.next, ++rows) {
    chunk.SetValue(0, rows, db::Value(state.record->fetch_of(state.next)));
    chunk.SetValue(1, rows,
                   db::Value::BIGINT(static_cast<int64_t>(state.record->ranges()[state.next].number)));
    chunk.SetValue(2, rows, db::Value::BIGINT(static_cast<int64_t>(state.record->lines_before(state.next))));
  }
  chunk.SetCardinality(rows);
}

}  // namespace

void register_scan_answers(db::ExtensionLoader& loader) {
  const db::vector<db::LogicalType> scan = {db::LogicalType::BIGINT};
  loader.RegisterFunction(db::TableFunction("tarn_json_rejects", scan, next_rejects, bind_rejects, start));
  loader.RegisterFunction(db::TableFunction("tarn_json_keys", scan, next_keys, bind_keys, start));
  loader.RegisterFunction(db::TableFunction("tarn_json_ranges", scan, next_ranges, bind_ranges, start));
}

}  // namespace tarn::engine::json
