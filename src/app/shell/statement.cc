#include "app/shell/statement.h"

#include <algorithm>
#include <cctype>
#include <string>

namespace tarn::app {
namespace {

// Past the end of the quoted text that starts at `i`, or npos.
size_t skip_quoted(std::string_view text, size_t i) {
  const char quote = text[i];
  while (true) {
    i = text.find(quote, i + 1);
    if (i == std::string_view::npos)
      return i;
    if (i + 1 >= text.size() || text[i + 1] != quote)
      return i + 1;
    ++i;
  }
}

size_t skip_comment(std::string_view text, size_t i) {
  const auto end = text[i] == '-' ? text.find('\n', i) : text.find("*/", i + 2);
  if (end == std::string_view::npos)
    return text[i] == '-' ? text.size() : end;
  return text[i] == '-' ? end + 1 : end + 2;
}

// "$tag$ … $tag$"; `i` + 1 when it is only a dollar sign.
size_t skip_dollars(std::string_view text, size_t i) {
  auto end = i + 1;
  while (end < text.size() && (std::isalnum(static_cast<unsigned char>(text[end])) != 0 || text[end] == '_'))
    ++end;
  if (end >= text.size() || text[end] != '$')
    return i + 1;
  const auto tag = text.substr(i, end + 1 - i);
  const auto close = text.find(tag, end + 1);
  return close == std::string_view::npos ? close : close + tag.size();
}

}  // namespace

std::string placed(std::string_view text, size_t begin, size_t end) {
  std::string result(text.substr(0, end));
  std::replace_if(
      result.begin(), result.begin() + static_cast<int64_t>(begin), [](char c) { return c != '\n'; }, ' ');
  return result;
}

std::string on_one_line(std::string_view text) {
  std::string line;
  size_t i = 0;
  while (i < text.size()) {
    const char c = text[i];
    const char next = i + 1 < text.size() ? text[i + 1] : '\0';
    size_t end = i + 1;
    if (c == '\'' || c == '"') {
      end = skip_quoted(text, i);
    } else if ((c == '-' && next == '-') || (c == '/' && next == '*')) {
      end = skip_comment(text, i);
    } else if (c == '$') {
      end = skip_dollars(text, i);
    } else if (c == '\n') {
      line += ' ';
      i = text.find_first_not_of(" \t\n", i);
      if (i == std::string_view::npos)
        break;
      continue;
    }
    end = std::min(end, text.size());
    const auto part = text.substr(i, end - i);
    if (part.find('\n') != std::string_view::npos)
      return std::string(text);
    line += part;
    i = end;
  }
  return line;
}

bool is_complete(std::string_view text) {
  bool ended = false;
  size_t i = 0;
  while (i < text.size()) {
    const char c = text[i];
    const char next = i + 1 < text.size() ? text[i + 1] : '\0';
    if (c == '\'' || c == '"') {
      i = skip_quoted(text, i);
      ended = false;
    } else if ((c == '-' && next == '-') || (c == '/' && next == '*')) {
      i = skip_comment(text, i);
    } else if (c == '$') {
      i = skip_dollars(text, i);
      ended = false;
    } else {
      if (c == ';') {
        ended = true;
      } else if (std::isspace(static_cast<unsigned char>(c)) == 0) {
        ended = false;
      }
      ++i;
    }
    if (i == std::string_view::npos)
      return false;
  }
  return ended;
}

}  // namespace tarn::app
