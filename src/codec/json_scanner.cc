#include "codec/json_scanner.h"

#include <cstdint>
#include <cstring>

namespace tarn::codec {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_space(char c) {
  return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

// Whether any of eight bytes is a quote, a backslash, below 0x20 or above 0x7F.
bool is_special(uint64_t bytes) {
  constexpr uint64_t kOnes = 0x0101010101010101ULL;
  constexpr uint64_t kHighs = 0x8080808080808080ULL;
  const uint64_t quote = bytes ^ (kOnes * '"');
  const uint64_t slash = bytes ^ (kOnes * '\\');
  return (((quote - kOnes) & ~quote) | ((slash - kOnes) & ~slash) | (bytes - kOnes * 0x20) | bytes) & kHighs;
}

int hex_digit(char c) {
  if (is_digit(c)) {
    return c - '0';
  }
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

void append_utf8(std::string& out, uint32_t code) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xC0 | (code >> 6));
    out += static_cast<char>(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    out += static_cast<char>(0xE0 | (code >> 12));
    out += static_cast<char>(0x80 | ((code >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (code & 0x3F));
  } else {
    out += static_cast<char>(0xF0 | (code >> 18));
    out += static_cast<char>(0x80 | ((code >> 12) & 0x3F));
    out += static_cast<char>(0x80 | ((code >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (code & 0x3F));
  }
}

// Four hex digits; -1: they are not.
int32_t read_unit(const char*& at, const char* end) {
  if (end - at < 4) {
    return -1;
  }
  int32_t unit = 0;
  for (int i = 0; i < 4; ++i) {
    const int digit = hex_digit(*at++);
    if (digit < 0) {
      return -1;
    }
    unit = unit * 16 + digit;
  }
  return unit;
}

// The code point after "\u"; -1: broken, a lone surrogate included.
int32_t read_code(const char*& at, const char* end) {
  const int32_t high = read_unit(at, end);
  if (high < 0xD800 || high > 0xDFFF) {
    return high;
  }
  if (high > 0xDBFF || end - at < 2 || at[0] != '\\' || at[1] != 'u') {
    return -1;
  }
  at += 2;
  const int32_t low = read_unit(at, end);
  return low >= 0xDC00 && low <= 0xDFFF ? 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00) : -1;
}

char escaped_byte(char c) {
  switch (c) {
    case '"':
    case '\\':
    case '/': return c;
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    default: return 0;
  }
}

}  // namespace

void JsonScanner::skip_space() {
  while (at_ < end_ && is_space(*at_)) {
    ++at_;
  }
}

JsonKind JsonScanner::next_kind() {
  skip_space();
  if (at_ == end_) {
    return JsonKind::kBroken;
  }
  switch (*at_) {
    case '{': return JsonKind::kObject;
    case '[': return JsonKind::kArray;
    case '"': return JsonKind::kString;
    case 't': return JsonKind::kTrue;
    case 'f': return JsonKind::kFalse;
    case 'n': return JsonKind::kNull;
    default: return is_digit(*at_) || *at_ == '-' ? JsonKind::kNumber : JsonKind::kBroken;
  }
}

bool JsonScanner::read_string(std::string_view& text, std::string& buffer) {
  const char* begin = ++at_;
  bool ascii = true;
  for (;;) {
    uint64_t bytes = 0;
    while (end_ - at_ >= 8 && (std::memcpy(&bytes, at_, 8), !is_special(bytes))) {
      at_ += 8;
    }
    while (at_ < end_ && *at_ != '"' && *at_ != '\\' && static_cast<unsigned char>(*at_) >= 0x20 &&
           static_cast<unsigned char>(*at_) < 0x80) {
      ++at_;
    }
    if (at_ == end_) {
      return false;
    }
    if (static_cast<unsigned char>(*at_) < 0x80) {
      break;
    }
    ascii = false;
    ++at_;
  }
  if (*at_ == '"') {
    text = std::string_view(begin, static_cast<size_t>(at_ - begin));
    ++at_;
    return ascii || is_utf8(text);
  }
  buffer.assign(begin, static_cast<size_t>(at_ - begin));
  if (!unescape(buffer)) {
    return false;
  }
  text = buffer;
  return is_utf8(text);
}

// From the first backslash to the closing quote.
bool JsonScanner::unescape(std::string& out) {
  while (at_ < end_ && *at_ != '"') {
    if (static_cast<unsigned char>(*at_) < 0x20) {
      return false;
    }
    if (*at_ != '\\') {
      out += *at_++;
      continue;
    }
    if (++at_ == end_) {
      return false;
    }
    const char escape = *at_++;
    if (escape == 'u') {
      const int32_t code = read_code(at_, end_);
      if (code < 0) {
        return false;
      }
      append_utf8(out, static_cast<uint32_t>(code));
      continue;
    }
    const char byte = escaped_byte(escape);
    if (byte == 0) {
      return false;
    }
    out += byte;
  }
  return at_++ < end_;
}

bool JsonScanner::read_number(std::string_view& text, bool& whole) {
  const char* begin = at_;
  const auto digits = [this] {
    const char* first = at_;
    while (at_ < end_ && is_digit(*at_)) {
      ++at_;
    }
    return at_ > first;
  };
  at_ += *at_ == '-' ? 1 : 0;
  const char* first = at_;
  if (!digits() || (*first == '0' && at_ - first > 1)) {
    return false;
  }
  whole = true;
  if (at_ < end_ && *at_ == '.') {
    ++at_;
    whole = false;
    if (!digits()) {
      return false;
    }
  }
  if (at_ < end_ && (*at_ == 'e' || *at_ == 'E')) {
    ++at_;
    whole = false;
    at_ += at_ < end_ && (*at_ == '+' || *at_ == '-') ? 1 : 0;
    if (!digits()) {
      return false;
    }
  }
  text = std::string_view(begin, static_cast<size_t>(at_ - begin));
  return true;
}

bool JsonScanner::read_word() {
  const std::string_view word = *at_ == 't' ? "true" : *at_ == 'f' ? "false" : "null";
  if (std::string_view(at_, static_cast<size_t>(end_ - at_)).substr(0, word.size()) != word) {
    return false;
  }
  at_ += word.size();
  return true;
}

JsonScanner::Step JsonScanner::next_element(bool first) {
  skip_space();
  if (at_ == end_) {
    return Step::kBroken;
  }
  if (*at_ == ']') {
    ++at_;
    return Step::kEnd;
  }
  if (first) {
    return Step::kItem;
  }
  return *at_++ == ',' ? Step::kItem : Step::kBroken;
}

JsonScanner::Step JsonScanner::next_member(bool first, std::string_view& key, std::string& buffer,
                                           std::string_view likely) {
  skip_space();
  if (at_ == end_) {
    return Step::kBroken;
  }
  if (*at_ == '}') {
    ++at_;
    return Step::kEnd;
  }
  if (!first) {
    if (*at_++ != ',') {
      return Step::kBroken;
    }
    skip_space();
  }
  if (at_ == end_ || *at_ != '"') {
    return Step::kBroken;
  }
  const size_t size = likely.size();
  if (size > 0 && static_cast<size_t>(end_ - at_) > size + 1 && at_[size + 1] == '"' &&
      std::memcmp(at_ + 1, likely.data(), size) == 0) {
    key = likely;
    at_ += size + 2;
  } else if (!read_string(key, buffer)) {
    return Step::kBroken;
  }
  skip_space();
  if (at_ == end_ || *at_ != ':') {
    return Step::kBroken;
  }
  ++at_;
  return Step::kItem;
}

bool JsonScanner::at_end() {
  skip_space();
  return at_ == end_;
}

bool JsonScanner::skip(std::string_view& raw) {
  skip_space();
  const char* begin = at_;
  if (!skip_value(0)) {
    return false;
  }
  raw = std::string_view(begin, static_cast<size_t>(at_ - begin));
  return true;
}

bool JsonScanner::skip_value(int depth) {
  std::string_view text;
  std::string buffer;
  bool whole = false;
  Step step = Step::kItem;
  switch (next_kind()) {
    case JsonKind::kBroken: return false;
    case JsonKind::kString: return read_string(text, buffer);
    case JsonKind::kNumber: return read_number(text, whole);
    case JsonKind::kTrue:
    case JsonKind::kFalse:
    case JsonKind::kNull: return read_word();
    case JsonKind::kObject:
      open();
      for (bool first = true; depth < kDepthMax; first = false) {
        step = next_member(first, text, buffer);
        if (step != Step::kItem || !skip_value(depth + 1)) {
          return step == Step::kEnd;
        }
      }
      return false;
    case JsonKind::kArray:
      open();
      for (bool first = true; depth < kDepthMax; first = false) {
        step = next_element(first);
        if (step != Step::kItem || !skip_value(depth + 1)) {
          return step == Step::kEnd;
        }
      }
      return false;
  }
  return false;
}

std::string without_space(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (!quoted && is_space(text[i])) {
      continue;
    }
    out += text[i];
    if (quoted && text[i] == '\\' && i + 1 < text.size()) {
      out += text[++i];
    } else if (text[i] == '"') {
      quoted = !quoted;
    }
  }
  return out;
}

bool is_plain_text(std::string_view text) {
  for (const char c : text) {
    if (c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20) {
      return false;
    }
  }
  return is_utf8(text);
}

bool is_utf8(std::string_view text) {
  const auto* at = reinterpret_cast<const unsigned char*>(text.data());
  const auto* end = at + text.size();
  const auto follows = [&](int count) {
    for (int i = 1; i <= count; ++i) {
      if (end - at <= i || (at[i] & 0xC0) != 0x80) {
        return false;
      }
    }
    return true;
  };
  while (at < end) {
    const unsigned char c = *at;
    if (c < 0x80) {
      at += 1;
    } else if (c >= 0xC2 && c < 0xE0 && follows(1)) {
      at += 2;
    } else if (c >= 0xE0 && c < 0xF0 && follows(2)) {
      const uint32_t code = (c & 0x0FU) << 12 | (at[1] & 0x3FU) << 6;
      if (code < 0x800 || (code >= 0xD800 && code < 0xE000)) {
        return false;
      }
      at += 3;
    } else if (c >= 0xF0 && c < 0xF5 && follows(3)) {
      const uint32_t code = (c & 0x07U) << 18 | (at[1] & 0x3FU) << 12;
      if (code < 0x10000 || code > 0x10FFFF) {
        return false;
      }
      at += 4;
    } else {
      return false;
    }
  }
  return true;
}

}  // namespace tarn::codec
