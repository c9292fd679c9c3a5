// A table of the lake as DuckDB sees it: its definition in one version, or in one transaction.
// Plans hold it by shared_ptr, so that it outlives the transaction that looked it up.
#pragma once

#include "duckdb/catalog/catalog_entry/table_catalog_entry.hpp"
#include "duckdb/storage/table_storage_info.hpp"
#include "engine/duck/lake/glue.h"
#include "engine/lake_catalog.h"

namespace tarn::engine::lake {

class LakeDatabase;

class TableEntry : public db::TableCatalogEntry, public std::enable_shared_from_this<TableEntry> {
 public:
  TableEntry(LakeDatabase& lake, db::SchemaCatalogEntry& schema, db::CreateTableInfo& info,
             std::shared_ptr<const LakeTable> table, std::shared_ptr<const iceberg::TableMetadata> metadata,
             bool historic);

  [[nodiscard]] LakeDatabase& lake() const { return lake_; }
  [[nodiscard]] const LakeTable& table() const { return *table_; }
  [[nodiscard]] const std::shared_ptr<const iceberg::TableMetadata>& metadata() const { return metadata_; }
  [[nodiscard]] bool historic() const {
    return historic_;
  }  // found by AT (…): shows no changes of the transaction

  db::unique_ptr<db::CreateInfo> GetInfo() const override;
  db::unique_ptr<db::BaseStatistics> GetStatistics(db::ClientContext& context, db::column_t column) override;
  db::TableFunction GetScanFunction(db::ClientContext& context,
                                    db::unique_ptr<db::FunctionData>& bind_data) override;
  db::TableFunction GetScanFunction(db::ClientContext& context, db::unique_ptr<db::FunctionData>& bind_data,
                                    const db::EntryLookupInfo& lookup) override;
  db::TableStorageInfo GetStorageInfo(db::ClientContext& context) override;
  db::virtual_column_map_t GetVirtualColumns() const override;
  db::vector<db::column_t> GetRowIdColumns() const override;
  void BindUpdateConstraints(db::Binder& binder, db::LogicalGet& get, db::LogicalProjection& projection,
                             db::LogicalUpdate& update, db::ClientContext& context) override;

 private:
  LakeDatabase& lake_;
  std::shared_ptr<const LakeTable> table_;
  std::shared_ptr<const iceberg::TableMetadata> metadata_;
  bool historic_;
};

}  // namespace tarn::engine::lake
