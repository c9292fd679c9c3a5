// The schema in an Avro file's header, as its writer gave it, with Iceberg's field ids.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tarn::iceberg {

enum class AvroKind {
  kNull,
  kBoolean,
  kInt,
  kLong,
  kFloat,
  kDouble,
  kBytes,
  kString,
  kFixed,
  kEnum,
  kRecord,
  kArray,
  kMap,
  kUnion,
};

struct AvroField {
  std::string name;
  int id = -1;   // "field-id"; -1 when the writer gave none
  int type = 0;  // index into AvroSchema::types
};

struct AvroType {
  AvroKind kind = AvroKind::kNull;
  std::string logical;            // "logicalType"
  size_t size = 0;                // fixed
  std::vector<AvroField> fields;  // record
  std::vector<int> parts;         // array: item; map: value; union: branches
};

// Types refer to each other by index, so that named types may be used twice or contain themselves.
struct AvroSchema {
  std::vector<AvroType> types;  // the root is types[root]
  int root = 0;

  [[nodiscard]] const AvroType& at(int type) const { return types[static_cast<size_t>(type)]; }
};

Result<AvroSchema> parse_avro_schema(std::string_view json);

}  // namespace tarn::iceberg
