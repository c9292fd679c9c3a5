#include "app/show/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cwchar>

#include <fmt/format.h>

namespace tarn::app {
namespace {

// Takes one code point from the front; bytes that are not UTF-8 count as one replacement character each.
char32_t take_code_point(std::string_view& text) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  size_t length = 1;
  char32_t point = byte(0);
  if (byte(0) >= 0xf0 && byte(0) < 0xf8) {
    length = 4;
    point = byte(0) & 0x07U;
  } else if (byte(0) >= 0xe0 && byte(0) < 0xf0) {
    length = 3;
    point = byte(0) & 0x0fU;
  } else if (byte(0) >= 0xc0 && byte(0) < 0xe0) {
    length = 2;
    point = byte(0) & 0x1fU;
  } else if (byte(0) >= 0x80) {
    text.remove_prefix(1);
    return 0xfffd;
  }
  for (size_t i = 1; i < length; ++i) {
    if (i >= text.size() || (byte(i) & 0xc0U) != 0x80) {
      text.remove_prefix(1);
      return 0xfffd;
    }
    point = (point << 6U) | (byte(i) & 0x3fU);
  }
  text.remove_prefix(length);
  return point;
}

int width_of(char32_t point) {
  if (point < 0x7f)
    return point < 0x20 ? 0 : 1;
  const int width = ::wcwidth(static_cast<wchar_t>(point));
  return width < 0 ? 1 : width;
}

}  // namespace

bool is_terminal(int fd) {
  return ::isatty(fd) == 1;
}

bool is_smart_terminal(int fd) {
  const char* term = std::getenv("TERM");
  return is_terminal(fd) && term != nullptr && *term != '\0' && std::string_view(term) != "dumb";
}

int terminal_width(int fd) {
  winsize size{};
  if (!is_terminal(fd) || ::ioctl(fd, TIOCGWINSZ, &size) != 0)
    return 0;
  return size.ws_col;
}

int display_width(std::string_view text) {
  int width = 0;
  while (!text.empty())
    width += width_of(take_code_point(text));
  return width;
}

std::string cut_to_width(std::string_view text, int cells) {
  if (display_width(text) <= cells)
    return std::string(text);
  if (cells < 1)
    return "";
  auto rest = text;
  int width = 0;
  while (!rest.empty()) {
    auto next = rest;
    const int step = width_of(take_code_point(next));
    if (width + step > cells - 1)
      break;
    width += step;
    rest = next;
  }
  return std::string(text.substr(0, text.size() - rest.size())) + "…";
}

std::string one_line(std::string_view text) {
  std::string line;
  line.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    // U+0080 to U+009F: controls too, the start of an escape sequence among them.
    if (c == '\xc2' && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1] ^ 0x80) < 0x20) {
      line += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[++i]));
      continue;
    }
    switch (c) {
      case '\n': line += "\\n"; break;
      case '\t': line += "\\t"; break;
      case '\r': line += "\\r"; break;
      default:
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
          line += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
        } else {
          line += c;
        }
    }
  }
  return line;
}

std::string Colors::paint(std::string_view code, std::string_view text) const {
  return on ? fmt::format("\033[{}m{}\033[0m", code, text) : std::string(text);
}

}  // namespace tarn::app
