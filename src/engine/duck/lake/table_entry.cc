#include "engine/duck/lake/table_entry.h"

#include "duckdb/parser/parsed_data/create_table_info.hpp"
#include "duckdb/storage/statistics/base_statistics.hpp"
#include "engine/duck/lake/constraint_check.h"
#include "engine/duck/lake/lake_database.h"
#include "engine/duck/lake/scan.h"
#include "engine/duck/lake/table_definition.h"
#include "engine/duck/lake/transaction.h"

namespace tarn::engine::lake {

TableEntry::TableEntry(LakeDatabase& lake, db::SchemaCatalogEntry& schema, db::CreateTableInfo& info,
                       std::shared_ptr<const LakeTable> table,
                       std::shared_ptr<const iceberg::TableMetadata> metadata, bool historic)
    : db::TableCatalogEntry(lake, schema, info),
      lake_(lake),
      table_(std::move(table)),
      metadata_(std::move(metadata)),
      historic_(historic) {}

// With what the table is partitioned and sorted by: duckdb_tables().sql shows it.
db::unique_ptr<db::CreateInfo> TableEntry::GetInfo() const {
  auto info = db::TableCatalogEntry::GetInfo();
  describe_layout(*metadata_, info->Cast<db::CreateTableInfo>());
  return info;
}

db::unique_ptr<db::BaseStatistics> TableEntry::GetStatistics(db::ClientContext&, db::column_t) {
  return nullptr;
}

db::TableFunction TableEntry::GetScanFunction(db::ClientContext& context,
                                              db::unique_ptr<db::FunctionData>& bind_data) {
  return lake_scan(context, shared_from_this(), bind_data);
}

db::TableFunction TableEntry::GetScanFunction(db::ClientContext& context,
                                              db::unique_ptr<db::FunctionData>& bind_data,
                                              const db::EntryLookupInfo&) {
  return lake_scan(context, shared_from_this(), bind_data);
}

db::TableStorageInfo TableEntry::GetStorageInfo(db::ClientContext& context) {
  db::TableStorageInfo info;
  info.cardinality = rows_about(*scan_source(context, *this));
  // The declared key, which ON CONFLICT goes by.
  const auto columns = key_columns(*metadata_);
  if (!columns.empty()) {
    info.index_info.push_back({.is_unique = true,
                               .is_primary = true,
                               .is_foreign = false,
                               .column_set = {columns.begin(), columns.end()}});
  }
  return info;
}

db::virtual_column_map_t TableEntry::GetVirtualColumns() const {
  return lake_virtual_columns();
}

db::vector<db::column_t> TableEntry::GetRowIdColumns() const {
  return lake_row_id_columns();
}

}  // namespace tarn::engine::lake
