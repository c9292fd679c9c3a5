#include "engine/duck/outside/outside_catalog.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/time.h"
#include "duckdb/parser/parsed_data/create_schema_info.hpp"
#include "duckdb/parser/parsed_data/create_table_info.hpp"
#include "engine/duck/errors.h"
#include "engine/duck/lake/attach.h"
#include "engine/duck/outside/outside_scan.h"

namespace tarn::engine::outside {
namespace {

constexpr std::chrono::milliseconds kListAgeMax{30'000};
constexpr std::chrono::milliseconds kListAgeOfMissing{2'000};  // before a table is said not to be there
constexpr const char* kColumnsUnknown = "…";
constexpr size_t kEntriesMax = 64;  // of one table, whose columns changed as often

bool is_table(db::CatalogType type) {
  return type == db::CatalogType::TABLE_ENTRY || type == db::CatalogType::VIEW_ENTRY;
}

template <class T>
T value_or_throw(Result<T> result) {
  if (!result) {
    throw_error(result.error());
  }
  return std::move(*result);
}

// The spelling of the other side: exactly so, else without regard to case.
template <class Found>
bool find_name(const std::vector<TableId>& tables, const std::string& wanted, std::string TableId::* part,
               const Found& found) {
  for (const bool exact : {true, false}) {
    for (const auto& table : tables) {
      const auto& name = table.*part;
      if ((exact ? name == wanted : db::StringUtil::CIEquals(name, wanted)) && found(table)) {
        return true;
      }
    }
  }
  return false;
}

}  // namespace

Stopped stopped_by(db::ClientContext& context) {
  return [&context] { return context.interrupted.load(); };
}

OutsideTableEntry::OutsideTableEntry(OutsideCatalog& catalog, db::SchemaCatalogEntry& schema,
                                     db::CreateTableInfo& info, std::shared_ptr<Attachment> attachment,
                                     Shape shape)
    : db::TableCatalogEntry(catalog, schema, info),
      attachment_(std::move(attachment)),
      shape_(std::move(shape)) {}

db::TableFunction OutsideTableEntry::GetScanFunction(db::ClientContext&,
                                                     db::unique_ptr<db::FunctionData>& bind_data) {
  return outside_scan(*this, bind_data);
}

db::TableStorageInfo OutsideTableEntry::GetStorageInfo(db::ClientContext&) {
  db::TableStorageInfo info;
  if (shape_.rows_about > 0) {
    info.cardinality = shape_.rows_about;
  }
  return info;
}

// Only the one that stands for no column at all: the other side's rows have no numbers here.
db::virtual_column_map_t OutsideTableEntry::GetVirtualColumns() const {
  db::virtual_column_map_t columns;
  columns.insert({db::COLUMN_IDENTIFIER_EMPTY, db::TableColumn("", db::LogicalType::BOOLEAN)});
  return columns;
}

OutsideSchemaEntry::OutsideSchemaEntry(OutsideCatalog& catalog, db::CreateSchemaInfo& info)
    : db::SchemaCatalogEntry(catalog, info), outside_(catalog) {}

db::optional_ptr<db::CatalogEntry> OutsideSchemaEntry::LookupEntry(db::CatalogTransaction transaction,
                                                                   const db::EntryLookupInfo& lookup) {
  if (!is_table(lookup.GetCatalogType()) || !transaction.HasContext()) {
    return nullptr;
  }
  auto& context = transaction.GetContext();
  outside_.need_readable(context);
  auto& attachment = *outside_.attachment();
  const auto stopped = stopped_by(context);
  TableId id;
  for (const auto age : {kListAgeMax, kListAgeOfMissing}) {
    const auto tables = value_or_throw(attachment.tables(age, stopped));
    const auto found = [&](const TableId& table) {
      id = table.schema == name ? table : TableId();
      return !id.name.empty();
    };
    if (find_name(tables, lookup.GetEntryName(), &TableId::name, found)) {
      return outside_.table_entry(*this, id, value_or_throw(attachment.shape(id, stopped)));
    }
  }
  return nullptr;
}

void OutsideSchemaEntry::Scan(db::ClientContext& context, db::CatalogType type,
                              const std::function<void(db::CatalogEntry&)>& callback) {
  if (type != db::CatalogType::TABLE_ENTRY || !outside_.is_visible(context)) {
    return;
  }
  auto& attachment = *outside_.attachment();
  for (const auto& table : attachment.tables_known(stopped_by(context))) {
    if (table.schema == name) {
      auto shape = attachment.shape_known(table);
      if (!shape) {  // not looked at yet; DuckDB knows no table without columns
        shape = Shape{.names = {kColumnsUnknown}, .types = {db::LogicalType::VARCHAR}};
      }
      callback(outside_.table_entry(*this, table, *shape));
    }
  }
}

db::optional_ptr<db::CatalogEntry> OutsideSchemaEntry::CreateIndex(db::CatalogTransaction,
                                                                   db::CreateIndexInfo&,
                                                                   db::TableCatalogEntry&) {
  outside_.refuse_change();
}
db::optional_ptr<db::CatalogEntry> OutsideSchemaEntry::CreateFunction(db::CatalogTransaction,
                                                                      db::CreateFunctionInfo&) {
  outside_.refuse_change();
}
db::optional_ptr<db::CatalogEntry> OutsideSchemaEntry::CreateTable(db::CatalogTransaction,
                                                                   db::BoundCreateTableInfo&) {
  outside_.refuse_change();
}
db::optional_ptr<db::CatalogEntry> OutsideSchemaEntry::CreateView(db::CatalogTransaction,
                                                                  db::CreateViewInfo&) {
  outside_.refuse_change();
}
db::optional_ptr<db::CatalogEntry> OutsideSchemaEntry::CreateSequence(db::CatalogTransaction,
                                                                      db::CreateSequenceInfo&) {
  outside_.refuse_change();
}
db::optional_ptr<db::CatalogEntry> OutsideSchemaEntry::CreateTableFunction(db::CatalogTransaction,
                                                                           db::CreateTableFunctionInfo&) {
  outside_.refuse_change();
}
db::optional_ptr<db::CatalogEntry> OutsideSchemaEntry::CreateCopyFunction(db::CatalogTransaction,
                                                                          db::CreateCopyFunctionInfo&) {
  outside_.refuse_change();
}
db::optional_ptr<db::CatalogEntry> OutsideSchemaEntry::CreatePragmaFunction(db::CatalogTransaction,
                                                                            db::CreatePragmaFunctionInfo&) {
  outside_.refuse_change();
}
db::optional_ptr<db::CatalogEntry> OutsideSchemaEntry::CreateCollation(db::CatalogTransaction,
                                                                       db::CreateCollationInfo&) {
  outside_.refuse_change();
}
db::optional_ptr<db::CatalogEntry> OutsideSchemaEntry::CreateType(db::CatalogTransaction,
                                                                  db::CreateTypeInfo&) {
  outside_.refuse_change();
}
void OutsideSchemaEntry::DropEntry(db::ClientContext&, db::DropInfo&) {
  outside_.refuse_change();
}
void OutsideSchemaEntry::Alter(db::CatalogTransaction, db::AlterInfo&) {
  outside_.refuse_change();
}

OutsideCatalog::OutsideCatalog(db::AttachedDatabase& attached, std::shared_ptr<Attachment> attachment,
                               Visibility* visibility)
    : db::Catalog(attached), attachment_(std::move(attachment)), visibility_(visibility) {}

bool OutsideCatalog::is_visible(db::ClientContext& context) {
  // Rights are given on the lake; whoever has only some of those sees no attachment.
  return visibility_ == nullptr || LakeClientState::of(context)->principal.admin;
}

void OutsideCatalog::need_readable(db::ClientContext& context) {
  if (!is_visible(context)) {
    throw_error({Code::kNotFound, fmt::format("there is no database {}", GetName())});
  }
  if (const auto as_of = LakeClientState::of(context)->as_of) {
    throw_error(
        {Code::kUnsupported, fmt::format("attachment {} has no past: this session reads everything as of {}",
                                         GetName(), format_utc(*as_of))});
  }
}

void OutsideCatalog::refuse_change() const {
  throw_error(
      {Code::kDenied, fmt::format("attachment {} is read-only: write into the lake instead", GetName())});
}

db::string OutsideCatalog::GetDefaultSchema() const {
  const auto& outside = attachment_->outside();
  const auto given = outside.settings.find("schema");
  if (given != outside.settings.end() && !given->second.empty()) {
    return given->second;
  }
  return outside.kind == OutsideKind::kIceberg ? "default" : "public";
}

OutsideSchemaEntry& OutsideCatalog::schema_entry(const std::string& name) {
  const std::lock_guard lock(mutex_);
  auto& entry = schemas_[name];
  if (!entry) {
    db::CreateSchemaInfo info;
    info.schema = name;
    entry = std::make_unique<OutsideSchemaEntry>(*this, info);
  }
  return *entry;
}

OutsideTableEntry& OutsideCatalog::table_entry(OutsideSchemaEntry& schema, const TableId& table,
                                               const Shape& shape) {
  const std::lock_guard lock(mutex_);
  auto& entries = tables_[table];
  for (auto& entry : entries) {
    if (entry->shape() == shape) {
      return *entry;
    }
  }
  if (entries.size() >= kEntriesMax) {
    throw_error(
        {Code::kExhausted, fmt::format("attachment {}: the columns of {}.{} changed {} times; start Tarn "
                                       "again to read it",
                                       GetName(), table.schema, table.name, entries.size())});
  }
  db::CreateTableInfo info(schema, table.name);
  for (size_t i = 0; i < shape.names.size(); ++i) {
    info.columns.AddColumn(db::ColumnDefinition(shape.names[i], shape.types[i]));
  }
  info.comment = db::Value(fmt::format("Read where it is: {}, outside the lake, read-only.",
                                       name_of(attachment_->outside().kind)));
  entries.push_back(std::make_unique<OutsideTableEntry>(*this, schema, info, attachment_, shape));
  return *entries.back();
}

db::optional_ptr<db::SchemaCatalogEntry> OutsideCatalog::LookupSchema(db::CatalogTransaction transaction,
                                                                      const db::EntryLookupInfo& lookup,
                                                                      db::OnEntryNotFound if_not_found) {
  const auto& wanted = lookup.GetEntryName();
  if (transaction.HasContext()) {
    auto& context = transaction.GetContext();
    need_readable(context);
    std::string spelt;
    const auto found = [&](const TableId& table) {
      spelt = table.schema;
      return true;
    };
    for (const auto age : {kListAgeMax, kListAgeOfMissing}) {
      const auto tables = value_or_throw(attachment_->tables(age, stopped_by(context)));
      if (find_name(tables, wanted, &TableId::schema, found)) {
        return schema_entry(spelt);
      }
    }
  }
  if (if_not_found == db::OnEntryNotFound::THROW_EXCEPTION) {
    throw_error(
        {Code::kNotFound, fmt::format("attachment {} has no schema \"{}\" with tables", GetName(), wanted)});
  }
  return nullptr;
}

void OutsideCatalog::ScanSchemas(db::ClientContext& context,
                                 std::function<void(db::SchemaCatalogEntry&)> callback) {
  if (!is_visible(context)) {
    return;
  }
  std::string last;
  for (const auto& table : attachment_->tables_known(stopped_by(context))) {
    if (table.schema != last) {
      last = table.schema;
      callback(schema_entry(last));
    }
  }
}

db::optional_ptr<db::CatalogEntry> OutsideCatalog::CreateSchema(db::CatalogTransaction,
                                                                db::CreateSchemaInfo&) {
  refuse_change();
}
void OutsideCatalog::DropSchema(db::ClientContext&, db::DropInfo&) {
  refuse_change();
}
db::PhysicalOperator& OutsideCatalog::PlanCreateTableAs(db::ClientContext&, db::PhysicalPlanGenerator&,
                                                        db::LogicalCreateTable&, db::PhysicalOperator&) {
  refuse_change();
}
db::PhysicalOperator& OutsideCatalog::PlanInsert(db::ClientContext&, db::PhysicalPlanGenerator&,
                                                 db::LogicalInsert&, db::optional_ptr<db::PhysicalOperator>) {
  refuse_change();
}
db::PhysicalOperator& OutsideCatalog::PlanDelete(db::ClientContext&, db::PhysicalPlanGenerator&,
                                                 db::LogicalDelete&, db::PhysicalOperator&) {
  refuse_change();
}
db::PhysicalOperator& OutsideCatalog::PlanUpdate(db::ClientContext&, db::PhysicalPlanGenerator&,
                                                 db::LogicalUpdate&, db::PhysicalOperator&) {
  refuse_change();
}

db::unique_ptr<db::LogicalOperator> OutsideCatalog::BindCreateIndex(db::Binder&, db::CreateStatement&,
                                                                    db::TableCatalogEntry&,
                                                                    db::unique_ptr<db::LogicalOperator>) {
  refuse_change();
}

}  // namespace tarn::engine::outside
