// What CREATE TABLE and ALTER TABLE say, as table metadata, and the way back.
// What Iceberg's format version 2 cannot say is kept in table properties, by field id, where any reader finds
// it:
//   tarn.column.<id>.type     the declared DuckDB type, when another type stores it
//   tarn.column.<id>.default  SQL of the DEFAULT for rows inserted later
//   tarn.column.<id>.initial  the constant that rows written before ADD COLUMN show
#pragma once

#include <string>
#include <vector>

#include "engine/duck/lake/glue.h"
#include "iceberg/metadata.h"

namespace duckdb {
struct AddConstraintInfo;
struct AlterTableInfo;
struct CreateTableInfo;
}  // namespace duckdb

namespace tarn::engine::lake {

// The first metadata of a table, without location and snapshots.
Result<iceberg::TableMetadata> new_metadata(const std::string& uuid, const db::CreateTableInfo& info);

// CREATE OR REPLACE: the old document with a new schema, spec and properties; field ids go on from the old
// ones.
Result<iceberg::TableMetadata> replaced_metadata(const iceberg::TableMetadata& old,
                                                 const db::CreateTableInfo& info);

// Declares the key: the specification's identifier fields, of primitive types that compare exactly, which
// always have a value.
Status set_key(iceberg::Schema& schema, const std::vector<std::string>& key);
// The columns of ALTER TABLE … ADD PRIMARY KEY.
Result<std::vector<std::string>> key_of(const db::AddConstraintInfo& info);

// The document after ALTER TABLE; not for RENAME TABLE.
Result<iceberg::TableMetadata> altered_metadata(db::ClientContext& context, const iceberg::TableMetadata& old,
                                                db::AlterTableInfo& info);

Result<iceberg::TableMetadata> with_comment(const iceberg::TableMetadata& old, const db::Value& comment);
Result<iceberg::TableMetadata> with_column_comment(const iceberg::TableMetadata& old,
                                                   const std::string& column, const db::Value& comment);

// Fills columns, NOT NULL constraints, defaults and comments of `info`.
void describe_columns(db::ClientContext& context, const iceberg::TableMetadata& metadata,
                      db::CreateTableInfo& info);

// Fills what the table is partitioned and sorted by, as far as CREATE TABLE has a form for it: it has none
// for DESC and NULLS FIRST.
void describe_layout(const iceberg::TableMetadata& metadata, db::CreateTableInfo& info);

// The declared type of a top-level field.
db::LogicalType declared_type(db::ClientContext& context, const iceberg::TableMetadata& metadata,
                              const iceberg::Field& field);

std::string column_property(int field_id, const std::string& what);

}  // namespace tarn::engine::lake
