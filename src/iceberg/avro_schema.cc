#include "iceberg/avro_schema.h"

#include <map>

#include <fmt/format.h>

#include "iceberg/json.h"

namespace tarn::iceberg {
namespace {

constexpr int kDepthMax = 64;
constexpr int64_t kFixedSizeMax = 1 << 20;

struct KindName {
  std::string_view name;
  AvroKind kind;
};

constexpr KindName kPrimitives[] = {
    {"null", AvroKind::kNull},   {"boolean", AvroKind::kBoolean}, {"int", AvroKind::kInt},
    {"long", AvroKind::kLong},   {"float", AvroKind::kFloat},     {"double", AvroKind::kDouble},
    {"bytes", AvroKind::kBytes}, {"string", AvroKind::kString},
};

class Parser {
 public:
  Result<int> parse(const Json& json, int depth) {
    if (depth > kDepthMax) {
      return Error{Code::kCorrupt, fmt::format("the Avro schema is nested deeper than {} levels", kDepthMax)};
    }
    if (json.is_string()) {
      return parse_name(json.get_ref<const std::string&>(), "");
    }
    if (json.is_array()) {
      AvroType type{.kind = AvroKind::kUnion, .logical = {}, .fields = {}, .parts = {}};
      for (const auto& branch : json) {
        TARN_TRY(int index, parse(branch, depth + 1));
        type.parts.push_back(index);
      }
      return add(std::move(type));
    }
    const auto* name = find_member(json, "type");
    if (name == nullptr) {
      return Error{Code::kCorrupt, "a type of the Avro schema has no 'type'"};
    }
    if (!name->is_string()) {
      return parse(*name, depth + 1);
    }
    return parse_object(json, name->get<std::string>(), depth);
  }

  AvroSchema schema;

 private:
  int add(AvroType type) {
    schema.types.push_back(std::move(type));
    return static_cast<int>(schema.types.size()) - 1;
  }

  // The index that a named type will have, known before its inside is read.
  int reserve(const Json& json, AvroKind kind) {
    int index = add({.kind = kind, .logical = {}, .fields = {}, .parts = {}});
    const auto* name = find_member(json, "name");
    if (name != nullptr && name->is_string()) {
      const auto& text = name->get_ref<const std::string&>();
      named_[text] = index;
      const auto* space = find_member(json, "namespace");
      if (space != nullptr && space->is_string()) {
        named_[space->get<std::string>() + "." + text] = index;
      }
    }
    return index;
  }

  Result<int> parse_name(const std::string& name, const std::string& logical) {
    for (const auto& entry : kPrimitives) {
      if (entry.name == name) {
        return add({.kind = entry.kind, .logical = logical, .fields = {}, .parts = {}});
      }
    }
    auto at = named_.find(name);
    if (at == named_.end()) {
      return Error{Code::kCorrupt,
                   fmt::format("the Avro schema names the unknown type '{}'", name.substr(0, 80))};
    }
    return at->second;
  }

  Result<int> parse_object(const Json& json, const std::string& name, int depth) {
    TARN_TRY(auto logical, find_string(json, "logicalType"));
    if (name == "record") {
      return parse_record(json, depth);
    }
    if (name == "array" || name == "map") {
      const auto* part = find_member(json, name == "array" ? "items" : "values");
      if (part == nullptr) {
        return Error{Code::kCorrupt, fmt::format("an {} of the Avro schema does not say of what", name)};
      }
      TARN_TRY(int index, parse(*part, depth + 1));
      return add({.kind = name == "array" ? AvroKind::kArray : AvroKind::kMap,
                  .logical = logical.value_or(""),
                  .fields = {},
                  .parts = {index}});
    }
    if (name == "fixed") {
      TARN_TRY(auto size, get_long(json, "size"));
      if (size < 0 || size > kFixedSizeMax) {
        return Error{Code::kCorrupt, fmt::format("a fixed type of the Avro schema has the size {}", size)};
      }
      int index = reserve(json, AvroKind::kFixed);
      schema.types[static_cast<size_t>(index)].size = static_cast<size_t>(size);
      schema.types[static_cast<size_t>(index)].logical = logical.value_or("");
      return index;
    }
    if (name == "enum") {
      return reserve(json, AvroKind::kEnum);
    }
    return parse_name(name, logical.value_or(""));
  }

  Result<int> parse_record(const Json& json, int depth) {
    int index = reserve(json, AvroKind::kRecord);
    TARN_TRY(const Json* list, get_array(json, "fields"));
    std::vector<AvroField> fields;
    for (const auto& entry : *list) {
      AvroField field;
      TARN_TRY(field.name, get_string(entry, "name"));
      TARN_TRY(auto id, find_int(entry, "field-id"));
      field.id = id.value_or(-1);
      const auto* type = find_member(entry, "type");
      if (type == nullptr) {
        return Error{Code::kCorrupt, fmt::format("the Avro field '{}' has no type", field.name)};
      }
      TARN_TRY(field.type, parse(*type, depth + 1));
      fields.push_back(std::move(field));
    }
    schema.types[static_cast<size_t>(index)].fields = std::move(fields);
    return index;
  }

  std::map<std::string, int> named_;
};

}  // namespace

Result<AvroSchema> parse_avro_schema(std::string_view text) {
  TARN_TRY(auto json, parse_json(text));
  Parser parser;
  TARN_TRY(int root, parser.parse(json, 0));
  parser.schema.root = root;
  return std::move(parser.schema);
}

}  // namespace tarn::iceberg
