#include "flowfile/value.h"

#include <algorithm>
#include <charconv>

#include "codec/json_depth.h"

namespace tarn::flowfile {
namespace {

bool is_whole_type(std::string_view type) {
  static constexpr std::string_view kTypes[] = {"TINYINT",  "SMALLINT",  "INTEGER",  "BIGINT",
                                                "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT"};
  return std::find(std::begin(kTypes), std::end(kTypes), type) != std::end(kTypes);
}

bool is_real_type(std::string_view type) {
  return type == "DOUBLE" || type == "FLOAT" || type.starts_with("DECIMAL") || type == "HUGEINT" ||
         type == "UHUGEINT";
}

// A number of JSON's; anything else, such as "nan" or one that does not fit, stays text.
Json number_json(const std::string& text) {
  auto number = Json::parse(text, nullptr, false);
  return number.is_number() ? number : Json(text);
}

Json cell_json(const std::string& type, const std::string& text) {
  if (is_whole_type(type) || is_real_type(type))
    return number_json(text);
  if (type == "BOOLEAN")
    return text == "true";
  return text;
}

}  // namespace

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json object_of(std::string_view text) {
  if (codec::json_depth(text) > codec::kJsonDepthMax)
    return Json::object();
  auto json = Json::parse(text, nullptr, false);
  return json.is_object() ? json : Json::object();
}

Json row_json(const std::vector<engine::Column>& columns, const engine::TextBatch& batch, size_t row) {
  auto object = Json::object();
  for (size_t i = 0; i < columns.size() && i < batch.columns.size(); ++i) {
    const auto& cells = batch.columns[i];
    object[columns[i].name] = cells.null[row] ? Json() : cell_json(columns[i].type, cells.text[row]);
  }
  return object;
}

const Json* find_path(const Json& json, std::string_view path) {
  const Json* at = &json;
  while (true) {
    const auto dot = path.find('.');
    const std::string part(path.substr(0, dot));
    if (at->is_object()) {
      const auto found = at->find(part);
      if (found == at->end())
        return nullptr;
      at = &*found;
    } else if (at->is_array()) {
      size_t index = 0;
      const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), index);
      if (error != std::errc() || end != part.data() + part.size() || index >= at->size())
        return nullptr;
      at = &(*at)[index];
    } else {
      return nullptr;
    }
    if (dot == std::string_view::npos)
      return at;
    path.remove_prefix(dot + 1);
  }
}

engine::Parameter parameter_of(const Json* value) {
  if (value == nullptr || value->is_null())
    return {.text = std::nullopt, .type = "NULL"};
  if (value->is_boolean())
    return {.text = value->get<bool>() ? "true" : "false", .type = "BOOLEAN"};
  if (value->is_number_float())
    return {.text = dump(*value), .type = "DOUBLE"};
  if (value->is_number_unsigned() && value->get<uint64_t>() > uint64_t{INT64_MAX})
    return {.text = dump(*value), .type = "UBIGINT"};
  if (value->is_number())
    return {.text = dump(*value), .type = "BIGINT"};
  return {.text = text_of(*value), .type = "VARCHAR"};
}

std::string text_of(const Json& value) {
  if (value.is_null())
    return "";
  return value.is_string() ? value.get<std::string>() : dump(value);
}

}  // namespace tarn::flowfile
