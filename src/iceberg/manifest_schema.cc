#include "iceberg/manifest_schema.h"

#include <set>

#include <fmt/format.h>

#include "iceberg/json.h"

namespace tarn::iceberg {
namespace {

OrderedJson field(const char* name, int id, OrderedJson type) {
  return {{"name", name}, {"type", std::move(type)}, {"field-id", id}};
}

OrderedJson optional(const std::string& name, int id, OrderedJson type) {
  OrderedJson json;
  json["name"] = name;
  json["type"] = OrderedJson::array({"null", std::move(type)});
  json["default"] = nullptr;
  json["field-id"] = id;
  return json;
}

OrderedJson record(const char* name, OrderedJson fields) {
  return {{"type", "record"}, {"name", name}, {"fields", std::move(fields)}};
}

OrderedJson list(int element_id, OrderedJson items) {
  return {{"type", "array"}, {"items", std::move(items)}, {"element-id", element_id}};
}

// A map with integer keys: an array of key and value.
OrderedJson int_map(int key_id, int value_id, const char* value_type) {
  auto name = fmt::format("k{}_v{}", key_id, value_id);
  auto fields = OrderedJson::array({field("key", key_id, "int"), field("value", value_id, value_type)});
  return {{"type", "array"}, {"items", record(name.c_str(), std::move(fields))}, {"logicalType", "map"}};
}

OrderedJson logical(const char* type, const char* name) {
  return {{"type", type}, {"logicalType", name}};
}

OrderedJson timestamp(const char* unit, bool adjusted) {
  return {{"type", "long"}, {"logicalType", unit}, {"adjust-to-utc", adjusted}};
}

// A name may be given only once in a schema. A second type of that name gets another one: readers (pyiceberg
// 0.12) know no type that is just named.
OrderedJson named(OrderedJson type, std::set<std::string>& seen) {
  auto name = type["name"].get<std::string>();
  auto own = name;
  for (int i = 2; !seen.insert(own).second; ++i) {
    own = fmt::format("{}_{}", name, i);
  }
  type["name"] = own;
  return type;
}

OrderedJson fixed(const std::string& name, size_t size) {
  return {{"type", "fixed"}, {"name", name}, {"size", size}};
}

OrderedJson avro_type(const Type& type, std::set<std::string>& seen) {
  switch (type.kind) {
    case TypeKind::kBoolean: return "boolean";
    case TypeKind::kInt: return "int";
    case TypeKind::kLong: return "long";
    case TypeKind::kFloat: return "float";
    case TypeKind::kDouble: return "double";
    case TypeKind::kDate: return logical("int", "date");
    case TypeKind::kTime: return logical("long", "time-micros");
    case TypeKind::kTimestamp: return timestamp("timestamp-micros", false);
    case TypeKind::kTimestampTz: return timestamp("timestamp-micros", true);
    case TypeKind::kTimestampNs: return timestamp("timestamp-nanos", false);
    case TypeKind::kTimestampTzNs: return timestamp("timestamp-nanos", true);
    case TypeKind::kString: return "string";
    case TypeKind::kBinary: return "bytes";
    case TypeKind::kFixed:
      return named(fixed(fmt::format("fixed_{}", type.length), static_cast<size_t>(type.length)), seen);
    case TypeKind::kUuid: {
      auto json = fixed("uuid_fixed", 16);
      json["logicalType"] = "uuid";
      return named(std::move(json), seen);
    }
    case TypeKind::kDecimal: {
      auto json =
          fixed(fmt::format("decimal_{}_{}", type.precision, type.scale), decimal_size(type.precision));
      json["logicalType"] = "decimal";
      json["precision"] = type.precision;
      json["scale"] = type.scale;
      return named(std::move(json), seen);
    }
    case TypeKind::kStruct:
    case TypeKind::kList:
    case TypeKind::kMap: break;
  }
  return "string";  // no partition value is nested
}

// Avro names are letters, digits and underscores; anything else is spelled as its code, as Java does.
std::string avro_name(const std::string& name) {
  std::string result;
  for (char c : name) {
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    bool digit = c >= '0' && c <= '9';
    if (letter || (digit && !result.empty())) {
      result.push_back(c);
    } else if (digit) {
      result += fmt::format("_{}", c);
    } else {
      result += fmt::format("_x{:X}", static_cast<unsigned char>(c));
    }
  }
  return result;
}

OrderedJson partition_record(const PartitionSpec& spec, const std::vector<Type>& types) {
  auto fields = OrderedJson::array();
  std::set<std::string> seen;
  for (size_t i = 0; i < spec.fields.size(); ++i) {
    const auto& partition = spec.fields[i];
    auto name = avro_name(partition.name);
    auto json = optional(name, partition.field_id, avro_type(types.at(i), seen));
    if (name != partition.name) {
      json["iceberg-field-name"] = partition.name;
    }
    fields.push_back(std::move(json));
  }
  return record("r102", std::move(fields));
}

OrderedJson data_file_fields(const PartitionSpec& spec, const std::vector<Type>& types) {
  auto fields = OrderedJson::array();
  fields.push_back(field("content", 134, "int"));
  fields.push_back(field("file_path", 100, "string"));
  fields.push_back(field("file_format", 101, "string"));
  fields.push_back(field("partition", 102, partition_record(spec, types)));
  fields.push_back(field("record_count", 103, "long"));
  fields.push_back(field("file_size_in_bytes", 104, "long"));
  fields.push_back(optional("column_sizes", 108, int_map(117, 118, "long")));
  fields.push_back(optional("value_counts", 109, int_map(119, 120, "long")));
  fields.push_back(optional("null_value_counts", 110, int_map(121, 122, "long")));
  fields.push_back(optional("nan_value_counts", 137, int_map(138, 139, "long")));
  fields.push_back(optional("lower_bounds", 125, int_map(126, 127, "bytes")));
  fields.push_back(optional("upper_bounds", 128, int_map(129, 130, "bytes")));
  fields.push_back(optional("key_metadata", 131, "bytes"));
  fields.push_back(optional("split_offsets", 132, list(133, "long")));
  fields.push_back(optional("equality_ids", 135, list(136, "int")));
  fields.push_back(optional("sort_order_id", 140, "int"));
  fields.push_back(optional("referenced_data_file", 143, "string"));
  return fields;
}

}  // namespace

size_t decimal_size(int precision) {
  // Least bytes whose signed range holds 10^precision - 1.
  unsigned __int128 greatest = 1;
  for (int i = 0; i < precision; ++i) {
    greatest *= 10;
  }
  size_t bytes = 1;
  while (bytes < 16 && ((static_cast<unsigned __int128>(1) << (bytes * 8 - 1)) < greatest)) {
    ++bytes;
  }
  return bytes;
}

std::string manifest_entry_schema(const PartitionSpec& spec, const std::vector<Type>& types) {
  auto fields = OrderedJson::array();
  fields.push_back(field("status", 0, "int"));
  fields.push_back(optional("snapshot_id", 1, "long"));
  fields.push_back(optional("sequence_number", 3, "long"));
  fields.push_back(optional("file_sequence_number", 4, "long"));
  fields.push_back(field("data_file", 2, record("r2", data_file_fields(spec, types))));
  return dump_json(record("manifest_entry", std::move(fields)));
}

std::string manifest_file_schema() {
  auto summary = OrderedJson::array();
  summary.push_back(field("contains_null", 509, "boolean"));
  summary.push_back(optional("contains_nan", 518, "boolean"));
  summary.push_back(optional("lower_bound", 510, "bytes"));
  summary.push_back(optional("upper_bound", 511, "bytes"));
  auto fields = OrderedJson::array();
  fields.push_back(field("manifest_path", 500, "string"));
  fields.push_back(field("manifest_length", 501, "long"));
  fields.push_back(field("partition_spec_id", 502, "int"));
  fields.push_back(field("content", 517, "int"));
  fields.push_back(field("sequence_number", 515, "long"));
  fields.push_back(field("min_sequence_number", 516, "long"));
  fields.push_back(field("added_snapshot_id", 503, "long"));
  fields.push_back(field("added_files_count", 504, "int"));
  fields.push_back(field("existing_files_count", 505, "int"));
  fields.push_back(field("deleted_files_count", 506, "int"));
  fields.push_back(field("added_rows_count", 512, "long"));
  fields.push_back(field("existing_rows_count", 513, "long"));
  fields.push_back(field("deleted_rows_count", 514, "long"));
  fields.push_back(optional("partitions", 507, list(508, record("r508", std::move(summary)))));
  fields.push_back(optional("key_metadata", 519, "bytes"));
  return dump_json(record("manifest_file", std::move(fields)));
}

}  // namespace tarn::iceberg
