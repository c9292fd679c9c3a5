#include "engine/lake_catalog.h"

#include <clocale>
#include <cwctype>

namespace tarn::engine {
namespace {

// glibc's built-in table of Unicode, whatever the user's locale is. Lives for the whole process.
locale_t unicode() {
  static locale_t locale = ::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  return locale;
}

// The code point at the front, and its length; a byte that is no UTF-8 stands for itself.
std::pair<char32_t, size_t> decode(std::string_view text) {
  auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  size_t length = byte(0) >= 0xF0 ? 4 : byte(0) >= 0xE0 ? 3 : byte(0) >= 0xC0 ? 2 : 1;
  if (length == 1 || length > text.size()) {
    return {byte(0), 1};
  }
  char32_t point = byte(0) & (0xFFU >> (length + 1));
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) {
      return {byte(0), 1};
    }
    point = (point << 6U) | (byte(i) & 0x3FU);
  }
  return {point, length};
}

void encode(char32_t point, std::string& text) {
  auto add = [&](char32_t bits) { text += static_cast<char>(bits); };
  if (point < 0x800) {
    add(0xC0U | (point >> 6U));
  } else if (point < 0x10000) {
    add(0xE0U | (point >> 12U));
    add(0x80U | ((point >> 6U) & 0x3FU));
  } else {
    add(0xF0U | (point >> 18U));
    add(0x80U | ((point >> 12U) & 0x3FU));
    add(0x80U | ((point >> 6U) & 0x3FU));
  }
  add(0x80U | (point & 0x3FU));
}

}  // namespace

std::string fold(std::string_view name) {
  std::string folded;
  folded.reserve(name.size());
  while (!name.empty()) {
    auto [point, length] = decode(name);
    if (length == 1) {
      bool upper = point >= 'A' && point <= 'Z';
      folded += static_cast<char>(upper ? point - 'A' + 'a' : point);
    } else {
      char32_t lower = unicode() == nullptr ? point : static_cast<char32_t>(::towlower_l(point, unicode()));
      if (lower < 0x80) {
        folded += static_cast<char>(lower);
      } else {
        encode(lower, folded);
      }
    }
    name.remove_prefix(length);
  }
  return folded;
}

}  // namespace tarn::engine
