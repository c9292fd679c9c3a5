#include "iceberg/name_mapping.h"

#include <algorithm>

#include <fmt/format.h>

#include "iceberg/json.h"

namespace tarn::iceberg {
namespace {

constexpr int kDepthMax = 64;

Error wrong(const std::string& what) {
  return Error{Code::kCorrupt, fmt::format("schema.name-mapping.default: {}", what)};
}

Result<NameMapping> fields_from(const Json& json, int depth) {
  if (!json.is_array()) {
    return wrong("a list of fields is expected");
  }
  if (depth > kDepthMax) {
    return wrong("it is nested too deeply");
  }
  NameMapping fields;
  for (const auto& entry : json) {
    if (!entry.is_object()) {
      return wrong("a field is not an object");
    }
    MappedField field;
    TARN_TRY(field.field_id, find_int(entry, "field-id"));
    if (const auto* names = find_member(entry, "names")) {
      for (const auto& name : *names) {
        if (!name.is_string()) {
          return wrong("'names' are not strings");
        }
        field.names.push_back(name.get<std::string>());
      }
    }
    if (const auto* inner = find_member(entry, "fields")) {
      TARN_TRY(field.fields, fields_from(*inner, depth + 1));
    }
    fields.push_back(std::move(field));
  }
  return fields;
}

}  // namespace

Result<NameMapping> parse_name_mapping(std::string_view text) {
  auto json = parse_json(text);
  if (!json) {
    return wrong(json.error().message);
  }
  return fields_from(*json, 0);
}

const MappedField* find_mapped(const NameMapping& fields, const std::string& name) {
  const auto found = std::find_if(fields.begin(), fields.end(), [&](const MappedField& field) {
    return std::find(field.names.begin(), field.names.end(), name) != field.names.end();
  });
  return found == fields.end() ? nullptr : &*found;
}

}  // namespace tarn::iceberg
