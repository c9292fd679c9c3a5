#include "serve/http/given.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

namespace tarn::serve {
namespace {

std::string text_of_value(const Json& value) {
  return value.is_string() ? value.get<std::string>() : dump(value);
}

}  // namespace

Result<report::Given> given_of(const Json& json, std::string_view what) {
  if (!json.is_object())
    return Error{Code::kInvalid, fmt::format("'{}s' must be an object of names and values", what)};
  report::Given given;
  for (const auto& [key, value] : json.items()) {
    if (value.is_object())
      return Error{Code::kInvalid, fmt::format("{} {}: a value or a list of values is wanted", what, key)};
    auto& texts = given[key];
    if (value.is_array()) {
      for (const auto& one : value)
        texts.push_back(text_of_value(one));
    } else if (!value.is_null()) {
      texts.push_back(text_of_value(value));
    }
  }
  return given;
}

Result<int64_t> whole_of(const net::HttpServerRequest& request, const char* name, int64_t otherwise,
                         int64_t max) {
  const auto found = request.query.find(name);
  if (found == request.query.end() || found->second.empty())
    return otherwise;
  const auto& text = found->second;
  int64_t number = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 0 || number > max)
    return Error{Code::kInvalid, fmt::format("{} must be a whole number from 0 to {}", name, max)};
  return number;
}

std::string asked_text(const net::HttpServerRequest& request, const char* name) {
  const auto found = request.query.find(name);
  return found == request.query.end() ? "" : found->second;
}

Result<std::vector<engine::Parameter>> sql_parameters_of(const Json& json) {
  if (!json.is_object())
    return Error{Code::kInvalid, "'parameters' must be an object: names of $name, and values"};
  std::vector<engine::Parameter> all;
  for (const auto& [name, value] : json.items()) {
    engine::Parameter one{.name = name};
    if (value.is_array() &&
        std::all_of(value.begin(), value.end(), [](const auto& item) { return item.is_string(); })) {
      one.list = value.get<std::vector<std::string>>();
    } else if (value.is_string()) {
      one.text = value.get<std::string>();
    } else if (value.is_boolean() || value.is_number()) {
      one.type = value.is_boolean() ? "BOOLEAN" : value.is_number_integer() ? "BIGINT" : "DOUBLE";
      one.text = dump(value);
    } else if (!value.is_null()) {
      return Error{Code::kInvalid,
                   fmt::format("parameter {}: a text, a number, a truth value, null or a list of texts is "
                               "wanted",
                               name)};
    }
    all.push_back(std::move(one));
  }
  return all;
}

Json parameters_json(const std::vector<engine::Parameter>& parameters) {
  auto all = Json::object();
  for (const auto& one : parameters) {
    auto& value = all[one.name];
    if (one.list)
      value = *one.list;
    else if (one.text)
      value = one.type == "VARCHAR" ? Json(*one.text) : Json::parse(*one.text, nullptr, false);
  }
  return all;
}

}  // namespace tarn::serve
