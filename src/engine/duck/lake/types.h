// DuckDB's types as Iceberg's, and values of both (ARCHITECTURE "Types").
// A declared type may be stored as another one: UTINYINT as int, HUGEINT as decimal(38,0), JSON as string.
#pragma once

#include <optional>
#include <string>

#include "engine/duck/lake/glue.h"
#include "iceberg/type.h"
#include "iceberg/value.h"

namespace tarn::engine::lake {

// The Iceberg type that stores `declared`; nested fields take their ids from ++last_id. kUnsupported for
// UNION and the like; `column` is for the message.
Result<iceberg::Type> stored_type(const db::LogicalType& declared, const std::string& column, int& last_id);

// The DuckDB type that reads and writes an Iceberg type as it is.
db::LogicalType engine_type(const iceberg::Type& type);

// Whether a column may change from one stored type to the other without rewriting files.
bool can_widen(const iceberg::Type& from, const iceberg::Type& to);

// A value of DuckDB's as a value of a primitive Iceberg type; nullopt when it does not fit.
std::optional<iceberg::Value> to_iceberg(const db::Value& value, const iceberg::Type& type);

// A value of a primitive Iceberg type as one of engine_type(type).
db::Value to_engine(const iceberg::Value& value, const iceberg::Type& type);

}  // namespace tarn::engine::lake
