#include "report/workbook/cell_value.h"

#include <charconv>
#include <chrono>
#include <cmath>
#include <optional>

#include <fmt/format.h>

namespace tarn::report {
namespace {

constexpr int64_t kExactMax = int64_t{1} << 53;
constexpr size_t kDigitsMax = 15;  // that every double keeps
constexpr int64_t kFirstDay = 1;   // 1900-01-01
constexpr int64_t kLeapDay = 60;   // Excel has a 1900-02-29

std::optional<int> digits(std::string_view text, size_t at, size_t count) {
  int value = 0;
  if (at + count > text.size())
    return std::nullopt;
  for (size_t i = at; i < at + count; ++i) {
    if (text[i] < '0' || text[i] > '9')
      return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  return value;
}

// "2026-11-21" as Excel counts days; nothing outside of 1900 to 9999.
std::optional<double> day_number(std::string_view text) {
  const auto year = digits(text, 0, 4);
  const auto month = digits(text, 5, 2);
  const auto day = digits(text, 8, 2);
  if (!year || !month || !day || text[4] != '-' || text[7] != '-')
    return std::nullopt;
  using namespace std::chrono;
  const auto date = std::chrono::year(*year) / *month / *day;
  if (!date.ok())
    return std::nullopt;
  const auto since_1970 = sys_days(date).time_since_epoch().count();
  int64_t number = since_1970 + 25569;
  if (number <= kLeapDay)
    --number;
  if (number < kFirstDay)
    return std::nullopt;
  return static_cast<double>(number);
}

// "06:35:00.123456" as a part of a day; what follows (a zone) is not looked at.
std::optional<double> clock_number(std::string_view text) {
  const auto hour = digits(text, 0, 2);
  const auto minute = digits(text, 3, 2);
  const auto second = digits(text, 6, 2);
  if (!hour || !minute || !second || text[2] != ':' || text[5] != ':' || *hour > 23)
    return std::nullopt;
  double fraction = 0;
  if (text.size() > 8 && text[8] == '.') {
    double unit = 0.1;
    for (size_t i = 9; i < text.size() && text[i] >= '0' && text[i] <= '9'; ++i, unit /= 10)
      fraction += unit * (text[i] - '0');
  }
  return (*hour * 3600 + *minute * 60 + *second + fraction) / 86400;
}

std::optional<double> decimal_number(std::string_view text) {
  size_t count = 0, zeros = 0;
  bool point = false;
  for (const char c : text) {
    if (c == '.')
      point = true;
    if (c < '0' || c > '9' || (count == 0 && c == '0'))
      continue;
    ++count;
    zeros = c == '0' && point ? zeros + 1 : 0;
  }
  double value = 0;
  const auto* end = text.data() + text.size();
  if (count - zeros > kDigitsMax || std::from_chars(text.data(), end, value).ptr != end)
    return std::nullopt;
  return value;
}

std::optional<double> number_of(ColumnKind kind, std::string_view text) {
  const auto* end = text.data() + text.size();
  switch (kind) {
    case ColumnKind::kInteger: {
      int64_t value = 0;
      const auto read = std::from_chars(text.data(), end, value);
      if (read.ec != std::errc() || read.ptr != end || value > kExactMax || value < -kExactMax)
        return std::nullopt;
      return static_cast<double>(value);
    }
    case ColumnKind::kDecimal: return decimal_number(text);
    case ColumnKind::kDouble: {
      double value = 0;
      const auto read = std::from_chars(text.data(), end, value);
      if (read.ec != std::errc() || read.ptr != end || !std::isfinite(value))
        return std::nullopt;
      return value;
    }
    case ColumnKind::kDate: return text.size() == 10 ? day_number(text) : std::nullopt;
    case ColumnKind::kTimestamp: {
      const auto day = text.size() >= 19 && text[10] == ' ' ? day_number(text) : std::nullopt;
      const auto clock = day && !text.ends_with(")") ? clock_number(text.substr(11)) : std::nullopt;
      return clock ? std::optional(*day + *clock) : std::nullopt;
    }
    case ColumnKind::kTime: return clock_number(text);
    case ColumnKind::kBoolean: return text == "true" ? 1.0 : 0.0;
    case ColumnKind::kText: return std::nullopt;
  }
  return std::nullopt;
}

// Bytes of the UTF-8 letter that begins here; 1 for what is none.
size_t letter_bytes(std::string_view text, size_t at) {
  const auto c = static_cast<unsigned char>(text[at]);
  const size_t bytes = c < 0x80 ? 1 : c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : c >= 0xC0 ? 2 : 1;
  return std::min(bytes, text.size() - at);
}

bool is_carried(std::string_view letter) {
  return letter != std::string_view("\0", 1) && letter != "\xEF\xBF\xBE" && letter != "\xEF\xBF\xBF";
}

}  // namespace

ColumnKind kind_of_type(std::string_view type) {
  if (type == "TINYINT" || type == "SMALLINT" || type == "INTEGER" || type == "BIGINT" ||
      type == "UTINYINT" || type == "USMALLINT" || type == "UINTEGER" || type == "UBIGINT" ||
      type == "HUGEINT" || type == "UHUGEINT")
    return ColumnKind::kInteger;
  if (type.ends_with("]"))
    return ColumnKind::kText;
  if (type.starts_with("DECIMAL"))
    return ColumnKind::kDecimal;
  if (type == "DOUBLE" || type == "FLOAT")
    return ColumnKind::kDouble;
  if (type == "BOOLEAN")
    return ColumnKind::kBoolean;
  if (type == "DATE")
    return ColumnKind::kDate;
  if (type.starts_with("TIMESTAMP"))
    return ColumnKind::kTimestamp;
  return type == "TIME" ? ColumnKind::kTime : ColumnKind::kText;
}

bool is_number(ColumnKind kind) {
  return kind == ColumnKind::kInteger || kind == ColumnKind::kDecimal || kind == ColumnKind::kDouble;
}

std::string default_format(ColumnKind kind, std::string_view type) {
  switch (kind) {
    case ColumnKind::kDate: return "yyyy-mm-dd";
    case ColumnKind::kTimestamp: return "yyyy-mm-dd hh:mm:ss";
    case ColumnKind::kTime: return "hh:mm:ss";
    case ColumnKind::kDecimal: {
      unsigned scale = 0;
      const auto comma = type.find(',');
      if (comma != std::string_view::npos)
        (void)std::from_chars(type.data() + comma + 1, type.data() + type.size(), scale);
      return scale == 0 || scale > 20 ? "General" : "#,##0." + std::string(scale, '0');
    }
    case ColumnKind::kText:
    case ColumnKind::kInteger:
    case ColumnKind::kDouble:
    case ColumnKind::kBoolean: return "General";
  }
  return "General";
}

Cell cell_of(ColumnKind kind, std::string_view text) {
  const auto number = number_of(kind, text);
  if (!number)
    return {};
  return {kind == ColumnKind::kBoolean ? Cell::Kind::kBoolean : Cell::Kind::kNumber, *number};
}

size_t utf16_length(std::string_view text) {
  size_t units = 0;
  for (size_t at = 0; at < text.size();) {
    const auto bytes = letter_bytes(text, at);
    units += bytes == 4 ? 2 : 1;
    at += bytes;
  }
  return units;
}

std::string cell_text(std::string_view text, bool& cut, size_t units_max) {
  std::string out;
  out.reserve(text.size());
  size_t units = 0;
  for (size_t at = 0; at < text.size();) {
    const auto bytes = letter_bytes(text, at);
    const auto letter = text.substr(at, bytes);
    units += bytes == 4 ? 2 : 1;
    if (units > units_max) {
      cut = true;
      break;
    }
    out += is_carried(letter) ? letter : std::string_view("\xEF\xBF\xBD");
    at += bytes;
  }
  return out;
}

std::string escape_units(std::string_view text) {
  std::string out;
  for (size_t at = 0; at < text.size(); ++at) {
    const auto hex = [](char c) {
      return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    };
    const auto part = text.substr(at, 7);
    if (part.size() == 7 && part[0] == '_' && part[1] == 'x' && part[6] == '_' && hex(part[2]) &&
        hex(part[3]) && hex(part[4]) && hex(part[5]))
      out += "_x005F";
    out += text[at];
  }
  return out;
}

}  // namespace tarn::report
