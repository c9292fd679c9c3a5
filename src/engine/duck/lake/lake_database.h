// The database `lake` inside DuckDB: its schemas, tables and views are those of the version that the asking
// transaction pinned; nothing is kept here but caches. Thread-safe.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "duckdb/catalog/catalog.hpp"
#include "engine/duck/lake/attach.h"
#include "engine/duck/lake/delete_filter.h"
#include "engine/duck/lake/glue.h"

namespace tarn::engine::lake {

class LakeFileSystem;
class SchemaEntry;
class SystemTableEntry;
class TableEntry;
class ViewEntry;

inline constexpr const char* kDefaultSchema = "public";
inline constexpr const char* kDefaultSchemaAlias = "main";
inline constexpr const char* kSystemSchema = "_tarn";

class LakeDatabase : public db::Catalog {
 public:
  LakeDatabase(db::AttachedDatabase& attached, LakeAttachment& attachment);
  ~LakeDatabase() override;

  LakeCatalog& service() { return *attachment_->catalog; }
  [[nodiscard]] const LakeAttachment& attachment() const { return *attachment_; }

  bool can_see_schema(db::ClientContext& context, const std::string& schema);
  bool can_see(db::ClientContext& context, const TableName& name);
  uint64_t principal_number(const Principal& principal);
  uint64_t next_local_state() { return ++local_state_; }

  std::shared_ptr<TableEntry> make_table_entry(db::ClientContext& context,
                                               std::shared_ptr<const LakeTable> table, bool historic);
  std::shared_ptr<ViewEntry> make_view_entry(db::ClientContext& context,
                                             std::shared_ptr<const LakeView> view);
  // Lives as long as the catalog.
  SchemaEntry& schema_entry(const LakeSchema& schema);

  // Tables that code makes up, in schema `_tarn`; null or nothing when there is none, or it may not be seen.
  [[nodiscard]] bool is_system_table(const std::string& name) const;
  db::optional_ptr<db::CatalogEntry> system_entry(db::ClientContext& context, SchemaEntry& schema,
                                                  const std::string& name);
  void scan_system_entries(db::ClientContext& context, SchemaEntry& schema,
                           const std::function<void(db::CatalogEntry&)>& callback);

  DeleteCache& deletes() { return deletes_; }

  // Files written under a transaction's tag: to stay, or to go.
  void keep_files(const std::string& tag);
  void discard_files(const std::string& tag);

  void Initialize(bool load_builtin) override {}
  db::string GetCatalogType() override { return kLakeExtension; }
  db::string GetDefaultSchema() const override { return kDefaultSchema; }
  bool SupportsTimeTravel() const override { return true; }
  bool InMemory() override { return false; }
  db::string GetDBPath() override { return attachment_->folder; }
  db::DatabaseSize GetDatabaseSize(db::ClientContext& context) override;
  db::optional_idx GetCatalogVersion(db::ClientContext& context) override;
  db::ErrorData SupportsCreateTable(db::BoundCreateTableInfo& info) override;

  db::optional_ptr<db::CatalogEntry> CreateSchema(db::CatalogTransaction transaction,
                                                  db::CreateSchemaInfo& info) override;
  db::optional_ptr<db::SchemaCatalogEntry> LookupSchema(db::CatalogTransaction transaction,
                                                        const db::EntryLookupInfo& lookup,
                                                        db::OnEntryNotFound if_not_found) override;
  void ScanSchemas(db::ClientContext& context,
                   std::function<void(db::SchemaCatalogEntry&)> callback) override;
  void DropSchema(db::ClientContext& context, db::DropInfo& info) override;

  db::PhysicalOperator& PlanCreateTableAs(db::ClientContext& context, db::PhysicalPlanGenerator& planner,
                                          db::LogicalCreateTable& op, db::PhysicalOperator& plan) override;
  db::PhysicalOperator& PlanInsert(db::ClientContext& context, db::PhysicalPlanGenerator& planner,
                                   db::LogicalInsert& op,
                                   db::optional_ptr<db::PhysicalOperator> plan) override;
  db::PhysicalOperator& PlanDelete(db::ClientContext& context, db::PhysicalPlanGenerator& planner,
                                   db::LogicalDelete& op, db::PhysicalOperator& plan) override;
  db::PhysicalOperator& PlanUpdate(db::ClientContext& context, db::PhysicalPlanGenerator& planner,
                                   db::LogicalUpdate& op, db::PhysicalOperator& plan) override;
  db::PhysicalOperator& PlanMergeInto(db::ClientContext& context, db::PhysicalPlanGenerator& planner,
                                      db::LogicalMergeInto& op, db::PhysicalOperator& plan) override;
  // ALTER TABLE … ADD PRIMARY KEY, which elsewhere makes an index.
  db::unique_ptr<db::LogicalOperator> BindAlterAddIndex(
      db::Binder& binder, db::TableCatalogEntry& table, db::unique_ptr<db::LogicalOperator> plan,
      db::unique_ptr<db::CreateIndexInfo> create_info,
      db::unique_ptr<db::AlterTableInfo> alter_info) override;
  db::unique_ptr<db::LogicalOperator> BindCreateIndex(db::Binder& binder, db::CreateStatement& statement,
                                                      db::TableCatalogEntry& table,
                                                      db::unique_ptr<db::LogicalOperator> plan) override;

 private:
  LakeAttachment* attachment_;  // owned by the storage extension, as long as the instance
  std::atomic<uint64_t> local_state_{0};
  DeleteCache deletes_;
  std::mutex mutex_;  // guards what follows
  std::map<std::pair<std::string, std::string>, std::unique_ptr<SchemaEntry>>
      schemas_;  // by name and comment
  std::map<std::pair<std::string, bool>, uint64_t> principals_;
  std::map<std::string, std::unique_ptr<SystemTableEntry>> system_;  // by folded name; as long as the catalog
  // Entries of committed tables, made once; the key cannot be used again while the entry holds the table.
  std::map<std::pair<const LakeTable*, bool>, std::shared_ptr<TableEntry>> tables_;
};

}  // namespace tarn::engine::lake
