#include "model/jinja/text.h"

#include <algorithm>
#include <cctype>
#include <charconv>

#include <fmt/format.h>
#include <fmt/printf.h>

#include "model/jinja/builtins.h"

namespace tarn::model::jinja {
namespace {

char upper_of(char c) {
  return static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c);
}
char lower_of(char c) {
  return static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
}

// One "%…x" of a format; `spec` is what stands between.
Result<std::string> format_one(std::string_view spec, char kind, const Value& value) {
  int width = 0;
  int precision = -1;
  bool left = false;
  bool zero = false;
  size_t i = 0;
  for (; i < spec.size() && (spec[i] == '-' || spec[i] == '0' || spec[i] == '+' || spec[i] == ' '); ++i) {
    left = left || spec[i] == '-';
    zero = zero || spec[i] == '0';
  }
  for (; i < spec.size() && std::isdigit(static_cast<unsigned char>(spec[i])) != 0 && width < 1000; ++i) {
    width = width * 10 + (spec[i] - '0');
  }
  if (i < spec.size() && spec[i] == '.') {
    precision = 0;
    for (++i; i < spec.size() && std::isdigit(static_cast<unsigned char>(spec[i])) != 0 && precision < 100;
         ++i) {
      precision = precision * 10 + (spec[i] - '0');
    }
  }
  if (i != spec.size() || width >= 1000 || precision >= 100) {
    return Error{Code::kInvalid, fmt::format("the format '%{}{}' is not known", spec, kind)};
  }
  std::string out;
  if (kind == 's' || kind == 'r') {
    out = kind == 's' ? value.text() : value.repr();
    out = precision >= 0 ? out.substr(0, static_cast<size_t>(precision)) : out;
  } else if (!value.is_number()) {
    return Error{Code::kInvalid, fmt::format("'%{}' needs a number, not {}", kind, value.kind_name())};
  } else if (kind == 'd' || kind == 'i') {
    const auto* whole = value.as<int64_t>();
    out = whole != nullptr ? std::to_string(*whole) : fmt::format("{:.0f}", value.number());
  } else {
    out = fmt::format("{:.{}f}", value.number(), precision < 0 ? 6 : precision);
  }
  size_t wanted = static_cast<size_t>(width);
  if (out.size() < wanted) {
    bool signed_zero = zero && !left && !out.empty() && out[0] == '-';
    size_t at = left ? out.size() : signed_zero ? 1 : 0;
    out.insert(at, wanted - out.size(), zero && !left && kind != 's' ? '0' : ' ');
  }
  return out;
}

}  // namespace

std::string to_upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), upper_of);
  return text;
}

std::string to_lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), lower_of);
  return text;
}

std::string to_capital(std::string text) {
  text = to_lower(std::move(text));
  if (!text.empty()) {
    text[0] = upper_of(text[0]);
  }
  return text;
}

std::string to_title(std::string text) {
  constexpr std::string_view kBetweenWords = "- \t\r\n\f\v({[<";
  bool start = true;
  for (char& c : text) {
    c = start ? upper_of(c) : lower_of(c);
    start = kBetweenWords.find(c) != std::string_view::npos;
  }
  return text;
}

std::string to_title_of_letters(std::string text) {
  bool start = true;
  for (char& c : text) {
    c = start ? upper_of(c) : lower_of(c);
    start = std::isalpha(static_cast<unsigned char>(c)) == 0;
  }
  return text;
}

std::string strip(std::string_view text, std::string_view which, bool front, bool back) {
  while (front && !text.empty() && which.find(text.front()) != std::string_view::npos) {
    text.remove_prefix(1);
  }
  while (back && !text.empty() && which.find(text.back()) != std::string_view::npos) {
    text.remove_suffix(1);
  }
  return std::string(text);
}

Result<Value> replace_all(std::string_view text, std::string_view from, std::string_view to) {
  if (from.empty()) {
    return Error{Code::kInvalid, "an empty text cannot be replaced"};
  }
  std::string out;
  for (size_t at = 0;;) {
    size_t found = text.find(from, at);
    out += text.substr(at, found == std::string_view::npos ? found : found - at);
    if (found == std::string_view::npos) {
      return Value(std::move(out));
    }
    out += to;
    at = found + from.size();
    if (out.size() > kTextBytesMax) {
      return Error{Code::kInvalid, "this text is too long"};
    }
  }
}

std::vector<std::string> split(std::string_view text, std::string_view separator, int64_t most) {
  std::vector<std::string> parts;
  size_t at = 0;
  for (;;) {
    size_t found = separator.empty() || (most >= 0 && static_cast<int64_t>(parts.size()) >= most)
                       ? std::string_view::npos
                       : text.find(separator, at);
    if (found == std::string_view::npos) {
      parts.emplace_back(text.substr(at));
      return parts;
    }
    parts.emplace_back(text.substr(at, found - at));
    at = found + separator.size();
  }
}

std::vector<std::string> split_blanks(std::string_view text) {
  std::vector<std::string> parts;
  size_t at = 0;
  while (at < text.size()) {
    size_t begin = text.find_first_not_of(" \t\r\n", at);
    if (begin == std::string_view::npos) {
      break;
    }
    size_t end = std::min(text.find_first_of(" \t\r\n", begin), text.size());
    parts.emplace_back(text.substr(begin, end - begin));
    at = end;
  }
  return parts;
}

std::optional<Value> read_number(std::string_view text) {
  std::string trimmed = strip(text, " \t\r\n", true, true);
  const char* begin = trimmed.data();
  const char* end = begin + trimmed.size();
  begin += trimmed.starts_with('+') ? 1 : 0;
  int64_t whole = 0;
  auto [stopped, error] = std::from_chars(begin, end, whole);
  if (error == std::errc() && stopped == end) {
    return Value(whole);
  }
  double real = 0;
  auto [stopped_real, error_real] = std::from_chars(begin, end, real);
  if (error_real == std::errc() && stopped_real == end && begin != end) {
    return Value(real);
  }
  return std::nullopt;
}

Result<std::string> format_percent(std::string_view format, const List& values) {
  std::string out;
  size_t next = 0;
  for (size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%') {
      out += format[i];
      continue;
    }
    size_t end = format.find_first_of("sdifr%", i + 1);
    if (end == std::string_view::npos) {
      return Error{Code::kInvalid, "a '%' in the format is not followed by s, d or f; write %% for the sign"};
    }
    if (format[end] == '%') {
      out += '%';
    } else if (next >= values.size()) {
      return Error{Code::kInvalid,
                   fmt::format("the format wants more than the {} values given", values.size())};
    } else {
      TARN_TRY(std::string one, format_one(format.substr(i + 1, end - i - 1), format[end], values[next++]));
      out += one;
    }
    if (out.size() > kTextBytesMax) {
      return Error{Code::kInvalid, "this text is too long"};
    }
    i = end;
  }
  return out;
}

}  // namespace tarn::model::jinja
