// Types, fields and schemas of an Iceberg table (spec: "Schemas and Data Types").
// Field ids are unique in a table for its whole life and cover list elements, map keys and values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tarn::iceberg {

// Ids above this one are reserved for columns that the specification defines.
inline constexpr int kMaxFieldId = 2147483447;

enum class TypeKind {
  kBoolean,
  kInt,
  kLong,
  kFloat,
  kDouble,
  kDecimal,
  kDate,
  kTime,
  kTimestamp,
  kTimestampTz,
  kTimestampNs,
  kTimestampTzNs,
  kString,
  kUuid,
  kFixed,
  kBinary,
  kStruct,
  kList,
  kMap,
};

struct Field;

struct Type {
  TypeKind kind = TypeKind::kString;
  int precision = 0;          // decimal
  int scale = 0;              // decimal
  int length = 0;             // fixed
  std::vector<Field> fields;  // struct: its fields; list: the element; map: key, then value

  [[nodiscard]] bool is_nested() const {
    return kind == TypeKind::kStruct || kind == TypeKind::kList || kind == TypeKind::kMap;
  }
  bool operator==(const Type&) const;
};

struct Field {
  int id = 0;
  std::string name;  // list: "element"; map: "key", "value"
  bool required = false;
  Type type;
  std::optional<std::string> doc;
  std::optional<std::string> initial_default;  // JSON single-value form (format version 3)
  std::optional<std::string> write_default;    // JSON single-value form (format version 3)
  bool operator==(const Field&) const = default;
};

struct Schema {
  int schema_id = 0;
  std::vector<Field> fields;
  std::vector<int> identifier_field_ids;

  // The field with this id at any depth, or null.
  [[nodiscard]] const Field* find(int field_id) const;
  // The top-level field of this name (case-sensitive), or null.
  [[nodiscard]] const Field* find(const std::string& name) const;
  // Greatest id at any depth; 0 when there are no fields.
  [[nodiscard]] int max_field_id() const;
};

// Same fields, ids, types, requiredness and docs; schema_id is not compared.
bool same_fields(const Schema& a, const Schema& b);

// Text of a type as metadata writes it: "decimal(9,2)", "timestamptz"; nested types as "struct<a: int, …>".
std::string to_string(const Type& type);
// Reads the name of a type that is not nested. kUnsupported for one of format version 3 (variant, geometry).
Result<Type> parse_type(std::string_view text);

// Whether readers of `to` can read files that were written with `from` (the same, or widened).
bool can_promote(const Type& from, const Type& to);

// Ids, names and depth are as the specification wants them: what a table is created or altered with.
Status check_schema(const Schema& schema);

// Gives each field at any depth a new id above `last_id` and moves `last_id`; as Java does: first all fields
// of a struct, then what is inside each.
void assign_field_ids(std::vector<Field>& fields, int& last_id);

// The JSON form of a schema (spec appendix C), and back.
std::string to_json(const Schema& schema);
Result<Schema> parse_schema(std::string_view json);

}  // namespace tarn::iceberg
