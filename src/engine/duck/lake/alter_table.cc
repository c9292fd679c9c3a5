#include <fmt/format.h>

#include <algorithm>

#include "duckdb/execution/expression_executor.hpp"
#include "duckdb/function/cast_rules.hpp"
#include "duckdb/parser/constraints/unique_constraint.hpp"
#include "duckdb/parser/parsed_data/alter_table_info.hpp"
#include "duckdb/planner/binder.hpp"
#include "duckdb/planner/expression_binder/constant_binder.hpp"
#include "engine/duck/lake/partition_key.h"
#include "engine/duck/lake/sort_order.h"
#include "engine/duck/lake/table_definition.h"
#include "engine/duck/lake/types.h"
#include "engine/lake_catalog.h"
#include "iceberg/metadata_update.h"

namespace tarn::engine::lake {
namespace {

using iceberg::Field;
using iceberg::Schema;
using iceberg::TableMetadata;

// A copy of the current schema that will be the next one.
Schema next_schema(const TableMetadata& metadata) {
  Schema schema = metadata.schema();
  for (const auto& known : metadata.schemas) {
    schema.schema_id = std::max(schema.schema_id, known.schema_id + 1);
  }
  return schema;
}

void make_current(TableMetadata& metadata, Schema schema) {
  for (const auto& known : metadata.schemas) {
    if (iceberg::same_fields(known, schema)) {
      metadata.current_schema_id = known.schema_id;
      return;
    }
  }
  metadata.current_schema_id = schema.schema_id;
  metadata.schemas.push_back(std::move(schema));
}

Field* find_column(Schema& schema, const std::string& name) {
  const std::string folded = fold(name);
  for (auto& field : schema.fields) {
    if (fold(field.name) == folded) {
      return &field;
    }
  }
  return nullptr;
}

Result<Field*> need_column(Schema& schema, const std::string& name) {
  if (auto* field = find_column(schema, name)) {
    return field;
  }
  return Error{Code::kNotFound, fmt::format("the table has no column \"{}\"", name)};
}

// The constant that rows written before the column existed show.
Result<db::Value> constant_of(db::ClientContext& context, const db::ParsedExpression& expression,
                              const db::LogicalType& type, const std::string& column) {
  auto binder = db::Binder::CreateBinder(context);
  db::ConstantBinder constant_binder(*binder, context, "DEFAULT value");
  constant_binder.target_type = type;
  auto copy = expression.Copy();
  auto bound = constant_binder.Bind(copy);
  if (!bound->IsFoldable()) {
    return Error{
        Code::kUnsupported,
        fmt::format("DEFAULT {} of the new column \"{}\" is no constant, so that its value for older rows is "
                    "open: add the column without DEFAULT, then SET DEFAULT",
                    expression.ToString(), column)};
  }
  return db::ExpressionExecutor::EvaluateScalar(context, *bound);
}

void set_declared_type(TableMetadata& metadata, const Field& field, const db::LogicalType& declared) {
  const auto key = column_property(field.id, "type");
  if (engine_type(field.type) != declared || declared.HasAlias()) {
    metadata.properties[key] = declared.ToString();
  } else {
    metadata.properties.erase(key);
  }
}

Status add_column(db::ClientContext& context, TableMetadata& metadata, Schema& schema,
                  const db::AddColumnInfo& info) {
  const auto& column = info.new_column;
  if (find_column(schema, column.Name()) != nullptr) {
    if (info.if_column_not_exists) {
      return ok();
    }
    return Error{Code::kExists, fmt::format("the table has a column \"{}\" already", column.Name())};
  }
  if (column.Generated() || column.Name().find('@') != std::string::npos) {
    return Error{
        Code::kInvalid,
        fmt::format("column \"{}\" can be neither generated nor have '@' in its name", column.Name())};
  }
  Field field;
  field.id = ++metadata.last_column_id;
  field.name = column.Name();
  TARN_TRY(field.type, stored_type(column.Type(), column.Name(), metadata.last_column_id));
  set_declared_type(metadata, field, column.Type());
  if (column.HasDefaultValue()) {
    TARN_TRY(auto initial, constant_of(context, column.DefaultValue(), column.Type(), column.Name()));
    metadata.properties[column_property(field.id, "default")] = column.DefaultValue().ToString();
    if (!initial.IsNull()) {
      metadata.properties[column_property(field.id, "initial")] = initial.ToString();
    }
  }
  schema.fields.push_back(std::move(field));
  return ok();
}

bool is_key(const Schema& schema, const Field& field) {
  const auto& ids = schema.identifier_field_ids;
  return std::find(ids.begin(), ids.end(), field.id) != ids.end();
}

Status remove_column(TableMetadata& metadata, Schema& schema, const db::RemoveColumnInfo& info) {
  auto* field = find_column(schema, info.removed_column);
  if (field == nullptr && info.if_column_exists) {
    return ok();
  }
  TARN_TRY(field, need_column(schema, info.removed_column));
  if (schema.fields.size() == 1) {
    return Error{Code::kInvalid,
                 fmt::format("\"{}\" is the table's only column: drop the table", field->name)};
  }
  if (is_key(schema, *field)) {
    return Error{
        Code::kInvalid,
        fmt::format("column \"{}\" is part of the table's PRIMARY KEY: write CREATE OR REPLACE TABLE … AS "
                    "SELECT without it",
                    field->name)};
  }
  for (const auto& key : metadata.spec().fields) {
    if (key.source_id == field->id && key.transform.kind != iceberg::TransformKind::kVoid) {
      return Error{
          Code::kInvalid,
          fmt::format("the table is partitioned by column \"{}\": ALTER TABLE … SET PARTITIONED BY other "
                      "columns first",
                      field->name)};
    }
  }
  const auto* order = write_order(metadata);
  if (order != nullptr && std::any_of(order->fields.begin(), order->fields.end(),
                                      [&](const auto& key) { return key.source_id == field->id; })) {
    return Error{Code::kInvalid,
                 fmt::format("the table is sorted by column \"{}\": ALTER TABLE … SET SORTED BY "
                             "other columns, or RESET SORTED BY, first",
                             field->name)};
  }
  const auto prefix = column_property(field->id, "");
  std::erase_if(metadata.properties, [&](const auto& entry) { return entry.first.starts_with(prefix); });
  schema.fields.erase(schema.fields.begin() + (field - schema.fields.data()));
  return ok();
}

Status rename_column(Schema& schema, const db::RenameColumnInfo& info) {
  TARN_TRY(auto* field, need_column(schema, info.old_name));
  auto* other = find_column(schema, info.new_name);
  if (other != nullptr && other != field) {
    return Error{Code::kExists, fmt::format("the table has a column \"{}\" already", info.new_name)};
  }
  if (info.new_name.find('@') != std::string::npos) {
    return Error{Code::kInvalid,
                 fmt::format("column name \"{}\" holds '@': choose another name", info.new_name)};
  }
  field->name = info.new_name;
  return ok();
}

Status change_type(db::ClientContext& context, TableMetadata& metadata, Schema& schema,
                   const db::ChangeColumnTypeInfo& info) {
  TARN_TRY(auto* field, need_column(schema, info.column_name));
  const auto old_type = declared_type(context, metadata, *field);
  int unused_id = 0;
  TARN_TRY(auto stored, stored_type(info.target_type, field->name, unused_id));
  const bool widens =
      old_type == info.target_type || db::CastRules::ImplicitCast(old_type, info.target_type) >= 0;
  if (!widens || !can_widen(field->type, stored)) {
    return Error{
        Code::kUnsupported,
        fmt::format("column \"{}\" cannot change from {} to {} in place, only to a wider type of the same "
                    "kind: write CREATE OR REPLACE TABLE … AS SELECT with a cast",
                    field->name, old_type.ToString(), info.target_type.ToString())};
  }
  field->type = std::move(stored);
  set_declared_type(metadata, *field, info.target_type);
  return ok();
}

std::vector<std::string> path_of_field(const db::vector<db::string>& path) {
  return {path.begin(), path.end()};
}

// Fields of structs change only where the column is stored as it was declared: else the declared type would
// be wrong.
Status need_stored_as_declared(const TableMetadata& metadata, Schema& schema,
                               const db::vector<db::string>& path) {
  TARN_TRY(auto* column, need_column(schema, path.at(0)));
  if (metadata.properties.contains(column_property(column->id, "type"))) {
    return Error{
        Code::kUnsupported,
        fmt::format(
            "fields of column \"{}\" cannot change in place, because it holds types that are stored as "
            "others: write CREATE OR REPLACE TABLE … AS SELECT",
            column->name)};
  }
  return ok();
}

Status add_struct_field(TableMetadata& metadata, Schema& schema, const db::AddFieldInfo& info) {
  TARN_CHECK(need_stored_as_declared(metadata, schema, info.column_path));
  Field field;
  field.name = info.new_field.Name();
  int unused_id = 0;
  TARN_TRY(field.type, stored_type(info.new_field.Type(), field.name, unused_id));
  if (engine_type(field.type) != info.new_field.Type()) {
    return Error{Code::kUnsupported,
                 fmt::format("a field of a struct cannot be added with type {}: take {}",
                             info.new_field.Type().ToString(), engine_type(field.type).ToString())};
  }
  const auto added =
      iceberg::add_field(schema, path_of_field(info.column_path), std::move(field), metadata.last_column_id);
  return !added && added.error().code == Code::kExists && info.if_field_not_exists ? ok() : added;
}

Status remove_struct_field(TableMetadata& metadata, Schema& schema, const db::RemoveFieldInfo& info) {
  TARN_CHECK(need_stored_as_declared(metadata, schema, info.column_path));
  const auto dropped = iceberg::drop_field(schema, path_of_field(info.column_path));
  return !dropped && dropped.error().code == Code::kNotFound && info.if_column_exists ? ok() : dropped;
}

Status rename_struct_field(TableMetadata& metadata, Schema& schema, const db::RenameFieldInfo& info) {
  TARN_CHECK(need_stored_as_declared(metadata, schema, info.column_path));
  return iceberg::rename_field(schema, path_of_field(info.column_path), info.new_name);
}

Status add_key(Schema& schema, const db::AddConstraintInfo& info) {
  TARN_TRY(auto names, key_of(info));
  if (!schema.identifier_field_ids.empty()) {
    return Error{Code::kExists, "the table has a PRIMARY KEY already: CREATE OR REPLACE TABLE changes it"};
  }
  return set_key(schema, names);
}

Status set_default(TableMetadata& metadata, Schema& schema, const db::SetDefaultInfo& info) {
  TARN_TRY(auto* field, need_column(schema, info.column_name));
  const auto key = column_property(field->id, "default");
  if (info.expression) {
    metadata.properties[key] = info.expression->ToString();
  } else {
    metadata.properties.erase(key);
  }
  return ok();
}

// Properties of Tarn's own would change what rows mean.
Status need_free_property(const std::string& name) {
  if (name.starts_with("tarn.") || name == "comment" || name == "format-version" || name == "uuid") {
    return Error{Code::kInvalid,
                 fmt::format("the property \"{}\" cannot be set by hand: Tarn keeps it (a comment is set by "
                             "COMMENT ON TABLE)",
                             name)};
  }
  return ok();
}

Status set_properties(db::ClientContext& context, TableMetadata& metadata,
                      const db::SetTableOptionsInfo& info) {
  for (const auto& [name, expression] : info.table_options) {
    TARN_CHECK(need_free_property(name));
    TARN_TRY(auto value, constant_of(context, *expression, db::LogicalType::VARCHAR, name));
    if (value.IsNull()) {
      return Error{
          Code::kInvalid,
          fmt::format("the property \"{0}\" cannot be NULL: ALTER TABLE … RESET (\"{0}\") removes it", name)};
    }
    metadata.properties[name] = value.ToString();
  }
  return ok();
}

Status reset_properties(TableMetadata& metadata, const db::ResetTableOptionsInfo& info) {
  for (const auto& name : info.table_options) {
    TARN_CHECK(need_free_property(name));
    metadata.properties.erase(name);
  }
  return ok();
}

Status alter(db::ClientContext& context, TableMetadata& metadata, Schema& schema, db::AlterTableInfo& info) {
  using db::AlterTableType;
  switch (info.alter_table_type) {
    case AlterTableType::ADD_COLUMN:
      return add_column(context, metadata, schema, info.Cast<db::AddColumnInfo>());
    case AlterTableType::REMOVE_COLUMN:
      return remove_column(metadata, schema, info.Cast<db::RemoveColumnInfo>());
    case AlterTableType::RENAME_COLUMN: return rename_column(schema, info.Cast<db::RenameColumnInfo>());
    case AlterTableType::ALTER_COLUMN_TYPE:
      return change_type(context, metadata, schema, info.Cast<db::ChangeColumnTypeInfo>());
    case AlterTableType::SET_DEFAULT: return set_default(metadata, schema, info.Cast<db::SetDefaultInfo>());
    case AlterTableType::DROP_NOT_NULL: {
      TARN_TRY(auto* field, need_column(schema, info.Cast<db::DropNotNullInfo>().column_name));
      if (is_key(schema, *field)) {
        return Error{Code::kInvalid,
                     fmt::format("column \"{}\" is part of the table's PRIMARY KEY, which always has a value",
                                 field->name)};
      }
      field->required = false;
      return ok();
    }
    case AlterTableType::ADD_FIELD: return add_struct_field(metadata, schema, info.Cast<db::AddFieldInfo>());
    case AlterTableType::REMOVE_FIELD:
      return remove_struct_field(metadata, schema, info.Cast<db::RemoveFieldInfo>());
    case AlterTableType::RENAME_FIELD:
      return rename_struct_field(metadata, schema, info.Cast<db::RenameFieldInfo>());
    case AlterTableType::SET_PARTITIONED_BY:
      return set_partition_spec(metadata, schema, info.Cast<db::SetPartitionedByInfo>().partition_keys);
    case AlterTableType::SET_SORTED_BY:
      return set_sort_order(metadata, schema, info.Cast<db::SetSortedByInfo>().orders);
    case AlterTableType::SET_TABLE_OPTIONS:
      return set_properties(context, metadata, info.Cast<db::SetTableOptionsInfo>());
    case AlterTableType::RESET_TABLE_OPTIONS:
      return reset_properties(metadata, info.Cast<db::ResetTableOptionsInfo>());
    case AlterTableType::SET_NOT_NULL: {
      TARN_TRY(auto* field, need_column(schema, info.Cast<db::SetNotNullInfo>().column_name));
      field->required = true;  // the rows were looked at: check_rows
      return ok();
    }
    case AlterTableType::ADD_CONSTRAINT: return add_key(schema, info.Cast<db::AddConstraintInfo>());
    default: break;
  }
  return Error{Code::kUnsupported, fmt::format("a lake table cannot do this: {}", info.ToString())};
}

}  // namespace

Result<std::vector<std::string>> key_of(const db::AddConstraintInfo& info) {
  const auto* key = info.constraint->type == db::ConstraintType::UNIQUE
                        ? &info.constraint->Cast<db::UniqueConstraint>()
                        : nullptr;
  if (key == nullptr || !key->IsPrimaryKey()) {
    return Error{
        Code::kUnsupported,
        fmt::format("a lake table knows NOT NULL and PRIMARY KEY only; leave {} out", info.ToString())};
  }
  return std::vector<std::string>(key->GetColumnNames().begin(), key->GetColumnNames().end());
}

Result<TableMetadata> altered_metadata(db::ClientContext& context, const TableMetadata& old,
                                       db::AlterTableInfo& info) {
  TableMetadata metadata = old;
  Schema schema = next_schema(old);
  TARN_CHECK(alter(context, metadata, schema, info));
  make_current(metadata, std::move(schema));
  return metadata;
}

Result<TableMetadata> with_comment(const TableMetadata& old, const db::Value& comment) {
  TableMetadata metadata = old;
  if (comment.IsNull()) {
    metadata.properties.erase("comment");
  } else {
    metadata.properties["comment"] = comment.ToString();
  }
  return metadata;
}

Result<TableMetadata> with_column_comment(const TableMetadata& old, const std::string& column,
                                          const db::Value& comment) {
  TableMetadata metadata = old;
  Schema schema = next_schema(old);
  TARN_TRY(auto* field, need_column(schema, column));
  field->doc = comment.IsNull() ? std::nullopt : std::optional<std::string>(comment.ToString());
  make_current(metadata, std::move(schema));
  return metadata;
}

}  // namespace tarn::engine::lake
