#include "iceberg/type.h"

#include <algorithm>
#include <charconv>
#include <set>

#include <fmt/format.h>

namespace tarn::iceberg {
namespace {

constexpr int kDepthMax = 50;

struct TypeName {
  TypeKind kind;
  std::string_view name;
};

constexpr TypeName kNames[] = {
    {TypeKind::kBoolean, "boolean"},
    {TypeKind::kInt, "int"},
    {TypeKind::kLong, "long"},
    {TypeKind::kFloat, "float"},
    {TypeKind::kDouble, "double"},
    {TypeKind::kDate, "date"},
    {TypeKind::kTime, "time"},
    {TypeKind::kTimestamp, "timestamp"},
    {TypeKind::kTimestampTz, "timestamptz"},
    {TypeKind::kTimestampNs, "timestamp_ns"},
    {TypeKind::kTimestampTzNs, "timestamptz_ns"},
    {TypeKind::kString, "string"},
    {TypeKind::kUuid, "uuid"},
    {TypeKind::kBinary, "binary"},
};

const Field* find_in(const std::vector<Field>& fields, int id) {
  for (const auto& field : fields) {
    if (field.id == id) {
      return &field;
    }
    if (const auto* inner = find_in(field.type.fields, id)) {
      return inner;
    }
  }
  return nullptr;
}

int max_id(const std::vector<Field>& fields) {
  int greatest = 0;
  for (const auto& field : fields) {
    greatest = std::max({greatest, field.id, max_id(field.type.fields)});
  }
  return greatest;
}

std::string_view strip(std::string_view text) {
  while (!text.empty() && text.front() == ' ') {
    text.remove_prefix(1);
  }
  while (!text.empty() && text.back() == ' ') {
    text.remove_suffix(1);
  }
  return text;
}

std::optional<int> parse_number(std::string_view text) {
  text = strip(text);
  int number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) {
    return std::nullopt;
  }
  return number;
}

Error wrong_type(std::string_view text) {
  return Error{Code::kCorrupt, fmt::format("'{}' is not an Iceberg type", text.substr(0, 80))};
}

Result<Type> parse_decimal(std::string_view text) {
  auto inside = text.substr(8, text.size() - 9);
  auto comma = inside.find(',');
  if (comma == std::string_view::npos) {
    return wrong_type(text);
  }
  auto precision = parse_number(inside.substr(0, comma));
  auto scale = parse_number(inside.substr(comma + 1));
  if (!precision || !scale || *precision < 1 || *precision > 38 || *scale < 0 || *scale > *precision) {
    return wrong_type(text);
  }
  return Type{.kind = TypeKind::kDecimal, .precision = *precision, .scale = *scale, .fields = {}};
}

Status check_fields(const std::vector<Field>& fields, int depth, std::set<int>& ids,
                    const std::string& where) {
  if (depth > kDepthMax) {
    return Error{Code::kInvalid, fmt::format("'{}' is nested deeper than {} levels", where, kDepthMax)};
  }
  std::set<std::string_view> names;
  for (const auto& field : fields) {
    std::string path = where.empty() ? field.name : where + "." + field.name;
    if (field.name.empty()) {
      return Error{Code::kInvalid, fmt::format("the field with id {} has no name", field.id)};
    }
    if (field.id < 0 || field.id > kMaxFieldId) {  // Spark counts from 0 in what it asks for
      return Error{Code::kInvalid,
                   fmt::format("field '{}' has the id {}, which is not allowed", path, field.id)};
    }
    if (!ids.insert(field.id).second) {
      return Error{Code::kInvalid, fmt::format("field '{}' has the id {} of another field", path, field.id)};
    }
    if (!names.insert(field.name).second) {
      return Error{Code::kInvalid, fmt::format("there are two fields of the name '{}'", path)};
    }
    TARN_CHECK(check_fields(field.type.fields, depth + 1, ids, path));
  }
  return ok();
}

}  // namespace

bool Type::operator==(const Type& other) const {
  return kind == other.kind && precision == other.precision && scale == other.scale &&
         length == other.length && fields == other.fields;
}

const Field* Schema::find(int field_id) const {
  return find_in(fields, field_id);
}

const Field* Schema::find(const std::string& name) const {
  auto at =
      std::find_if(fields.begin(), fields.end(), [&](const Field& field) { return field.name == name; });
  return at == fields.end() ? nullptr : &*at;
}

int Schema::max_field_id() const {
  return max_id(fields);
}

bool same_fields(const Schema& a, const Schema& b) {
  return a.fields == b.fields && a.identifier_field_ids == b.identifier_field_ids;
}

std::string to_string(const Type& type) {
  switch (type.kind) {
    case TypeKind::kDecimal: return fmt::format("decimal({}, {})", type.precision, type.scale);
    case TypeKind::kFixed: return fmt::format("fixed[{}]", type.length);
    case TypeKind::kList: return fmt::format("list<{}>", to_string(type.fields.at(0).type));
    case TypeKind::kMap:
      return fmt::format("map<{}, {}>", to_string(type.fields.at(0).type), to_string(type.fields.at(1).type));
    case TypeKind::kStruct: {
      std::string text = "struct<";
      for (const auto& field : type.fields) {
        text += fmt::format("{}{}: {}", text.size() == 7 ? "" : ", ", field.name, to_string(field.type));
      }
      return text + ">";
    }
    default: break;
  }
  for (const auto& entry : kNames) {
    if (entry.kind == type.kind) {
      return std::string(entry.name);
    }
  }
  return "unknown";
}

Result<Type> parse_type(std::string_view text) {
  for (const auto& entry : kNames) {
    if (entry.name == text) {
      return Type{.kind = entry.kind, .fields = {}};
    }
  }
  if (text.starts_with("decimal(") && text.ends_with(")")) {
    return parse_decimal(text);
  }
  if (text.starts_with("fixed[") && text.ends_with("]")) {
    auto length = parse_number(text.substr(6, text.size() - 7));
    if (!length || *length < 0) {
      return wrong_type(text);
    }
    return Type{.kind = TypeKind::kFixed, .length = *length, .fields = {}};
  }
  if (text == "variant" || text == "unknown" || text.starts_with("geo")) {
    return Error{Code::kUnsupported,
                 fmt::format("the type '{}' belongs to Iceberg format version 3, "
                             "which Tarn cannot read yet: drop the column with the program that made it",
                             text.substr(0, 80))};
  }
  return wrong_type(text);
}

bool can_promote(const Type& from, const Type& to) {
  if (from == to) {
    return true;
  }
  if (from.kind == TypeKind::kInt && to.kind == TypeKind::kLong) {
    return true;
  }
  if (from.kind == TypeKind::kFloat && to.kind == TypeKind::kDouble) {
    return true;
  }
  return from.kind == TypeKind::kDecimal && to.kind == TypeKind::kDecimal && from.scale == to.scale &&
         to.precision >= from.precision;
}

Status check_schema(const Schema& schema) {
  std::set<int> ids;
  TARN_CHECK(check_fields(schema.fields, 1, ids, ""));
  for (int id : schema.identifier_field_ids) {
    const auto* field = schema.find(id);
    if (field == nullptr) {
      return Error{Code::kInvalid, fmt::format("the identifier field {} is not in the schema", id)};
    }
    bool inexact = field->type.kind == TypeKind::kFloat || field->type.kind == TypeKind::kDouble;
    if (field->type.is_nested() || inexact || !field->required) {
      return Error{Code::kInvalid, fmt::format("'{}' cannot be an identifier field: it must be required and "
                                               "neither nested nor a floating-point number",
                                               field->name)};
    }
  }
  return ok();
}

void assign_field_ids(std::vector<Field>& fields, int& last_id) {
  for (auto& field : fields) {
    field.id = ++last_id;
  }
  for (auto& field : fields) {
    assign_field_ids(field.type.fields, last_id);
  }
}

}  // namespace tarn::iceberg
