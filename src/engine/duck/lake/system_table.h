// A table that code makes up, as DuckDB sees it (engine/table_source.h). Its rows are read when a statement
// runs.
#pragma once

#include "duckdb/catalog/catalog_entry/table_catalog_entry.hpp"
#include "duckdb/storage/table_storage_info.hpp"
#include "engine/duck/lake/glue.h"
#include "engine/table_source.h"

namespace tarn::engine::lake {

class SystemTableEntry : public db::TableCatalogEntry {
 public:
  SystemTableEntry(db::Catalog& catalog, db::SchemaCatalogEntry& schema, db::CreateTableInfo& info,
                   std::shared_ptr<TableSource> source);

  db::unique_ptr<db::BaseStatistics> GetStatistics(db::ClientContext& context, db::column_t column) override;
  db::TableFunction GetScanFunction(db::ClientContext& context,
                                    db::unique_ptr<db::FunctionData>& bind_data) override;
  db::TableStorageInfo GetStorageInfo(db::ClientContext& context) override;

 private:
  std::shared_ptr<TableSource> source_;
};

// Columns and comments of a source.
void describe_source(db::ClientContext& context, const TableSource& source, db::CreateTableInfo& info);

}  // namespace tarn::engine::lake
