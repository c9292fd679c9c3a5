#include "engine/duck/lake/lake_database.h"

#include <fmt/format.h>

#include "duckdb/main/attached_database.hpp"
#include "duckdb/parser/parsed_data/alter_table_info.hpp"
#include "duckdb/parser/parsed_data/create_index_info.hpp"
#include "duckdb/parser/parsed_data/create_schema_info.hpp"
#include "duckdb/parser/parsed_data/create_table_info.hpp"
#include "duckdb/parser/parsed_data/create_view_info.hpp"
#include "duckdb/parser/parsed_data/drop_info.hpp"
#include "duckdb/planner/operator/logical_simple.hpp"
#include "duckdb/planner/parsed_data/bound_create_table_info.hpp"
#include "duckdb/storage/database_size.hpp"
#include "engine/duck/lake/lake_fs.h"
#include "engine/duck/lake/schema_entry.h"
#include "engine/duck/lake/system_table.h"
#include "engine/duck/lake/table_definition.h"
#include "engine/duck/lake/table_entry.h"
#include "engine/duck/lake/transaction.h"
#include "engine/duck/lake/view_entry.h"

namespace tarn::engine::lake {
namespace {

constexpr size_t kCachedEntriesMax = 4096;

}  // namespace

LakeDatabase::LakeDatabase(db::AttachedDatabase& attached, LakeAttachment& attachment)
    : db::Catalog(attached), attachment_(&attachment) {}

LakeDatabase::~LakeDatabase() = default;

bool LakeDatabase::can_see_schema(db::ClientContext& context, const std::string& schema) {
  auto* visibility = attachment_->visibility;
  return visibility == nullptr || visibility->can_see_schema(LakeClientState::of(context)->principal, schema);
}

bool LakeDatabase::can_see(db::ClientContext& context, const TableName& name) {
  auto* visibility = attachment_->visibility;
  return visibility == nullptr || visibility->can_see(LakeClientState::of(context)->principal, name);
}

uint64_t LakeDatabase::principal_number(const Principal& principal) {
  const std::lock_guard lock(mutex_);
  const auto [found, is_new] = principals_.try_emplace({principal.name, principal.admin}, principals_.size());
  return found->second & 0xffff;
}

std::shared_ptr<TableEntry> LakeDatabase::make_table_entry(db::ClientContext& context,
                                                           std::shared_ptr<const LakeTable> table,
                                                           bool historic) {
  const bool committed = !table->metadata_location().empty();
  const auto key = std::make_pair(table.get(), historic);
  if (committed) {
    const std::lock_guard lock(mutex_);
    const auto found = tables_.find(key);
    if (found != tables_.end()) {
      return found->second;
    }
  }
  auto metadata = value_or_throw(table->metadata());
  LakeSchema schema{.name = table->name().schema};
  auto& parent = schema_entry(schema);
  db::CreateTableInfo info(parent, table->name().name);
  describe_columns(context, *metadata, info);
  auto entry =
      std::make_shared<TableEntry>(*this, parent, info, std::move(table), std::move(metadata), historic);
  if (committed) {
    const std::lock_guard lock(mutex_);
    if (tables_.size() >= kCachedEntriesMax) {
      tables_.clear();
    }
    tables_[key] = entry;
  }
  return entry;
}

std::shared_ptr<ViewEntry> LakeDatabase::make_view_entry(db::ClientContext& context,
                                                         std::shared_ptr<const LakeView> view) {
  LakeSchema schema{.name = view->name.schema};
  auto& parent = schema_entry(schema);
  auto info = view_info(context, *view);
  return std::make_shared<ViewEntry>(*this, parent, *info, std::move(view));
}

SchemaEntry& LakeDatabase::schema_entry(const LakeSchema& schema) {
  const auto comment = schema.properties.find("comment");
  const std::string text = comment == schema.properties.end() ? "" : comment->second;
  const std::lock_guard lock(mutex_);
  auto& entry = schemas_[{schema.name, text}];
  if (!entry) {
    db::CreateSchemaInfo info;
    info.schema = schema.name;
    info.catalog = GetName();
    if (!text.empty()) {
      info.comment = db::Value(text);
    }
    entry = std::make_unique<SchemaEntry>(*this, info);
  }
  return *entry;
}

void LakeDatabase::keep_files(const std::string& tag) {
  attachment_->written->keep(tag);
}

void LakeDatabase::discard_files(const std::string& tag) {
  attachment_->written->discard(tag);
}

db::DatabaseSize LakeDatabase::GetDatabaseSize(db::ClientContext&) {
  db::DatabaseSize size;
  size.free_blocks = 0;
  size.total_blocks = 0;
  size.used_blocks = 0;
  size.wal_size = 0;
  size.block_size = 0;
  size.bytes = 0;
  return size;
}

db::optional_idx LakeDatabase::GetCatalogVersion(db::ClientContext& context) {
  return Transaction::of(context, *this).state_number();
}

db::ErrorData LakeDatabase::SupportsCreateTable(db::BoundCreateTableInfo& info) {
  const auto& base = info.Base();
  if (!base.options.empty()) {
    return db::ErrorData(
        db::ExceptionType::BINDER,
        coded_text({Code::kUnsupported, "a lake table takes no WITH (…) options: leave them out"}));
  }
  return {};
}

db::optional_ptr<db::CatalogEntry> LakeDatabase::CreateSchema(db::CatalogTransaction transaction,
                                                              db::CreateSchemaInfo& info) {
  auto& context = transaction.GetContext();
  auto& lake = transaction.transaction->Cast<Transaction>();
  const auto& schemas = lake.version()->schemas;
  const auto found = schemas.find(fold(info.schema));
  const bool alias = fold(info.schema) == kDefaultSchemaAlias;
  if (alias || found != schemas.end()) {
    if (info.on_conflict == db::OnCreateConflict::IGNORE_ON_CONFLICT &&
        (alias || can_see_schema(context, info.schema))) {
      return nullptr;
    }
    throw_error({Code::kExists, fmt::format("schema \"{}\" already exists", info.schema)});
  }
  if (info.schema.empty() || info.schema.find('@') != std::string::npos) {
    throw_error(
        {Code::kInvalid, fmt::format("\"{}\" cannot name a schema: '@' is not allowed", info.schema)});
  }
  std::map<std::string, std::string> properties;
  if (!info.comment.IsNull()) {
    properties["comment"] = info.comment.ToString();
  }
  lake.put_schema(info.schema, properties);
  return schema_entry(*lake.version()->schemas.at(fold(info.schema)));
}

db::optional_ptr<db::SchemaCatalogEntry> LakeDatabase::LookupSchema(db::CatalogTransaction transaction,
                                                                    const db::EntryLookupInfo& lookup,
                                                                    db::OnEntryNotFound if_not_found) {
  std::string name = lookup.GetEntryName();
  if (fold(name) == kDefaultSchemaAlias) {
    name = kDefaultSchema;
  }
  if (transaction.HasContext() && transaction.transaction) {
    auto& lake = transaction.transaction->Cast<Transaction>();
    const auto version = lake.version_at(lookup.GetAtClause());
    const auto found = version->schemas.find(fold(name));
    if (found != version->schemas.end() && can_see_schema(transaction.GetContext(), found->second->name)) {
      return schema_entry(*found->second);
    }
    if (fold(name) == kSystemSchema && can_see_schema(transaction.GetContext(), kSystemSchema)) {
      return schema_entry(LakeSchema{.name = kSystemSchema});
    }
  }
  if (if_not_found == db::OnEntryNotFound::RETURN_NULL) {
    return nullptr;
  }
  throw db::CatalogException(lookup.GetErrorContext(), "Schema with name %s does not exist!",
                             lookup.GetEntryName());
}

void LakeDatabase::ScanSchemas(db::ClientContext& context,
                               std::function<void(db::SchemaCatalogEntry&)> callback) {
  const auto version = Transaction::of(context, *this).version();
  for (const auto& [key, schema] : version->schemas) {
    if (can_see_schema(context, schema->name)) {
      callback(schema_entry(*schema));
    }
  }
  if (!version->schemas.contains(kSystemSchema) && can_see_schema(context, kSystemSchema)) {
    callback(schema_entry(LakeSchema{.name = kSystemSchema}));
  }
}

void LakeDatabase::DropSchema(db::ClientContext& context, db::DropInfo& info) {
  auto& lake = Transaction::of(context, *this);
  const auto& schemas = lake.version()->schemas;
  const std::string key = fold(info.name);
  const auto found = schemas.find(key);
  if (found == schemas.end() || !can_see_schema(context, found->second->name)) {
    if (info.if_not_found == db::OnEntryNotFound::RETURN_NULL) {
      return;
    }
    throw_error({Code::kNotFound, fmt::format("schema \"{}\" does not exist", info.name)});
  }
  if (key == kDefaultSchema || key == kSystemSchema || key == kDefaultSchemaAlias) {
    throw_error(
        {Code::kInvalid, fmt::format("schema \"{}\" belongs to the lake and cannot be dropped", info.name)});
  }
  const auto schema = found->second;
  if (!info.cascade && !schema->empty()) {
    throw_error(
        {Code::kInvalid,
         fmt::format("schema \"{}\" holds {} tables, views and macros: drop them first, or write "
                     "DROP SCHEMA … CASCADE",
                     schema->name, schema->tables.size() + schema->views.size() + schema->macros.size())});
  }
  for (const auto& [name, table] : schema->tables) {
    lake.drop_table(table->name());
  }
  lake.drop_schema(schema->name);
}

db::unique_ptr<db::LogicalOperator> LakeDatabase::BindAlterAddIndex(
    db::Binder&, db::TableCatalogEntry&, db::unique_ptr<db::LogicalOperator>,
    db::unique_ptr<db::CreateIndexInfo>, db::unique_ptr<db::AlterTableInfo> alter_info) {
  return db::make_uniq<db::LogicalSimple>(db::LogicalOperatorType::LOGICAL_ALTER, std::move(alter_info));
}

db::unique_ptr<db::LogicalOperator> LakeDatabase::BindCreateIndex(db::Binder&, db::CreateStatement&,
                                                                  db::TableCatalogEntry&,
                                                                  db::unique_ptr<db::LogicalOperator>) {
  throw_error({Code::kUnsupported,
               "the lake holds tables and views, no indexes: partition the table, or write it in order"});
}

}  // namespace tarn::engine::lake
