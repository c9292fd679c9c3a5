#include "engine/duck/lake/table_definition.h"

#include <fmt/format.h>

#include <algorithm>

#include "duckdb/parser/constraints/not_null_constraint.hpp"
#include "duckdb/parser/constraints/unique_constraint.hpp"
#include "duckdb/parser/expression/columnref_expression.hpp"
#include "duckdb/parser/expression/constant_expression.hpp"
#include "duckdb/parser/expression/function_expression.hpp"
#include "duckdb/parser/parsed_data/create_table_info.hpp"
#include "duckdb/parser/parser.hpp"
#include "engine/duck/lake/partition_key.h"
#include "engine/duck/lake/sort_order.h"
#include "engine/duck/lake/transform_key.h"
#include "engine/duck/lake/types.h"
#include "engine/lake_catalog.h"

namespace tarn::engine::lake {
namespace {

bool same_stored_type(const iceberg::Type& a, const iceberg::Type& b) {
  if (a.kind != b.kind || a.precision != b.precision || a.scale != b.scale || a.length != b.length ||
      a.fields.size() != b.fields.size()) {
    return false;
  }
  for (size_t i = 0; i < a.fields.size(); ++i) {
    if (a.fields[i].name != b.fields[i].name || !same_stored_type(a.fields[i].type, b.fields[i].type)) {
      return false;
    }
  }
  return true;
}

void make_current(iceberg::TableMetadata& metadata, iceberg::Schema schema) {
  for (const auto& known : metadata.schemas) {
    if (iceberg::same_fields(known, schema)) {
      metadata.current_schema_id = known.schema_id;
      return;
    }
  }
  metadata.current_schema_id = schema.schema_id;
  metadata.schemas.push_back(std::move(schema));
}

struct Constraints {
  std::vector<bool> not_null;  // by column
  std::vector<std::string> key;
};

// PRIMARY KEY (a, b), or PRIMARY KEY behind one column.
std::vector<std::string> columns_of(const db::CreateTableInfo& info, const db::UniqueConstraint& constraint) {
  if (constraint.HasIndex()) {
    return {info.columns.GetColumn(constraint.GetIndex()).Name()};
  }
  return {constraint.GetColumnNames().begin(), constraint.GetColumnNames().end()};
}

Result<Constraints> constraints_of(const db::CreateTableInfo& info) {
  Constraints found{std::vector<bool>(info.columns.LogicalColumnCount(), false), {}};
  for (const auto& constraint : info.constraints) {
    if (constraint->type == db::ConstraintType::NOT_NULL) {
      found.not_null[constraint->Cast<db::NotNullConstraint>().index.index] = true;
    } else if (constraint->type == db::ConstraintType::UNIQUE &&
               constraint->Cast<db::UniqueConstraint>().IsPrimaryKey()) {
      found.key = columns_of(info, constraint->Cast<db::UniqueConstraint>());
    } else {
      return Error{Code::kUnsupported,
                   fmt::format("table \"{}\": a lake table knows NOT NULL and PRIMARY KEY only; leave {} out "
                               "and write a data test for it",
                               info.table, constraint->ToString())};
    }
  }
  return found;
}

// A column that `metadata` has under the same name and type keeps its ids.
Result<iceberg::Field> new_field(iceberg::TableMetadata& metadata, const db::ColumnDefinition& column,
                                 bool required) {
  if (column.Generated()) {
    return Error{Code::kUnsupported,
                 fmt::format("column \"{}\" is generated, which a lake table cannot hold: compute "
                             "it in a view",
                             column.Name())};
  }
  if (column.Name().find('@') != std::string::npos) {
    return Error{Code::kInvalid,
                 fmt::format("column name \"{}\" holds '@': choose another name", column.Name())};
  }
  iceberg::Field field;
  int last_id = metadata.last_column_id;
  field.id = ++last_id;
  field.name = column.Name();
  TARN_TRY(field.type, stored_type(column.Type(), column.Name(), last_id));
  const auto* known = metadata.schemas.empty() ? nullptr : metadata.schema().find(column.Name());
  if (known != nullptr && same_stored_type(known->type, field.type)) {
    field.id = known->id;
    field.type = known->type;
  } else {
    metadata.last_column_id = last_id;
  }
  field.required = required;
  auto& properties = metadata.properties;
  if (engine_type(field.type) != column.Type() || column.Type().HasAlias()) {
    properties[column_property(field.id, "type")] = column.Type().ToString();
  }
  if (column.HasDefaultValue()) {
    properties[column_property(field.id, "default")] = column.DefaultValue().ToString();
  }
  if (!column.Comment().IsNull()) {
    field.doc = column.Comment().ToString();
  }
  return field;
}

// Puts a new current schema (and spec) into the document.
Status define(iceberg::TableMetadata& metadata, const db::CreateTableInfo& info) {
  TARN_TRY(auto constraints, constraints_of(info));
  iceberg::Schema schema;
  for (const auto& known : metadata.schemas) {
    schema.schema_id = std::max(schema.schema_id, known.schema_id + 1);
  }
  size_t index = 0;
  for (const auto& column : info.columns.Logical()) {
    TARN_TRY(auto field, new_field(metadata, column, constraints.not_null[index++]));
    schema.fields.push_back(std::move(field));
  }
  TARN_CHECK(set_key(schema, constraints.key));
  TARN_CHECK(set_partition_spec(metadata, schema, info.partition_keys));
  db::vector<db::OrderByNode> order;
  for (const auto& key : info.sort_keys) {
    order.emplace_back(db::OrderType::ASCENDING, db::OrderByNullType::ORDER_DEFAULT, key->Copy());
  }
  TARN_CHECK(set_sort_order(metadata, schema, order));
  make_current(metadata, std::move(schema));
  if (!info.comment.IsNull()) {
    metadata.properties["comment"] = info.comment.ToString();
  }
  return ok();
}

std::unique_ptr<db::ParsedExpression> parse_expression(const std::string& sql) {
  auto expressions = db::Parser::ParseExpressionList(sql);
  return expressions.size() == 1 ? std::unique_ptr<db::ParsedExpression>(expressions[0].release()) : nullptr;
}

}  // namespace

std::string column_property(int field_id, const std::string& what) {
  return fmt::format("tarn.column.{}.{}", field_id, what);
}

Status set_key(iceberg::Schema& schema, const std::vector<std::string>& key) {
  schema.identifier_field_ids.clear();
  for (const auto& name : key) {
    const auto field =
        std::find_if(schema.fields.begin(), schema.fields.end(),
                     [&](const iceberg::Field& each) { return fold(each.name) == fold(name); });
    if (field == schema.fields.end()) {
      return Error{Code::kNotFound, fmt::format("there is no column \"{}\" for the PRIMARY KEY", name)};
    }
    const auto kind = field->type.kind;
    if (field->type.is_nested() || kind == iceberg::TypeKind::kFloat || kind == iceberg::TypeKind::kDouble) {
      return Error{Code::kUnsupported,
                   fmt::format("column \"{}\" cannot be part of the PRIMARY KEY: nested types and floating "
                               "point do not compare exactly",
                               name)};
    }
    field->required = true;
    schema.identifier_field_ids.push_back(field->id);
  }
  std::sort(schema.identifier_field_ids.begin(), schema.identifier_field_ids.end());
  return ok();
}

Result<iceberg::TableMetadata> new_metadata(const std::string& uuid, const db::CreateTableInfo& info) {
  iceberg::TableMetadata metadata;
  metadata.table_uuid = uuid;
  metadata.sort_orders.push_back({});  // the unsorted one, which every table has
  metadata.properties["write.parquet.compression-codec"] = "snappy";
  TARN_CHECK(define(metadata, info));
  return metadata;
}

Result<iceberg::TableMetadata> replaced_metadata(const iceberg::TableMetadata& old,
                                                 const db::CreateTableInfo& info) {
  iceberg::TableMetadata metadata = old;
  std::erase_if(metadata.properties, [](const auto& property) {
    return property.first.starts_with("tarn.column.") || property.first == "comment";
  });
  TARN_CHECK(define(metadata, info));
  return metadata;
}

db::LogicalType declared_type(db::ClientContext& context, const iceberg::TableMetadata& metadata,
                              const iceberg::Field& field) {
  const auto property = metadata.properties.find(column_property(field.id, "type"));
  if (property == metadata.properties.end()) {
    return engine_type(field.type);
  }
  auto declared = db::TransformStringToLogicalType(property->second, context);
  int unused_id = 0;
  auto stored = stored_type(declared, field.name, unused_id);
  // Another writer may have widened the column since: then its type stands.
  return stored && same_stored_type(*stored, field.type) ? declared : engine_type(field.type);
}

void describe_columns(db::ClientContext& context, const iceberg::TableMetadata& metadata,
                      db::CreateTableInfo& info) {
  for (const auto& field : metadata.schema().fields) {
    db::ColumnDefinition column(field.name, declared_type(context, metadata, field));
    const auto property = metadata.properties.find(column_property(field.id, "default"));
    if (property != metadata.properties.end()) {
      if (auto expression = parse_expression(property->second)) {
        column.SetDefaultValue(db::unique_ptr<db::ParsedExpression>(expression.release()));
      }
    }
    if (field.doc) {
      column.SetComment(db::Value(*field.doc));
    }
    if (field.required) {
      info.constraints.push_back(
          db::make_uniq<db::NotNullConstraint>(db::LogicalIndex(info.columns.LogicalColumnCount())));
    }
    info.columns.AddColumn(std::move(column));
  }
  db::vector<db::string> key;
  for (const int id : metadata.schema().identifier_field_ids) {
    // A key of another writer may lie inside a struct: it is then shown nowhere.
    const auto* field = metadata.schema().find(id);
    if (field != nullptr && info.columns.ColumnExists(field->name)) {
      key.push_back(field->name);
    }
  }
  if (!key.empty()) {
    info.constraints.push_back(db::make_uniq<db::UniqueConstraint>(std::move(key), true));
  }
  const auto comment = metadata.properties.find("comment");
  if (comment != metadata.properties.end()) {
    info.comment = db::Value(comment->second);
  }
}

void describe_layout(const iceberg::TableMetadata& metadata, db::CreateTableInfo& info) {
  for (const auto& field : metadata.spec().fields) {
    if (auto key = key_expression(metadata.schema(), field.source_id, field.transform)) {
      info.partition_keys.push_back(std::move(key));
    }
  }
  const auto* order = write_order(metadata);
  if (order == nullptr || std::any_of(order->fields.begin(), order->fields.end(), [](const auto& field) {
        return field.descending || field.nulls_first;
      })) {
    return;
  }
  for (const auto& field : order->fields) {
    if (auto key = key_expression(metadata.schema(), field.source_id, field.transform)) {
      info.sort_keys.push_back(std::move(key));
    }
  }
}

}  // namespace tarn::engine::lake
