#include "codec/scalar_place.h"

#include <algorithm>
#include <cctype>

namespace tarn::codec {
namespace {

bool is_blank(char c) {
  return std::isspace(static_cast<unsigned char>(c)) != 0;
}

size_t count_shown(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) { return !is_blank(c); }));
}

size_t offset_of(std::string_view text, const Place& place) {
  size_t at = 0;
  for (int line = 1; line < place.line && at < text.size(); ++line) {
    at = std::min(text.find('\n', at), text.size() - 1) + 1;
  }
  return std::min(at + static_cast<size_t>(std::max(place.column, 1)) - 1, text.size());
}

// Goes over one letter as the file writes it. True: it is a letter of the text; false: a blank.
bool skip_letter(std::string_view text, char quote, size_t& at) {
  bool pair = at + 1 < text.size() &&
              ((quote == '"' && text[at] == '\\') || (quote == '\'' && text.substr(at, 2) == "''"));
  if (!pair) {
    return !is_blank(text[at++]);
  }
  char second = text[at + 1];
  at += 2;
  return quote == '\'' || !(is_blank(second) || second == 'n' || second == 't' || second == 'r');
}

}  // namespace

bool is_closed(std::string_view file_text, const Place& scalar) {
  size_t at = offset_of(file_text, scalar);
  char quote = at < file_text.size() ? file_text[at] : ' ';
  if (quote != '"' && quote != '\'') {
    return true;  // an anchor or a tag stands in front
  }
  ++at;
  while (at < file_text.size()) {
    if (file_text[at] == quote && !(quote == '\'' && file_text.substr(at, 2) == "''")) {
      return true;
    }
    skip_letter(file_text, quote, at);
  }
  return false;
}

Place place_inside(std::string_view file_text, const Place& scalar, std::string_view text, size_t offset) {
  offset = std::min(offset, text.size());
  size_t at = offset_of(file_text, scalar);
  if (scalar.line == 0 || at >= file_text.size()) {
    return scalar;
  }
  char style = file_text[at];
  if (style == '|' || style == '>') {
    at = std::min(file_text.find('\n', at), file_text.size());
  } else if (style == '"' || style == '\'') {
    ++at;
  }
  // YAML changes blanks only, so the letters count the way.
  size_t left = count_shown(text.substr(0, offset));
  while (left > 0 && at < file_text.size()) {
    left -= skip_letter(file_text, style, at) ? 1 : 0;
  }
  bool ends = count_shown(text.substr(offset)) == 0;
  for (size_t next = at; !ends && next < file_text.size() && !skip_letter(file_text, style, next);) {
    at = next;
  }
  auto before = file_text.substr(0, at);
  size_t line_begin = before.rfind('\n') + 1;  // npos + 1 is 0
  return {scalar.file, static_cast<int>(std::count(before.begin(), before.end(), '\n')) + 1,
          static_cast<int>(at - line_begin) + 1};
}

}  // namespace tarn::codec
