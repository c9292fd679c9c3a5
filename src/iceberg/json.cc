#include "iceberg/json.h"

#include <limits>

#include <fmt/format.h>

namespace tarn::iceberg {
namespace {

// A struct inside a struct costs four levels of JSON, and schemas may be 50 levels deep.
constexpr int kJsonDepthMax = 256;
constexpr int kTypeDepthMax = 50;

// Offset of the bracket that opens one level too many, or nullopt.
std::optional<size_t> too_deep(std::string_view text) {
  int depth = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (in_string) {
      if (c == '\\') {
        ++i;
      } else if (c == '"') {
        in_string = false;
      }
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      if (++depth > kJsonDepthMax) {
        return i;
      }
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return std::nullopt;
}

Error missing(const char* name) {
  return Error{Code::kCorrupt, fmt::format("the member '{}' is missing", name)};
}

Error wrong(const char* name, std::string_view wanted) {
  return Error{Code::kCorrupt, fmt::format("the member '{}' is not {}", name, wanted)};
}

std::optional<int64_t> whole_number(const Json& json) {
  if (json.is_number_unsigned()) {
    auto number = json.get<uint64_t>();
    if (number > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
      return std::nullopt;
    }
    return static_cast<int64_t>(number);
  }
  if (json.is_number_integer()) {
    return json.get<int64_t>();
  }
  return std::nullopt;
}

Result<bool> find_bool(const Json& object, const char* name, bool otherwise) {
  const auto* member = find_member(object, name);
  if (member == nullptr) {
    return otherwise;
  }
  if (!member->is_boolean()) {
    return wrong(name, "true or false");
  }
  return member->get<bool>();
}

Result<Field> field_from(const Json& json, int depth) {
  if (!json.is_object()) {
    return Error{Code::kCorrupt, "a field is not an object"};
  }
  Field field;
  TARN_TRY(field.id, get_int(json, "id"));
  TARN_TRY(field.name, get_string(json, "name"));
  auto at = [&](const Error& error) { return error.at(fmt::format("field '{}'", field.name)); };
  auto required = find_bool(json, "required", false);
  if (!required) {
    return at(required.error());
  }
  field.required = *required;
  const auto* type = find_member(json, "type");
  if (type == nullptr) {
    return at(missing("type"));
  }
  auto parsed = type_from(*type, depth + 1);
  if (!parsed) {
    return at(parsed.error());
  }
  field.type = std::move(*parsed);
  auto doc = find_string(json, "doc");
  if (!doc) {
    return at(doc.error());
  }
  field.doc = std::move(*doc);
  if (const auto* value = find_member(json, "initial-default")) {
    field.initial_default = value->dump(-1, ' ', false, Json::error_handler_t::replace);
  }
  if (const auto* value = find_member(json, "write-default")) {
    field.write_default = value->dump(-1, ' ', false, Json::error_handler_t::replace);
  }
  return field;
}

Result<std::vector<Field>> fields_from(const Json& json, int depth) {
  TARN_TRY(const Json* list, get_array(json, "fields"));
  std::vector<Field> fields;
  fields.reserve(list->size());
  for (const auto& entry : *list) {
    TARN_TRY(auto field, field_from(entry, depth));
    fields.push_back(std::move(field));
  }
  return fields;
}

// The element of a list, or the key or value of a map.
Result<Field> inner_field(const Json& json, const std::string& name, bool is_key, int depth) {
  Field field;
  field.name = name;
  TARN_TRY(field.id, get_int(json, (name + "-id").c_str()));
  if (is_key) {
    field.required = true;
  } else {
    TARN_TRY(field.required, find_bool(json, (name + "-required").c_str(), false));
  }
  const auto* type = find_member(json, name.c_str());
  if (type == nullptr) {
    return missing(name.c_str());
  }
  TARN_TRY(field.type, type_from(*type, depth + 1));
  return field;
}

OrderedJson field_to_json(const Field& field) {
  OrderedJson json;
  json["id"] = field.id;
  json["name"] = field.name;
  json["required"] = field.required;
  json["type"] = type_to_json(field.type);
  if (field.doc) {
    json["doc"] = *field.doc;
  }
  if (field.initial_default) {
    json["initial-default"] = OrderedJson::parse(*field.initial_default, nullptr, false);
  }
  if (field.write_default) {
    json["write-default"] = OrderedJson::parse(*field.write_default, nullptr, false);
  }
  return json;
}

OrderedJson fields_to_json(const std::vector<Field>& fields) {
  auto list = OrderedJson::array();
  for (const auto& field : fields) {
    list.push_back(field_to_json(field));
  }
  return list;
}

}  // namespace

Result<Json> parse_json(std::string_view text) {
  if (auto offset = too_deep(text)) {
    return Error{Code::kCorrupt,
                 fmt::format("the JSON is nested deeper than {} levels at byte {}", kJsonDepthMax, *offset)};
  }
  auto json = Json::parse(text, nullptr, false);
  if (json.is_discarded()) {
    return Error{Code::kCorrupt, fmt::format("the text is not valid JSON ({} bytes)", text.size())};
  }
  return json;
}

std::string dump_json(const OrderedJson& json) {
  return json.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
}

const Json* find_member(const Json& object, const char* name) {
  if (!object.is_object()) {
    return nullptr;
  }
  auto at = object.find(name);
  return at == object.end() || at->is_null() ? nullptr : &*at;
}

Result<const Json*> get_object(const Json& object, const char* name) {
  const auto* member = find_member(object, name);
  if (member == nullptr) {
    return missing(name);
  }
  if (!member->is_object()) {
    return wrong(name, "an object");
  }
  return member;
}

Result<const Json*> get_array(const Json& object, const char* name) {
  const auto* member = find_member(object, name);
  if (member == nullptr) {
    return missing(name);
  }
  if (!member->is_array()) {
    return wrong(name, "an array");
  }
  return member;
}

Result<std::optional<std::string>> find_string(const Json& object, const char* name) {
  const auto* member = find_member(object, name);
  if (member == nullptr) {
    return std::optional<std::string>();
  }
  if (!member->is_string()) {
    return wrong(name, "a string");
  }
  return std::optional<std::string>(member->get<std::string>());
}

Result<std::optional<int64_t>> find_long(const Json& object, const char* name) {
  const auto* member = find_member(object, name);
  if (member == nullptr) {
    return std::optional<int64_t>();
  }
  auto number = whole_number(*member);
  if (!number) {
    return wrong(name, "a whole number of 64 bits");
  }
  return number;
}

Result<std::optional<int>> find_int(const Json& object, const char* name) {
  TARN_TRY(auto number, find_long(object, name));
  if (!number) {
    return std::optional<int>();
  }
  if (*number < std::numeric_limits<int>::min() || *number > std::numeric_limits<int>::max()) {
    return wrong(name, "a whole number of 32 bits");
  }
  return std::optional<int>(static_cast<int>(*number));
}

Result<std::string> get_string(const Json& object, const char* name) {
  TARN_TRY(auto text, find_string(object, name));
  if (!text) {
    return missing(name);
  }
  return std::move(*text);
}

Result<int64_t> get_long(const Json& object, const char* name) {
  TARN_TRY(auto number, find_long(object, name));
  if (!number) {
    return missing(name);
  }
  return *number;
}

Result<int> get_int(const Json& object, const char* name) {
  TARN_TRY(auto number, find_int(object, name));
  if (!number) {
    return missing(name);
  }
  return *number;
}

Result<Type> type_from(const Json& json, int depth) {
  if (depth > kTypeDepthMax) {
    return Error{Code::kCorrupt, fmt::format("the type is nested deeper than {} levels", kTypeDepthMax)};
  }
  if (json.is_string()) {
    return parse_type(json.get_ref<const std::string&>());
  }
  TARN_TRY(auto name, get_string(json, "type"));
  Type type;
  if (name == "struct") {
    type.kind = TypeKind::kStruct;
    TARN_TRY(type.fields, fields_from(json, depth));
  } else if (name == "list") {
    type.kind = TypeKind::kList;
    TARN_TRY(auto element, inner_field(json, "element", false, depth));
    type.fields.push_back(std::move(element));
  } else if (name == "map") {
    type.kind = TypeKind::kMap;
    TARN_TRY(auto key, inner_field(json, "key", true, depth));
    TARN_TRY(auto value, inner_field(json, "value", false, depth));
    type.fields.push_back(std::move(key));
    type.fields.push_back(std::move(value));
  } else {
    return Error{Code::kCorrupt, fmt::format("'{}' is not an Iceberg type", name.substr(0, 80))};
  }
  return type;
}

Result<Schema> schema_from(const Json& json) {
  if (!json.is_object()) {
    return Error{Code::kCorrupt, "a schema is not an object"};
  }
  Schema schema;
  TARN_TRY(auto id, find_int(json, "schema-id"));
  schema.schema_id = id.value_or(0);
  TARN_TRY(schema.fields, fields_from(json, 0));
  if (const auto* ids = find_member(json, "identifier-field-ids")) {
    for (const auto& entry : *ids) {
      auto number = whole_number(entry);
      if (!number || *number < 0 || *number > kMaxFieldId) {
        return wrong("identifier-field-ids", "an array of field ids");
      }
      schema.identifier_field_ids.push_back(static_cast<int>(*number));
    }
  }
  if (auto status = check_schema(schema); !status) {
    return Error{Code::kCorrupt, status.error().message};
  }
  return schema;
}

Result<PartitionField> partition_field_from(const Json& json) {
  PartitionField field;
  TARN_TRY(auto source, find_int(json, "source-id"));
  if (source) {
    field.source_id = *source;
  } else {
    TARN_TRY(const Json* sources, get_array(json, "source-ids"));
    if (sources->size() != 1 || !whole_number(sources->front())) {
      return Error{Code::kUnsupported, "a partition field with several source columns cannot be read yet"};
    }
    field.source_id = static_cast<int>(*whole_number(sources->front()));
  }
  TARN_TRY(auto id, find_int(json, "field-id"));
  field.field_id = id.value_or(0);
  TARN_TRY(field.name, get_string(json, "name"));
  TARN_TRY(auto transform, get_string(json, "transform"));
  TARN_TRY(field.transform, parse_transform(transform));
  return field;
}

Result<PartitionSpec> spec_from(const Json& json) {
  PartitionSpec spec;
  const Json* list = &json;
  if (!json.is_array()) {
    TARN_TRY(auto id, find_int(json, "spec-id"));
    spec.spec_id = id.value_or(0);
    TARN_TRY(list, get_array(json, "fields"));
  }
  for (const auto& entry : *list) {
    TARN_TRY(auto field, partition_field_from(entry));
    if (field.field_id == 0) {
      field.field_id = 1000 + static_cast<int>(spec.fields.size());  // old version 1 writers leave it out
    }
    spec.fields.push_back(std::move(field));
  }
  return spec;
}

Result<SortOrder> sort_order_from(const Json& json) {
  SortOrder order;
  TARN_TRY(order.order_id, get_int(json, "order-id"));
  TARN_TRY(const Json* list, get_array(json, "fields"));
  for (const auto& entry : *list) {
    SortField field;
    TARN_TRY(field.source_id, get_int(entry, "source-id"));
    TARN_TRY(auto transform, get_string(entry, "transform"));
    TARN_TRY(field.transform, parse_transform(transform));
    TARN_TRY(auto direction, get_string(entry, "direction"));
    TARN_TRY(auto nulls, get_string(entry, "null-order"));
    field.descending = direction == "desc";
    field.nulls_first = nulls == "nulls-first";
    order.fields.push_back(std::move(field));
  }
  return order;
}

OrderedJson type_to_json(const Type& type) {
  OrderedJson json;
  switch (type.kind) {
    case TypeKind::kStruct:
      json["type"] = "struct";
      json["fields"] = fields_to_json(type.fields);
      return json;
    case TypeKind::kList:
      json["type"] = "list";
      json["element-id"] = type.fields.at(0).id;
      json["element"] = type_to_json(type.fields.at(0).type);
      json["element-required"] = type.fields.at(0).required;
      return json;
    case TypeKind::kMap:
      json["type"] = "map";
      json["key-id"] = type.fields.at(0).id;
      json["key"] = type_to_json(type.fields.at(0).type);
      json["value-id"] = type.fields.at(1).id;
      json["value"] = type_to_json(type.fields.at(1).type);
      json["value-required"] = type.fields.at(1).required;
      return json;
    default: return to_string(type);
  }
}

OrderedJson schema_to_json(const Schema& schema) {
  OrderedJson json;
  json["type"] = "struct";
  json["schema-id"] = schema.schema_id;
  json["fields"] = fields_to_json(schema.fields);
  if (!schema.identifier_field_ids.empty()) {
    json["identifier-field-ids"] = schema.identifier_field_ids;
  }
  return json;
}

OrderedJson partition_fields_to_json(const PartitionSpec& spec) {
  auto list = OrderedJson::array();
  for (const auto& field : spec.fields) {
    OrderedJson json;
    json["name"] = field.name;
    json["transform"] = to_string(field.transform);
    json["source-id"] = field.source_id;
    json["field-id"] = field.field_id;
    list.push_back(std::move(json));
  }
  return list;
}

OrderedJson spec_to_json(const PartitionSpec& spec) {
  OrderedJson json;
  json["spec-id"] = spec.spec_id;
  json["fields"] = partition_fields_to_json(spec);
  return json;
}

OrderedJson sort_order_to_json(const SortOrder& order) {
  OrderedJson json;
  json["order-id"] = order.order_id;
  auto list = OrderedJson::array();
  for (const auto& field : order.fields) {
    OrderedJson entry;
    entry["transform"] = to_string(field.transform);
    entry["source-id"] = field.source_id;
    entry["direction"] = field.descending ? "desc" : "asc";
    entry["null-order"] = field.nulls_first ? "nulls-first" : "nulls-last";
    list.push_back(std::move(entry));
  }
  json["fields"] = std::move(list);
  return json;
}

std::string to_json(const Schema& schema) {
  return dump_json(schema_to_json(schema));
}

Result<Schema> parse_schema(std::string_view text) {
  TARN_TRY(auto json, parse_json(text));
  return schema_from(json);
}

}  // namespace tarn::iceberg
