#include "session/session.h"

namespace tarn::session {
namespace {

std::string quote(std::string_view text, char mark) {
  std::string result(1, mark);
  for (char c : text) {
    result.append(c == mark ? 2 : 1, c);
  }
  return result + mark;
}

}  // namespace

std::string quote_literal(std::string_view text) {
  return quote(text, '\'');
}

std::string quote_identifier(std::string_view name) {
  return quote(name, '"');
}

std::string quote_name(const engine::TableName& name) {
  return quote_identifier(name.schema) + "." + quote_identifier(name.name);
}

}  // namespace tarn::session
