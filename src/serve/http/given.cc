#include "serve/http/given.h"

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

}  // namespace tarn::serve
