#include "engine/duck/lake/system_table.h"

#include "duckdb/common/types/column/column_data_collection.hpp"
#include "duckdb/function/table_function.hpp"
#include "duckdb/parser/parsed_data/create_table_info.hpp"
#include "duckdb/storage/statistics/base_statistics.hpp"
#include "engine/duck/lake/lake_database.h"
#include "engine/duck/lake/schema_entry.h"
#include "engine/lake_catalog.h"

namespace tarn::engine::lake {
namespace {

struct SourceData : public db::TableFunctionData {
  SourceData(SystemTableEntry& e, std::shared_ptr<TableSource> s, db::vector<db::LogicalType> t)
      : entry(e), source(std::move(s)), types(std::move(t)) {}
  db::unique_ptr<db::FunctionData> Copy() const override {
    return db::make_uniq<SourceData>(entry, source, types);
  }
  bool Equals(const db::FunctionData& other) const override {
    return source == other.Cast<SourceData>().source;
  }
  SystemTableEntry& entry;
  std::shared_ptr<TableSource> source;
  db::vector<db::LogicalType> types;
};

struct SourceRows : public db::GlobalTableFunctionState {
  SourceRows(db::ClientContext& context, const db::vector<db::LogicalType>& types)
      : rows(context, types), column_ids() {}
  db::ColumnDataCollection rows;
  db::ColumnDataScanState scan;
  db::vector<db::column_t> column_ids;
};

db::Value cell(const TextRow& row, size_t i, const db::LogicalType& type) {
  if (i >= row.size() || !row[i]) {
    return db::Value(type);
  }
  return db::Value(*row[i]).DefaultCastAs(type);
}

// The rows are few (records of runs and the like); they are read at once, cut to the columns asked for.
db::unique_ptr<db::GlobalTableFunctionState> start(db::ClientContext& context,
                                                   db::TableFunctionInitInput& input) {
  const auto& data = input.bind_data->Cast<SourceData>();
  db::vector<db::LogicalType> types;
  for (const auto column : input.column_ids) {
    types.push_back(column < data.types.size() ? data.types[column] : db::LogicalType::BIGINT);
  }
  auto state = db::make_uniq<SourceRows>(context, types);
  db::DataChunk chunk;
  chunk.Initialize(context, types);
  const auto flush = [&] {
    state->rows.Append(chunk);
    chunk.Reset();
  };
  const auto status = data.source->scan([&](const TextRow& row) {
    const db::idx_t at = chunk.size();
    for (size_t i = 0; i < types.size(); ++i) {
      const auto column = input.column_ids[i];
      const bool real = column < data.types.size();
      chunk.SetValue(i, at, real ? cell(row, column, types[i]) : db::Value::BIGINT(static_cast<int64_t>(at)));
    }
    chunk.SetCardinality(at + 1);
    if (chunk.size() == STANDARD_VECTOR_SIZE) {
      flush();
    }
    return !context.interrupted;
  });
  check_or_throw(status);
  flush();
  state->rows.InitializeScan(state->scan);
  return std::move(state);
}

void next(db::ClientContext&, db::TableFunctionInput& input, db::DataChunk& output) {
  auto& state = input.global_state->Cast<SourceRows>();
  state.rows.Scan(state.scan, output);
}

db::BindInfo bind_info(const db::optional_ptr<db::FunctionData> bind_data) {
  return db::BindInfo(bind_data->Cast<SourceData>().entry);
}

}  // namespace

SystemTableEntry::SystemTableEntry(db::Catalog& catalog, db::SchemaCatalogEntry& schema,
                                   db::CreateTableInfo& info, std::shared_ptr<TableSource> source)
    : db::TableCatalogEntry(catalog, schema, info), source_(std::move(source)) {}

db::unique_ptr<db::BaseStatistics> SystemTableEntry::GetStatistics(db::ClientContext&, db::column_t) {
  return nullptr;
}

db::TableFunction SystemTableEntry::GetScanFunction(db::ClientContext&,
                                                    db::unique_ptr<db::FunctionData>& bind_data) {
  bind_data = db::make_uniq<SourceData>(*this, source_, GetTypes());
  db::TableFunction function("system_table_scan", {}, next);
  function.init_global = start;
  function.projection_pushdown = true;
  function.get_bind_info = bind_info;
  return function;
}

db::TableStorageInfo SystemTableEntry::GetStorageInfo(db::ClientContext&) {
  return {};
}

void describe_source(db::ClientContext& context, const TableSource& source, db::CreateTableInfo& info) {
  for (const auto& column : source.columns()) {
    db::ColumnDefinition definition(column.name, db::TransformStringToLogicalType(column.type, context));
    if (!column.comment.empty()) {
      definition.SetComment(db::Value(column.comment));
    }
    info.columns.AddColumn(std::move(definition));
  }
  info.comment = db::Value(source.about());
}

bool LakeDatabase::is_system_table(const std::string& name) const {
  const std::string key = fold(name);
  const auto& sources = attachment_->system_tables;
  return std::any_of(sources.begin(), sources.end(),
                     [&](const auto& source) { return fold(source->name()) == key; });
}

db::optional_ptr<db::CatalogEntry> LakeDatabase::system_entry(db::ClientContext& context, SchemaEntry& schema,
                                                              const std::string& name) {
  const std::string key = fold(name);
  for (const auto& source : attachment_->system_tables) {
    if (fold(source->name()) != key || !can_see(context, {kSystemSchema, source->name()})) {
      continue;
    }
    {
      const std::lock_guard lock(mutex_);
      if (auto& known = system_[key]) {
        return *known;
      }
    }
    db::CreateTableInfo info(schema, source->name());
    describe_source(context, *source, info);
    auto entry = std::make_unique<SystemTableEntry>(*this, schema, info, source);
    const std::lock_guard lock(mutex_);
    auto& slot = system_[key];
    if (!slot) {
      slot = std::move(entry);
    }
    return *slot;
  }
  return nullptr;
}

void LakeDatabase::scan_system_entries(db::ClientContext& context, SchemaEntry& schema,
                                       const std::function<void(db::CatalogEntry&)>& callback) {
  for (const auto& source : attachment_->system_tables) {
    if (auto entry = system_entry(context, schema, source->name())) {
      callback(*entry);
    }
  }
}

}  // namespace tarn::engine::lake
