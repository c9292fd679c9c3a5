// A database of others inside DuckDB: `name.schema.table` in a statement. Its look-ups ask the attachment
// (attachment.h); lists of everything (information_schema, "did you mean") show what is known and never wait
// for a server that is away. All changes are refused.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "duckdb/catalog/catalog.hpp"
#include "duckdb/catalog/catalog_entry/schema_catalog_entry.hpp"
#include "duckdb/catalog/catalog_entry/table_catalog_entry.hpp"
#include "duckdb/storage/database_size.hpp"
#include "duckdb/storage/table_storage_info.hpp"
#include "engine/duck/outside/attachment.h"

namespace tarn::engine {
class Visibility;
}

namespace tarn::engine::outside {

class OutsideCatalog;

class OutsideTableEntry final : public db::TableCatalogEntry {
 public:
  OutsideTableEntry(OutsideCatalog& catalog, db::SchemaCatalogEntry& schema, db::CreateTableInfo& info,
                    std::shared_ptr<Attachment> attachment, Shape shape);

  [[nodiscard]] const Shape& shape() const { return shape_; }
  [[nodiscard]] Attachment& attachment() const { return *attachment_; }
  [[nodiscard]] TableId id() const { return {schema.name, name}; }

  db::unique_ptr<db::BaseStatistics> GetStatistics(db::ClientContext&, db::column_t) override {
    return nullptr;
  }
  db::TableFunction GetScanFunction(db::ClientContext& context,
                                    db::unique_ptr<db::FunctionData>& bind_data) override;
  db::TableStorageInfo GetStorageInfo(db::ClientContext&) override;
  db::virtual_column_map_t GetVirtualColumns() const override;
  db::vector<db::column_t> GetRowIdColumns() const override { return {}; }

 private:
  std::shared_ptr<Attachment> attachment_;
  Shape shape_;
};

class OutsideSchemaEntry final : public db::SchemaCatalogEntry {
 public:
  OutsideSchemaEntry(OutsideCatalog& catalog, db::CreateSchemaInfo& info);

  void Scan(db::ClientContext& context, db::CatalogType type,
            const std::function<void(db::CatalogEntry&)>& callback) override;
  // Without a context nobody is asking, so there is nothing to be seen.
  void Scan(db::CatalogType, const std::function<void(db::CatalogEntry&)>&) override {}
  db::optional_ptr<db::CatalogEntry> LookupEntry(db::CatalogTransaction transaction,
                                                 const db::EntryLookupInfo& lookup) override;

  db::optional_ptr<db::CatalogEntry> CreateIndex(db::CatalogTransaction, db::CreateIndexInfo&,
                                                 db::TableCatalogEntry&) override;
  db::optional_ptr<db::CatalogEntry> CreateFunction(db::CatalogTransaction, db::CreateFunctionInfo&) override;
  db::optional_ptr<db::CatalogEntry> CreateTable(db::CatalogTransaction, db::BoundCreateTableInfo&) override;
  db::optional_ptr<db::CatalogEntry> CreateView(db::CatalogTransaction, db::CreateViewInfo&) override;
  db::optional_ptr<db::CatalogEntry> CreateSequence(db::CatalogTransaction, db::CreateSequenceInfo&) override;
  db::optional_ptr<db::CatalogEntry> CreateTableFunction(db::CatalogTransaction,
                                                         db::CreateTableFunctionInfo&) override;
  db::optional_ptr<db::CatalogEntry> CreateCopyFunction(db::CatalogTransaction,
                                                        db::CreateCopyFunctionInfo&) override;
  db::optional_ptr<db::CatalogEntry> CreatePragmaFunction(db::CatalogTransaction,
                                                          db::CreatePragmaFunctionInfo&) override;
  db::optional_ptr<db::CatalogEntry> CreateCollation(db::CatalogTransaction,
                                                     db::CreateCollationInfo&) override;
  db::optional_ptr<db::CatalogEntry> CreateType(db::CatalogTransaction, db::CreateTypeInfo&) override;
  void DropEntry(db::ClientContext& context, db::DropInfo& info) override;
  void Alter(db::CatalogTransaction transaction, db::AlterInfo& info) override;

 private:
  OutsideCatalog& outside_;
};

// Thread-safe.
class OutsideCatalog final : public db::Catalog {
 public:
  OutsideCatalog(db::AttachedDatabase& attached, std::shared_ptr<Attachment> attachment,
                 Visibility* visibility);

  [[nodiscard]] const std::shared_ptr<Attachment>& attachment() const { return attachment_; }
  // Throws when the session may not read the attachment: as of a time, or without the right.
  void need_readable(db::ClientContext& context);
  [[nodiscard]] bool is_visible(db::ClientContext& context);
  // Live as long as the catalog.
  OutsideSchemaEntry& schema_entry(const std::string& name);
  OutsideTableEntry& table_entry(OutsideSchemaEntry& schema, const TableId& table, const Shape& shape);
  [[noreturn]] void refuse_change() const;

  void Initialize(bool) override {}
  db::string GetCatalogType() override { return "tarn_outside"; }
  db::string GetDefaultSchema() const override;
  bool InMemory() override { return false; }
  db::string GetDBPath() override { return ""; }
  db::DatabaseSize GetDatabaseSize(db::ClientContext&) override { return {}; }
  bool CheckAmbiguousCatalogOrSchema(db::ClientContext&, const db::string&) override { return false; }

  db::optional_ptr<db::SchemaCatalogEntry> LookupSchema(db::CatalogTransaction transaction,
                                                        const db::EntryLookupInfo& lookup,
                                                        db::OnEntryNotFound if_not_found) override;
  void ScanSchemas(db::ClientContext& context,
                   std::function<void(db::SchemaCatalogEntry&)> callback) override;

  db::optional_ptr<db::CatalogEntry> CreateSchema(db::CatalogTransaction, db::CreateSchemaInfo&) override;
  void DropSchema(db::ClientContext&, db::DropInfo&) override;
  db::PhysicalOperator& PlanCreateTableAs(db::ClientContext&, db::PhysicalPlanGenerator&,
                                          db::LogicalCreateTable&, db::PhysicalOperator&) override;
  db::PhysicalOperator& PlanInsert(db::ClientContext&, db::PhysicalPlanGenerator&, db::LogicalInsert&,
                                   db::optional_ptr<db::PhysicalOperator>) override;
  db::PhysicalOperator& PlanDelete(db::ClientContext&, db::PhysicalPlanGenerator&, db::LogicalDelete&,
                                   db::PhysicalOperator&) override;
  db::PhysicalOperator& PlanUpdate(db::ClientContext&, db::PhysicalPlanGenerator&, db::LogicalUpdate&,
                                   db::PhysicalOperator&) override;
  db::unique_ptr<db::LogicalOperator> BindCreateIndex(db::Binder&, db::CreateStatement&,
                                                      db::TableCatalogEntry&,
                                                      db::unique_ptr<db::LogicalOperator>) override;

 private:
  const std::shared_ptr<Attachment> attachment_;
  Visibility* const visibility_;

  std::mutex mutex_;  // guards all below
  std::map<std::string, std::unique_ptr<OutsideSchemaEntry>> schemas_;
  // Plans point to entries, so that all of them stay: another one of a table is made when its columns change.
  std::map<TableId, std::vector<std::unique_ptr<OutsideTableEntry>>> tables_;
};

// Stop waiting when the statement of this context is to stop.
Stopped stopped_by(db::ClientContext& context);

}  // namespace tarn::engine::outside
