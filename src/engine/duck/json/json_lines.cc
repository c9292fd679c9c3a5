#include "engine/duck/json/json_lines.h"

#include <atomic>

#include "duckdb/execution/partition_info.hpp"
#include "duckdb/function/table_function.hpp"
#include "duckdb/main/extension/extension_loader.hpp"
#include "engine/duck/json/line_reader.h"

namespace tarn::engine::json {
namespace {

constexpr uint64_t kRangeBytes = uint64_t{2} << 20;

struct Binding : public db::TableFunctionData {
  std::vector<std::string> paths;
  std::vector<std::string> fetches;
  std::vector<LineKey> keys;
  std::vector<int> output;  // by key: the function's column, or -1
  db::LogicalType fetch_type;
  db::idx_t columns = 0;  // of keys; fetch, row and raw follow
  int64_t scan = 0;
  uint64_t bytes_max = 0;
};

struct Global : public db::GlobalTableFunctionState {
  db::idx_t MaxThreads() const override { return std::max<size_t>(1, record->ranges().size()); }
  std::shared_ptr<ScanRecord> record;
  std::vector<int> chunk_column;  // by key: the chunk's column, or -1
  int fetch = -1, row = -1, raw = -1;
  std::atomic<size_t> next{0};
};

struct Local : public db::LocalTableFunctionState {
  Local(db::ClientContext& context, const Binding& binding, const Global& global)
      : reader(context, binding.keys, global.chunk_column) {
    rejects.Initialize(context, ScanRecord::reject_types());
  }
  LineReader reader;
  LineRange lines;
  size_t range = 0;
  bool open = false;
  db::DataChunk rejects;
};

std::vector<std::string> texts(const db::Value& list) {
  std::vector<std::string> out;
  for (const auto& one : db::ListValue::GetChildren(list)) {
    out.push_back(one.ToString());
  }
  return out;
}

db::LogicalType fetch_type(const std::vector<std::string>& fetches) {
  db::Vector words(db::LogicalType::VARCHAR, std::max<size_t>(1, fetches.size()));
  for (size_t i = 0; i < fetches.size(); ++i) {
    words.SetValue(i, db::Value(fetches[i]));
  }
  return db::LogicalType::ENUM(words, fetches.size());
}

db::unique_ptr<db::FunctionData> bind(db::ClientContext& context, db::TableFunctionBindInput& input,
                                      db::vector<db::LogicalType>& types, db::vector<db::string>& names) {
  auto binding = db::make_uniq<Binding>();
  binding->paths = texts(input.inputs[0]);
  binding->fetches = texts(input.inputs[1]);
  const auto keys = texts(input.inputs[2]);
  const auto columns = texts(input.inputs[3]);
  const auto wanted = texts(input.inputs[4]);
  const auto required = texts(input.inputs[5]);
  binding->scan = input.inputs[6].GetValue<int64_t>();
  binding->bytes_max = static_cast<uint64_t>(input.inputs[7].GetValue<int64_t>());
  for (size_t i = 0; i < keys.size(); ++i) {
    LineKey key{.key = keys[i], .name = columns[i]};
    binding->output.push_back(wanted[i].empty() ? -1 : static_cast<int>(types.size()));
    if (!wanted[i].empty()) {
      types.push_back(db::TransformStringToLogicalType(wanted[i], context));
      names.push_back(columns[i]);
      key.target = Target(types.back());
      key.required = std::find(required.begin(), required.end(), columns[i]) != required.end();
    }
    binding->keys.push_back(std::move(key));
  }
  binding->columns = types.size();
  binding->fetch_type = fetch_type(binding->fetches);
  types.insert(types.end(), {binding->fetch_type, db::LogicalType::BIGINT, db::LogicalType::VARCHAR});
  names.insert(names.end(), {"tarn_fetch", "tarn_row", "tarn_raw"});
  return std::move(binding);
}

bool is_packed(const std::string& path) {
  return path.ends_with(".gz") || path.ends_with(".zst");
}

std::vector<FileRange> ranges_of(db::ClientContext& context, const Binding& binding) {
  std::vector<FileRange> ranges;
  auto& files = db::FileSystem::GetFileSystem(context);
  for (size_t file = 0; file < binding.paths.size(); ++file) {
    if (is_packed(binding.paths[file])) {
      const auto end = binding.bytes_max > 0 ? binding.bytes_max : ~uint64_t{0};
      ranges.push_back({.file = file, .begin = 0, .end = end, .packed = true});
      continue;
    }
    auto handle = files.OpenFile(binding.paths[file], db::FileFlags::FILE_FLAGS_READ);
    uint64_t size = handle->GetFileSize();
    size = binding.bytes_max > 0 ? std::min(size, binding.bytes_max) : size;
    for (uint64_t begin = 0; begin < size; begin += kRangeBytes) {
      ranges.push_back({.file = file,
                        .number = begin / kRangeBytes,
                        .begin = begin,
                        .end = std::min(size, begin + kRangeBytes)});
    }
  }
  return ranges;
}

db::unique_ptr<db::GlobalTableFunctionState> start(db::ClientContext& context,
                                                   db::TableFunctionInitInput& input) {
  const auto& binding = input.bind_data->Cast<Binding>();
  auto global = db::make_uniq<Global>();
  global->record = std::make_shared<ScanRecord>(context, binding.fetches, ranges_of(context, binding));
  ScanRecords::put(context, binding.scan, global->record);
  std::vector<int> place(binding.columns + 3, -1);
  for (size_t i = 0; i < input.column_ids.size(); ++i) {
    if (input.column_ids[i] < place.size()) {
      place[input.column_ids[i]] = static_cast<int>(i);
    }
  }
  for (const int column : binding.output) {
    global->chunk_column.push_back(column < 0 ? -1 : place[static_cast<size_t>(column)]);
  }
  global->fetch = place[binding.columns];
  global->row = place[binding.columns + 1];
  global->raw = place[binding.columns + 2];
  return std::move(global);
}

db::unique_ptr<db::LocalTableFunctionState> start_thread(db::ExecutionContext& context,
                                                         db::TableFunctionInitInput& input,
                                                         db::GlobalTableFunctionState* global) {
  return db::make_uniq<Local>(context.client, input.bind_data->Cast<Binding>(), global->Cast<Global>());
}

void flush_rejects(Local& local, Global& global) {
  if (local.rejects.size() > 0) {
    global.record->add_rejects(local.rejects);
    local.rejects.Reset();
  }
}

void reject(Local& local, Global& global, const std::string& reason, std::string_view line) {
  const auto at = local.rejects.size();
  local.rejects.SetValue(0, at, db::Value::BIGINT(static_cast<int64_t>(local.range)));
  local.rejects.SetValue(1, at, db::Value::BIGINT(static_cast<int64_t>(local.lines.count())));
  local.rejects.SetValue(2, at, db::Value(reason));
  local.rejects.SetValue(3, at, db::Value(printable(line)));
  local.rejects.SetCardinality(at + 1);
  if (local.rejects.size() == STANDARD_VECTOR_SIZE) {
    flush_rejects(local, global);
  }
}

// The next range, when there is one.
bool open_range(db::ClientContext& context, const Binding& binding, Global& global, Local& local) {
  local.range = global.next.fetch_add(1);
  if (local.range >= global.record->ranges().size()) {
    return false;
  }
  const auto& range = global.record->ranges()[local.range];
  local.lines.open(context, binding.paths[range.file], range);
  local.reader.count_keys_from(uint64_t{local.range} << 32);
  local.open = true;
  return true;
}

void close_range(Global& global, Local& local) {
  flush_rejects(local, global);
  global.record->add_range(local.range, local.lines.count(), local.reader.take_new_keys());
  local.open = false;
}

bool is_blank(std::string_view line) {
  return line.find_first_not_of(" \t\r") == std::string_view::npos;
}

// Fills the chunk from one range; false when the range is at its end.
bool fill(Global& global, Local& local, db::DataChunk& chunk, db::idx_t& rows) {
  const auto number = global.record->ranges()[local.range].number;
  std::string_view line;
  while (rows < STANDARD_VECTOR_SIZE) {
    if (!local.lines.next(line)) {
      return false;
    }
    if (is_blank(line)) {
      continue;
    }
    if (const auto reason = local.reader.read(line, chunk, rows)) {
      reject(local, global, *reason, line);
      continue;
    }
    if (global.row >= 0) {
      db::FlatVector::GetData<int64_t>(chunk.data[static_cast<size_t>(global.row)])[rows] =
          static_cast<int64_t>(number << 32 | local.lines.count());
    }
    if (global.raw >= 0) {
      auto& raw = chunk.data[static_cast<size_t>(global.raw)];
      db::FlatVector::GetData<db::string_t>(raw)[rows] =
          db::StringVector::AddString(raw, line.data(), line.size());
    }
    ++rows;
  }
  return true;
}

void next(db::ClientContext& context, db::TableFunctionInput& input, db::DataChunk& chunk) {
  const auto& binding = input.bind_data->Cast<Binding>();
  auto& global = input.global_state->Cast<Global>();
  auto& local = input.local_state->Cast<Local>();
  db::idx_t rows = 0;
  while (rows == 0 && !context.interrupted) {
    if (!local.open && !open_range(context, binding, global, local)) {
      break;
    }
    const size_t file = global.record->ranges()[local.range].file;
    if (!fill(global, local, chunk, rows)) {
      close_range(global, local);
    }
    if (rows > 0 && global.fetch >= 0) {
      chunk.data[static_cast<size_t>(global.fetch)].Reference(db::Value::ENUM(file, binding.fetch_type));
    }
  }
  chunk.SetCardinality(rows);
}

db::OperatorPartitionData partition(db::ClientContext&, db::TableFunctionGetPartitionInput& input) {
  return db::OperatorPartitionData(input.local_state->Cast<Local>().range);
}

}  // namespace

void register_scan_answers(db::ExtensionLoader& loader);   // scan_answers.cc
void register_json_function(db::ExtensionLoader& loader);  // json_function.cc

void register_json_lines(db::DatabaseInstance& database) {
  const auto list = db::LogicalType::LIST(db::LogicalType::VARCHAR);
  db::TableFunction lines(
      "tarn_json_lines",
      {list, list, list, list, list, list, db::LogicalType::BIGINT, db::LogicalType::BIGINT}, next, bind,
      start, start_thread);
  lines.projection_pushdown = true;
  lines.get_partition_data = partition;
  db::ExtensionLoader loader(database, "tarn");
  loader.RegisterFunction(lines);
  register_scan_answers(loader);
  register_json_function(loader);
}

}  // namespace tarn::engine::json
