#include "engine/duck/lake/schema_entry.h"

#include <fmt/format.h>

#include "duckdb/common/types/uuid.hpp"
#include "duckdb/parser/parsed_data/alter_table_info.hpp"
#include "duckdb/parser/parsed_data/comment_on_column_info.hpp"
#include "duckdb/parser/parsed_data/create_schema_info.hpp"
#include "duckdb/parser/parsed_data/drop_info.hpp"
#include "duckdb/planner/parsed_data/bound_create_table_info.hpp"
#include "engine/duck/lake/constraint_check.h"
#include "engine/duck/lake/lake_database.h"
#include "engine/duck/lake/macro_entry.h"
#include "engine/duck/lake/scan.h"
#include "engine/duck/lake/system_table.h"
#include "engine/duck/lake/table_definition.h"
#include "engine/duck/lake/table_entry.h"
#include "engine/duck/lake/transaction.h"
#include "engine/duck/lake/view_entry.h"

namespace tarn::engine::lake {
namespace {

std::string new_uuid() {
  return db::UUID::ToString(db::UUID::GenerateRandomUUID());
}

bool is_table_or_view(db::CatalogType type) {
  return type == db::CatalogType::TABLE_ENTRY || type == db::CatalogType::VIEW_ENTRY;
}

bool is_macro(db::CatalogType type) {
  return type == db::CatalogType::MACRO_ENTRY || type == db::CatalogType::TABLE_MACRO_ENTRY;
}

// Functions are looked for where macros are, too.
std::optional<db::CatalogType> macro_type_of(db::CatalogType looked_for) {
  switch (looked_for) {
    case db::CatalogType::MACRO_ENTRY:
    case db::CatalogType::SCALAR_FUNCTION_ENTRY:
    case db::CatalogType::AGGREGATE_FUNCTION_ENTRY: return db::CatalogType::MACRO_ENTRY;
    case db::CatalogType::TABLE_MACRO_ENTRY:
    case db::CatalogType::TABLE_FUNCTION_ENTRY: return db::CatalogType::TABLE_MACRO_ENTRY;
    default: return std::nullopt;
  }
}

}  // namespace

SchemaEntry::SchemaEntry(LakeDatabase& lake, db::CreateSchemaInfo& info)
    : db::SchemaCatalogEntry(lake, info), lake_(lake) {
  comment = info.comment;
}

SchemaEntry::Found SchemaEntry::find(db::ClientContext& context, const LakeVersion& version,
                                     const std::string& entry) {
  const auto schema = version.schemas.find(fold(name));
  if (schema == version.schemas.end()) {
    return {};
  }
  const std::string key = fold(entry);
  Found found;
  const auto table = schema->second->tables.find(key);
  if (table != schema->second->tables.end() && lake_.can_see(context, table->second->name())) {
    found.table = table->second;
  }
  const auto view = schema->second->views.find(key);
  if (view != schema->second->views.end() && lake_.can_see(context, view->second->name)) {
    found.view = view->second;
  }
  return found;
}

std::shared_ptr<const LakeMacro> SchemaEntry::find_macro(db::ClientContext& context,
                                                         const LakeVersion& version,
                                                         const std::string& entry) {
  const auto schema = version.schemas.find(fold(name));
  if (schema == version.schemas.end() || schema->second->macros.empty()) {
    return nullptr;
  }
  const auto macro = schema->second->macros.find(fold(entry));
  const bool seen = macro != schema->second->macros.end() && lake_.can_see(context, macro->second->name);
  return seen ? macro->second : nullptr;
}

db::optional_ptr<db::CatalogEntry> SchemaEntry::LookupEntry(db::CatalogTransaction transaction,
                                                            const db::EntryLookupInfo& lookup) {
  if (!transaction.HasContext() || !transaction.transaction) {
    return nullptr;
  }
  auto& context = transaction.GetContext();
  auto& lake = transaction.transaction->Cast<Transaction>();
  if (const auto type = macro_type_of(lookup.GetCatalogType())) {
    const auto macro = find_macro(context, *lake.version(), lookup.GetEntryName());
    auto* entry = macro ? &lake.macro_entry(*this, macro) : nullptr;
    return entry != nullptr && entry->type == *type ? entry : nullptr;
  }
  if (!is_table_or_view(lookup.GetCatalogType())) {
    return nullptr;
  }
  if (fold(name) == kSystemSchema) {
    if (auto entry = lake_.system_entry(context, *this, lookup.GetEntryName())) {
      return entry;
    }
  }
  const auto version = lake.version_at(lookup.GetAtClause());
  const auto found = find(context, *version, lookup.GetEntryName());
  if (found.table) {
    return lake.table_entry(found.table, lookup.GetAtClause() != nullptr);
  }
  return found.view ? lake.view_entry(found.view) : nullptr;
}

void SchemaEntry::Scan(db::ClientContext& context, db::CatalogType type,
                       const std::function<void(db::CatalogEntry&)>& callback) {
  const auto macro_type = macro_type_of(type);
  if (!is_table_or_view(type) && !macro_type) {
    return;
  }
  auto& lake = Transaction::of(context, lake_);
  const auto version = lake.version();
  if (!macro_type && fold(name) == kSystemSchema) {
    lake_.scan_system_entries(context, *this, callback);
  }
  const auto schema = version->schemas.find(fold(name));
  if (schema == version->schemas.end()) {
    return;
  }
  if (macro_type) {
    for (const auto& [key, macro] : schema->second->macros) {
      auto& entry = lake.macro_entry(*this, macro);
      if (entry.type == *macro_type && lake_.can_see(context, macro->name)) {
        callback(entry);
      }
    }
    return;
  }
  for (const auto& [key, table] : schema->second->tables) {
    // A table whose metadata cannot be read keeps no other from being listed: who asks for it is told.
    if (lake_.can_see(context, table->name()) && table->metadata()) {
      callback(*lake.table_entry(table, false));
    }
  }
  for (const auto& [key, view] : schema->second->views) {
    if (lake_.can_see(context, view->name)) {
      callback(*lake.view_entry(view));
    }
  }
}

// Without a context nobody is asking, so there is nothing to be seen.
void SchemaEntry::Scan(db::CatalogType, const std::function<void(db::CatalogEntry&)>&) {}

void SchemaEntry::need_not_system(const std::string& entry) const {
  if (fold(name) == kSystemSchema && lake_.is_system_table(entry)) {
    throw_error({Code::kDenied, fmt::format("\"{}.{}\" belongs to Tarn and cannot be changed", name, entry)});
  }
}

bool SchemaEntry::may_create(db::ClientContext& context, const Found& existing, const std::string& entry,
                             bool is_table, db::OnCreateConflict on_conflict) {
  need_not_system(entry);
  if (entry.empty() || entry.find('@') != std::string::npos) {
    throw_error({Code::kInvalid, fmt::format("\"{}\" cannot be a name: '@' is not allowed", entry)});
  }
  if (!existing) {
    // A name that exists but may not be seen is taken all the same.
    const auto version = Transaction::of(context, lake_).version();
    const auto schema = version->schemas.find(fold(name));
    if (schema != version->schemas.end() &&
        (schema->second->tables.contains(fold(entry)) || schema->second->views.contains(fold(entry)))) {
      throw_error({Code::kDenied, fmt::format("the name \"{}\" cannot be used: choose another", entry)});
    }
    return true;
  }
  const bool same_kind = is_table ? existing.table != nullptr : existing.view != nullptr;
  if (on_conflict == db::OnCreateConflict::IGNORE_ON_CONFLICT && same_kind) {
    return false;
  }
  if (on_conflict == db::OnCreateConflict::REPLACE_ON_CONFLICT && same_kind) {
    return true;
  }
  if (!same_kind) {
    throw_error(
        {Code::kExists, fmt::format("\"{}\" is a {}, so that no {} of this name can be made: drop it first",
                                    entry, existing.table ? "table" : "view", is_table ? "table" : "view")});
  }
  throw_error({Code::kExists, fmt::format("{} \"{}\" already exists", is_table ? "table" : "view", entry)});
}

std::shared_ptr<const LakeTable> SchemaEntry::create_table(db::ClientContext& context,
                                                           db::CreateTableInfo& info,
                                                           const std::string& uuid) {
  auto& lake = Transaction::of(context, lake_);
  lake.need_writable();
  const auto existing = find(context, *lake.version(), info.table);
  if (!may_create(context, existing, info.table, true, info.on_conflict)) {
    return nullptr;
  }
  if (!existing.table) {
    auto metadata = std::make_shared<const iceberg::TableMetadata>(value_or_throw(new_metadata(uuid, info)));
    auto table = std::make_shared<LocalTable>(TableName{name, info.table}, uuid, std::move(metadata));
    lake.put_table(table);
    return table;
  }
  // The table stays the same to everybody who knows its uuid; what it held stays readable as of earlier.
  auto old = value_or_throw(existing.table->metadata());
  auto metadata =
      std::make_shared<const iceberg::TableMetadata>(value_or_throw(replaced_metadata(*old, info)));
  auto table =
      std::make_shared<LocalTable>(existing.table->name(), existing.table->uuid(), std::move(metadata));
  lake.put_table(table);
  auto& files = lake.change_files(table->uuid());
  files.remove_all = true;
  files.removed.clear();
  files.added.clear();
  return table;
}

db::optional_ptr<db::CatalogEntry> SchemaEntry::CreateTable(db::CatalogTransaction transaction,
                                                            db::BoundCreateTableInfo& info) {
  auto& context = transaction.GetContext();
  auto table = create_table(context, info.Base(), new_uuid());
  return table ? Transaction::of(context, lake_).table_entry(table, false) : nullptr;
}

db::optional_ptr<db::CatalogEntry> SchemaEntry::CreateView(db::CatalogTransaction transaction,
                                                           db::CreateViewInfo& info) {
  auto& context = transaction.GetContext();
  auto& lake = Transaction::of(context, lake_);
  lake.need_writable();
  const auto existing = find(context, *lake.version(), info.view_name);
  if (!may_create(context, existing, info.view_name, false, info.on_conflict)) {
    return nullptr;
  }
  const TableName full{name, existing.view ? existing.view->name.name : info.view_name};
  auto view = make_view(context, full, info);
  view.uuid = existing.view ? existing.view->uuid : new_uuid();
  lake.put_view(std::move(view));
  return lake.view_entry(find(context, *lake.version(), info.view_name).view);
}

void SchemaEntry::DropEntry(db::ClientContext& context, db::DropInfo& info) {
  if (is_macro(info.type)) {
    return drop_macro(context, info);
  }
  need_not_system(info.name);
  auto& lake = Transaction::of(context, lake_);
  const auto found = find(context, *lake.version(), info.name);
  const bool is_table = info.type == db::CatalogType::TABLE_ENTRY;
  const bool right_kind = is_table ? found.table != nullptr : found.view != nullptr;
  if (right_kind) {
    is_table ? lake.drop_table(found.table->name()) : lake.drop_view(found.view->name);
    return;
  }
  if (found) {
    throw_error(
        {Code::kInvalid, fmt::format("\"{}\" is a {}: write DROP {}", info.name,
                                     found.table ? "table" : "view", found.table ? "TABLE" : "VIEW")});
  }
  if (info.if_not_found != db::OnEntryNotFound::RETURN_NULL) {
    throw_error(
        {Code::kNotFound, fmt::format("{} \"{}\" does not exist", is_table ? "table" : "view", info.name)});
  }
}

void SchemaEntry::drop_macro(db::ClientContext& context, const db::DropInfo& info) {
  auto& lake = Transaction::of(context, lake_);
  lake.need_writable();
  const auto macro = find_macro(context, *lake.version(), info.name);
  if (macro && lake.macro_entry(*this, macro).type == info.type) {
    lake.drop_macro(macro->name);
  } else if (macro || info.if_not_found != db::OnEntryNotFound::RETURN_NULL) {
    throw_error(
        {Code::kNotFound,
         fmt::format("{} \"{}\" does not exist",
                     info.type == db::CatalogType::MACRO_ENTRY ? "macro" : "table macro", info.name)});
  }
}

void SchemaEntry::need_free_name(db::ClientContext& context, const std::string& old_name,
                                 const std::string& new_name) {
  if (fold(old_name) == fold(new_name)) {
    return;
  }
  const auto existing = find(context, *Transaction::of(context, lake_).version(), new_name);
  may_create(context, existing, new_name, existing.view == nullptr, db::OnCreateConflict::ERROR_ON_CONFLICT);
}

void SchemaEntry::check_rows(db::ClientContext& context, const std::shared_ptr<const LakeTable>& table,
                             const db::AlterTableInfo& alter) {
  auto& lake = Transaction::of(context, lake_);
  std::vector<std::string> names;
  const bool for_key = alter.alter_table_type == db::AlterTableType::ADD_CONSTRAINT;
  if (for_key) {
    names = value_or_throw(key_of(alter.Cast<db::AddConstraintInfo>()));
  } else if (alter.alter_table_type == db::AlterTableType::SET_NOT_NULL) {
    names.push_back(alter.Cast<db::SetNotNullInfo>().column_name);
  } else {
    return;
  }
  const auto& entry = lake.table_entry(table, false)->Cast<TableEntry>();
  std::vector<size_t> columns;
  for (const auto& column : names) {
    columns.push_back(entry.GetColumn(column).Logical().index);
  }
  lake.change_files(table->uuid()).alone = true;
  const auto source = scan_source(context, entry);
  for_key ? check_key(context, source, columns) : check_no_null(context, source, columns.at(0));
}

void SchemaEntry::alter_table(db::ClientContext& context, const std::shared_ptr<const LakeTable>& table,
                              db::AlterInfo& info) {
  auto& lake = Transaction::of(context, lake_);
  lake.need_writable();
  auto metadata = value_or_throw(table->metadata());
  if (info.type == db::AlterType::ALTER_TABLE) {
    auto& alter = info.Cast<db::AlterTableInfo>();
    if (alter.alter_table_type == db::AlterTableType::RENAME_TABLE) {
      const std::string new_name = alter.Cast<db::RenameTableInfo>().new_table_name;
      need_free_name(context, table->name().name, new_name);
      const auto files = lake.files_changed(table->uuid());
      auto moved = files ? std::optional<FileChange>(*files) : std::nullopt;
      lake.drop_table(table->name());
      lake.put_table(std::make_shared<LocalTable>(TableName{name, new_name}, table->uuid(), metadata));
      if (moved) {
        lake.change_files(table->uuid()) = std::move(*moved);
      }
      return;
    }
    check_rows(context, table, alter);
    metadata = std::make_shared<const iceberg::TableMetadata>(
        value_or_throw(altered_metadata(context, *metadata, alter)));
  } else if (info.type == db::AlterType::SET_COMMENT) {
    metadata = std::make_shared<const iceberg::TableMetadata>(
        value_or_throw(with_comment(*metadata, info.Cast<db::SetCommentInfo>().comment_value)));
  } else {
    const auto& comment_info = info.Cast<db::SetColumnCommentInfo>();
    metadata = std::make_shared<const iceberg::TableMetadata>(
        value_or_throw(with_column_comment(*metadata, comment_info.column_name, comment_info.comment_value)));
  }
  lake.put_table(std::make_shared<LocalTable>(table->name(), table->uuid(), metadata));
}

void SchemaEntry::alter_view(db::ClientContext& context, const LakeView& view, db::AlterInfo& info) {
  auto& lake = Transaction::of(context, lake_);
  lake.need_writable();
  LakeView changed = view;
  if (info.type == db::AlterType::SET_COMMENT) {
    const auto& value = info.Cast<db::SetCommentInfo>().comment_value;
    changed.comment = value.IsNull() ? "" : value.ToString();
  } else if (info.type == db::AlterType::SET_COLUMN_COMMENT) {
    const auto& set = info.Cast<db::SetColumnCommentInfo>();
    const auto column =
        std::find_if(changed.columns.begin(), changed.columns.end(),
                     [&](const ViewColumn& c) { return fold(c.name) == fold(set.column_name); });
    if (column == changed.columns.end()) {
      throw_error({Code::kNotFound,
                   fmt::format("view \"{}\" has no column \"{}\"", view.name.name, set.column_name)});
    }
    column->comment = set.comment_value.IsNull() ? "" : set.comment_value.ToString();
  } else {
    const std::string new_name = info.Cast<db::RenameViewInfo>().new_view_name;
    need_free_name(context, view.name.name, new_name);
    lake.drop_view(view.name);
    changed.name.name = new_name;
  }
  lake.put_view(std::move(changed));
}

void SchemaEntry::Alter(db::CatalogTransaction transaction, db::AlterInfo& info) {
  need_not_system(info.name);
  auto& context = transaction.GetContext();
  const auto found = find(context, *Transaction::of(context, lake_).version(), info.name);
  const bool for_view = info.GetCatalogType() == db::CatalogType::VIEW_ENTRY;
  if (info.GetCatalogType() == db::CatalogType::MACRO_ENTRY) {
    throw_error(
        {Code::kUnsupported,
         fmt::format("comments on macros are not kept: leave out COMMENT ON MACRO \"{}\"", info.name)});
  }
  if (info.type == db::AlterType::SET_COLUMN_COMMENT && found.view) {
    alter_view(context, *found.view, info);
  } else if (found.view && for_view) {
    alter_view(context, *found.view, info);
  } else if (found.table && !for_view) {
    alter_table(context, found.table, info);
  } else if (found) {
    throw_error(
        {Code::kInvalid, fmt::format("\"{}\" is a {}: write ALTER {}", info.name,
                                     found.table ? "table" : "view", found.table ? "TABLE" : "VIEW")});
  } else if (info.if_not_found != db::OnEntryNotFound::RETURN_NULL) {
    throw_error({Code::kNotFound, fmt::format("table \"{}\" does not exist", info.name)});
  }
}

namespace {
[[noreturn]] void refuse(const char* what, const char* remedy) {
  throw_error(
      {Code::kUnsupported, fmt::format("the lake holds tables, views and macros, no {}: {}", what, remedy)});
}
}  // namespace

db::optional_ptr<db::CatalogEntry> SchemaEntry::CreateIndex(db::CatalogTransaction, db::CreateIndexInfo&,
                                                            db::TableCatalogEntry&) {
  refuse("indexes", "partition the table, or write it in order");
}

db::optional_ptr<db::CatalogEntry> SchemaEntry::CreateFunction(db::CatalogTransaction transaction,
                                                               db::CreateFunctionInfo& info) {
  if (!is_macro(info.type)) {
    refuse("functions", "write CREATE MACRO");
  }
  auto& context = transaction.GetContext();
  auto& lake = Transaction::of(context, lake_);
  lake.need_writable();
  need_not_system(info.name);
  if (fold(name) == kSystemSchema || info.name.empty() || info.name.find('@') != std::string::npos) {
    throw_error({Code::kInvalid, fmt::format("\"{}.{}\" cannot be the name of a macro", name, info.name)});
  }
  const auto existing = find_macro(context, *lake.version(), info.name);
  if (existing && info.on_conflict == db::OnCreateConflict::IGNORE_ON_CONFLICT) {
    return nullptr;
  }
  if (existing && info.on_conflict != db::OnCreateConflict::REPLACE_ON_CONFLICT) {
    throw_error({Code::kExists, fmt::format("macro \"{}\" already exists", info.name)});
  }
  auto macro = make_macro(context, {name, existing ? existing->name.name : info.name},
                          info.Cast<db::CreateMacroInfo>());
  macro.uuid = new_uuid();
  lake.put_macro(std::move(macro));
  return lake.macro_entry(*this, find_macro(context, *lake.version(), info.name));
}

db::optional_ptr<db::CatalogEntry> SchemaEntry::CreateSequence(db::CatalogTransaction,
                                                               db::CreateSequenceInfo&) {
  refuse("sequences", "use row_number() or uuid()");
}

db::optional_ptr<db::CatalogEntry> SchemaEntry::CreateTableFunction(db::CatalogTransaction,
                                                                    db::CreateTableFunctionInfo&) {
  refuse("table functions", "write CREATE MACRO … AS TABLE");
}

db::optional_ptr<db::CatalogEntry> SchemaEntry::CreateCopyFunction(db::CatalogTransaction,
                                                                   db::CreateCopyFunctionInfo&) {
  refuse("copy functions", "use those that exist");
}

db::optional_ptr<db::CatalogEntry> SchemaEntry::CreatePragmaFunction(db::CatalogTransaction,
                                                                     db::CreatePragmaFunctionInfo&) {
  refuse("pragma functions", "use those that exist");
}

db::optional_ptr<db::CatalogEntry> SchemaEntry::CreateCollation(db::CatalogTransaction,
                                                                db::CreateCollationInfo&) {
  refuse("collations", "use those that exist");
}

db::optional_ptr<db::CatalogEntry> SchemaEntry::CreateType(db::CatalogTransaction, db::CreateTypeInfo&) {
  refuse("types", "write the type out in CREATE TABLE");
}

}  // namespace tarn::engine::lake
