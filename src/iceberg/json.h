// The JSON forms of schemas, partition specs and sort orders (spec appendix C), for metadata documents,
// manifest headers and the REST catalog. Parsing uses a sorted map, because a list of members would let a
// hostile document cost quadratic time; writing keeps the order of the specification.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "base/result.h"
#include "iceberg/partition.h"
#include "iceberg/type.h"

namespace tarn::iceberg {

using Json = nlohmann::json;
using OrderedJson = nlohmann::ordered_json;

// Parses a document whose nesting is bounded; kCorrupt otherwise, with the offset of the mistake.
Result<Json> parse_json(std::string_view text);
// On one line; bytes that are not UTF-8 are replaced.
std::string dump_json(const OrderedJson& json);

// A member of an object. `find` gives null for a member that is absent or null.
const Json* find_member(const Json& object, const char* name);
Result<const Json*> get_object(const Json& object, const char* name);
Result<const Json*> get_array(const Json& object, const char* name);
Result<std::string> get_string(const Json& object, const char* name);
Result<int64_t> get_long(const Json& object, const char* name);
Result<int> get_int(const Json& object, const char* name);
Result<std::optional<std::string>> find_string(const Json& object, const char* name);
Result<std::optional<int64_t>> find_long(const Json& object, const char* name);
Result<std::optional<int>> find_int(const Json& object, const char* name);

Result<Type> type_from(const Json& json, int depth = 0);
Result<Schema> schema_from(const Json& json);
Result<PartitionField> partition_field_from(const Json& json);
Result<PartitionSpec> spec_from(const Json& json);
Result<SortOrder> sort_order_from(const Json& json);

OrderedJson type_to_json(const Type& type);
OrderedJson schema_to_json(const Schema& schema);
OrderedJson partition_fields_to_json(const PartitionSpec& spec);
OrderedJson spec_to_json(const PartitionSpec& spec);
OrderedJson sort_order_to_json(const SortOrder& order);

}  // namespace tarn::iceberg
