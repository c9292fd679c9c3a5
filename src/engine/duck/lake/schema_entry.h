// A schema of the lake: names are looked up in the version that the asking transaction sees, and only what
// the asking person may see is found. Holds nothing but its name.
#pragma once

#include "duckdb/catalog/catalog_entry/schema_catalog_entry.hpp"
#include "engine/duck/lake/glue.h"
#include "engine/lake_catalog.h"

namespace tarn::engine::lake {

class LakeDatabase;

class SchemaEntry : public db::SchemaCatalogEntry {
 public:
  SchemaEntry(LakeDatabase& lake, db::CreateSchemaInfo& info);

  void Scan(db::ClientContext& context, db::CatalogType type,
            const std::function<void(db::CatalogEntry&)>& callback) override;
  void Scan(db::CatalogType type, const std::function<void(db::CatalogEntry&)>& callback) override;
  db::optional_ptr<db::CatalogEntry> LookupEntry(db::CatalogTransaction transaction,
                                                 const db::EntryLookupInfo& lookup) override;
  void DropEntry(db::ClientContext& context, db::DropInfo& info) override;
  void Alter(db::CatalogTransaction transaction, db::AlterInfo& info) override;

  db::optional_ptr<db::CatalogEntry> CreateTable(db::CatalogTransaction transaction,
                                                 db::BoundCreateTableInfo& info) override;
  // The same with a uuid chosen before, for CREATE TABLE AS. Null when it exists and that is no mistake.
  std::shared_ptr<const LakeTable> create_table(db::ClientContext& context, db::CreateTableInfo& info,
                                                const std::string& uuid);
  db::optional_ptr<db::CatalogEntry> CreateView(db::CatalogTransaction transaction,
                                                db::CreateViewInfo& info) override;

  db::optional_ptr<db::CatalogEntry> CreateIndex(db::CatalogTransaction, db::CreateIndexInfo&,
                                                 db::TableCatalogEntry&) override;
  db::optional_ptr<db::CatalogEntry> CreateFunction(db::CatalogTransaction, db::CreateFunctionInfo&) override;
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

 private:
  // The table or view of this name, if it can be seen; not system tables.
  struct Found {
    std::shared_ptr<const LakeTable> table;
    std::shared_ptr<const LakeView> view;
    explicit operator bool() const { return table || view; }
  };
  Found find(db::ClientContext& context, const LakeVersion& version, const std::string& entry);
  // False when the thing exists and should be left; throws when it may not be made.
  bool may_create(db::ClientContext& context, const Found& existing, const std::string& entry, bool is_table,
                  db::OnCreateConflict on_conflict);
  // The macro of this name, if it can be seen, or null.
  std::shared_ptr<const LakeMacro> find_macro(db::ClientContext& context, const LakeVersion& version,
                                              const std::string& entry);
  void drop_macro(db::ClientContext& context, const db::DropInfo& info);
  void need_not_system(const std::string& entry) const;
  // What ALTER TABLE declares of the rows that are there already.
  void check_rows(db::ClientContext& context, const std::shared_ptr<const LakeTable>& table,
                  const db::AlterTableInfo& alter);
  void alter_table(db::ClientContext& context, const std::shared_ptr<const LakeTable>& table,
                   db::AlterInfo& info);
  void alter_view(db::ClientContext& context, const LakeView& view, db::AlterInfo& info);
  void need_free_name(db::ClientContext& context, const std::string& old_name, const std::string& new_name);

  LakeDatabase& lake_;
};

}  // namespace tarn::engine::lake
