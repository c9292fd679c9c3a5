#include "source/sql_text.h"

#include <algorithm>
#include <array>

#include "session/session.h"

namespace tarn::source {
namespace {

std::string join(const std::vector<std::string>& parts) {
  std::string out;
  for (const auto& part : parts) {
    out += out.empty() ? part : ", " + part;
  }
  return out;
}

}  // namespace

std::string literal_list(const std::vector<std::string>& texts) {
  std::vector<std::string> parts;
  for (const auto& text : texts) {
    parts.push_back(session::quote_literal(text));
  }
  return "[" + join(parts) + "]";
}

std::string literal_struct(const std::vector<std::pair<std::string, std::string>>& members) {
  std::vector<std::string> parts;
  for (const auto& [name, value] : members) {
    parts.push_back(session::quote_literal(name) + ": " + session::quote_literal(value));
  }
  return "{" + join(parts) + "}";
}

std::string identifiers(const std::vector<std::string>& names) {
  std::vector<std::string> parts;
  for (const auto& name : names) {
    parts.push_back(session::quote_identifier(name));
  }
  return join(parts);
}

bool is_integer_type(std::string_view type) {
  static constexpr std::array<std::string_view, 10> kTypes = {"TINYINT", "SMALLINT", "INTEGER",   "BIGINT",
                                                              "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER",
                                                              "UBIGINT", "UHUGEINT"};
  return std::find(kTypes.begin(), kTypes.end(), type) != kTypes.end();
}

bool is_plain_type(std::string_view type) {
  static constexpr std::array<std::string_view, 9> kTypes = {
      "VARCHAR", "DOUBLE", "FLOAT", "BOOLEAN", "DATE", "TIME", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE",
      "UUID"};
  return std::find(kTypes.begin(), kTypes.end(), type) != kTypes.end() || type.starts_with("DECIMAL");
}

std::string stream_type_of_integers() {
  return "DOUBLE";
}

}  // namespace tarn::source
