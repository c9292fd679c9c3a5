#include "engine/duck/lake/scan.h"

#include <atomic>
#include <charconv>

#include "duckdb/catalog/catalog_entry/table_function_catalog_entry.hpp"
#include "duckdb/common/multi_file/multi_file_states.hpp"
#include "duckdb/parser/tableref/table_function_ref.hpp"
#include "engine/duck/lake/filter.h"
#include "engine/duck/lake/foreign_file.h"
#include "engine/duck/lake/lake_database.h"
#include "engine/duck/lake/statistics.h"
#include "engine/duck/lake/transaction.h"

namespace tarn::engine::lake {
namespace {

struct ScanInfo : public db::TableFunctionInfo {
  explicit ScanInfo(std::shared_ptr<const ScanSource> s) : source(std::move(s)) {}
  std::shared_ptr<const ScanSource> source;
};

const FileList& file_list(const db::FunctionData& bind_data) {
  return bind_data.Cast<db::MultiFileBindData>().file_list->Cast<FileList>();
}

db::BindInfo bind_info(const db::optional_ptr<db::FunctionData> bind_data) {
  const auto& table = *file_list(*bind_data).source().table;
  return db::BindInfo(const_cast<TableEntry&>(table));
}

db::virtual_column_map_t virtual_columns(db::ClientContext&, db::optional_ptr<db::FunctionData> bind_data) {
  auto columns = lake_virtual_columns();
  bind_data->Cast<db::MultiFileBindData>().virtual_columns = columns;
  return columns;
}

db::vector<db::column_t> row_id_columns(db::ClientContext&, db::optional_ptr<db::FunctionData>) {
  return lake_row_id_columns();
}

db::unique_ptr<db::BaseStatistics> statistics(db::ClientContext&, const db::FunctionData* bind_data,
                                              db::column_t column) {
  return column_statistics(file_list(*bind_data), column);
}

db::vector<db::PartitionStatistics> partition_stats(db::ClientContext&, db::GetPartitionStatsInput& input) {
  return file_statistics(file_list(*input.bind_data));
}

// Filters on other columns are applied above the scan.
bool supports_pushdown(const db::FunctionData& bind_data, db::idx_t column) {
  return reader_filters_right(*file_list(bind_data).source().table, column);
}

// How many files are read, and how many the manifests' statistics left out. No paths: they would tell names.
void add_counts(const FileList& files, db::InsertionOrderPreservingMap<db::string>& text) {
  const auto plan = files.plan();
  text["Files"] = std::to_string(plan->files.size());
  text["Files pruned"] = std::to_string(plan->files_pruned);
}

db::InsertionOrderPreservingMap<db::string> to_text(db::TableFunctionToStringInput& input) {
  db::InsertionOrderPreservingMap<db::string> text;
  const auto& files = file_list(*input.bind_data);
  const auto& name = files.source().table->table().name();
  text["Table"] = name.schema + "." + name.name;
  add_counts(files, text);
  return text;
}

// DuckDB's own scan, which is the same function for every table.
std::atomic<db::table_function_t> parquet_rows{nullptr};

// Its rows; an error in the middle of a file names the table and the file.
void scan_rows(db::ClientContext& context, db::TableFunctionInput& input, db::DataChunk& output) {
  try {
    parquet_rows.load()(context, input, output);
  } catch (const std::exception& exception) {
    const auto& reader = input.local_state->Cast<db::MultiFileLocalState>().reader;
    throw_unreadable(file_list(*input.bind_data).source().table->table().name(),
                     reader ? reader->GetFileName() : std::string("a data file"), exception);
  }
}

// As above, and what values that a join found left out.
db::InsertionOrderPreservingMap<db::string> to_dynamic_text(db::TableFunctionDynamicToStringInput& input) {
  db::InsertionOrderPreservingMap<db::string> text;
  if (!input.global_state) {
    return text;
  }
  const auto& state = input.global_state->Cast<db::MultiFileGlobalState>();
  add_counts(state.file_list.Cast<FileList>(), text);
  return text;
}

}  // namespace

std::shared_ptr<const ScanSource> scan_source(db::ClientContext& context, const TableEntry& table) {
  const auto* change =
      table.historic() ? nullptr : Transaction::of(context, table.lake()).files_changed(table.table().uuid());
  return changed_source(table.shared_from_this(), change == nullptr ? FileChange() : *change);
}

std::shared_ptr<const ScanSource> changed_source(std::shared_ptr<const TableEntry> table,
                                                 const FileChange& change) {
  auto source = std::make_shared<ScanSource>();
  source->service = &table->lake().service();
  source->table = std::move(table);
  source->without_base = change.remove_all;
  source->removed = change.removed;
  source->added = change.added;
  source->rows_out = change.rows_out;
  return source;
}

uint64_t rows_about(const ScanSource& source) {
  uint64_t rows = 0;
  const auto* snapshot = source.table->metadata()->current_snapshot();
  if (snapshot != nullptr && !source.without_base) {
    const auto total = snapshot->summary.find("total-records");
    if (total != snapshot->summary.end()) {
      const auto& digits = total->second;
      std::from_chars(digits.data(), digits.data() + digits.size(), rows);
    }
  }
  for (const auto& file : source.added) {
    rows += static_cast<uint64_t>(file.record_count);
  }
  return rows;
}

db::virtual_column_map_t lake_virtual_columns() {
  db::virtual_column_map_t columns;
  columns.insert({db::MultiFileReader::COLUMN_IDENTIFIER_FILENAME,
                  db::TableColumn("filename", db::LogicalType::VARCHAR)});
  columns.insert({db::MultiFileReader::COLUMN_IDENTIFIER_FILE_ROW_NUMBER,
                  db::TableColumn("file_row_number", db::LogicalType::BIGINT)});
  columns.insert({kSnapshotColumn, db::TableColumn("snapshot_id", db::LogicalType::BIGINT)});
  columns.insert({db::COLUMN_IDENTIFIER_EMPTY, db::TableColumn("", db::LogicalType::BOOLEAN)});
  return columns;
}

db::vector<db::column_t> lake_row_id_columns() {
  return {db::MultiFileReader::COLUMN_IDENTIFIER_FILENAME,
          db::MultiFileReader::COLUMN_IDENTIFIER_FILE_ROW_NUMBER};
}

namespace {

// A scan of this source that is still to be bound.
db::TableFunction scan_function(db::ClientContext& context, std::shared_ptr<const ScanSource> source) {
  auto& parquet = db::Catalog::GetSystemCatalog(context).GetEntry<db::TableFunctionCatalogEntry>(
      context, DEFAULT_SCHEMA, "parquet_scan");
  auto function = parquet.functions.GetFunctionByOffset(0);
  function.name = "lake_scan";
  parquet_rows = function.function;
  function.function = scan_rows;
  function.get_multi_file_reader = FileReader::create;
  function.statistics = statistics;
  function.statistics_extended = nullptr;
  function.get_bind_info = bind_info;
  function.get_virtual_columns = virtual_columns;
  function.get_row_id_columns = row_id_columns;
  function.get_partition_stats = partition_stats;
  function.supports_pushdown_type = supports_pushdown;
  function.to_string = to_text;
  function.dynamic_to_string = to_dynamic_text;
  function.serialize = nullptr;
  function.deserialize = nullptr;
  function.function_info = db::make_shared_ptr<ScanInfo>(std::move(source));
  return function;
}

db::unique_ptr<db::FunctionData> bind_scan(db::ClientContext& context, db::TableFunction& function,
                                           db::vector<db::LogicalType>& types,
                                           db::vector<db::string>& names) {
  db::vector<db::Value> inputs = {db::Value("")};
  db::named_parameter_map_t parameters;
  db::vector<db::LogicalType> input_types;
  db::vector<db::string> input_names;
  db::TableFunctionRef empty_ref;
  db::TableFunctionBindInput input(inputs, parameters, input_types, input_names, function.function_info.get(),
                                   nullptr, function, empty_ref);
  auto bind_data = function.bind(context, input, types, names);
  bind_data->Cast<db::MultiFileBindData>().virtual_columns = lake_virtual_columns();
  return bind_data;
}

// The function that is bound becomes the scan.
db::unique_ptr<db::FunctionData> bind_rows(db::ClientContext& context, db::TableFunctionBindInput& input,
                                           db::vector<db::LogicalType>& types,
                                           db::vector<db::string>& names) {
  const auto& rows = LakeClientState::of(context)->rows;
  const auto number =
      input.inputs[0].IsNull() ? rows.size() : static_cast<size_t>(input.inputs[0].GetValue<int64_t>());
  if (number >= rows.size()) {
    throw_error({Code::kDenied, "lake_rows is for Tarn alone: name the table"});
  }
  auto function = scan_function(context, rows[number]);
  auto bind_data = bind_scan(context, function, types, names);
  function.arguments = input.table_function.arguments;
  input.table_function = std::move(function);
  return bind_data;
}

}  // namespace

void register_lake_rows(db::ExtensionLoader& loader) {
  loader.RegisterFunction(db::TableFunction("lake_rows", {db::LogicalType::BIGINT}, nullptr, bind_rows));
}

db::TableFunction lake_scan(db::ClientContext& context, const std::shared_ptr<const TableEntry>& table,
                            db::unique_ptr<db::FunctionData>& bind_data) {
  auto function = scan_function(context, scan_source(context, *table));
  db::vector<db::LogicalType> types;
  db::vector<db::string> names;
  bind_data = bind_scan(context, function, types, names);
  return function;
}

db::unique_ptr<db::MultiFileReader> FileReader::create(const db::TableFunction& function) {
  return db::make_uniq<FileReader>(function.function_info->Cast<ScanInfo>().source);
}

}  // namespace tarn::engine::lake
