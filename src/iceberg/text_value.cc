#include <charconv>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "iceberg/bounds.h"

namespace tarn::iceberg {
namespace {

constexpr int64_t kMicrosPerSecond = 1'000'000;
constexpr int64_t kSecondsPerDay = 86'400;

// Days from 1970-01-01 to a date of the proleptic Gregorian calendar (Howard Hinnant).
int64_t days_from(int64_t year, int64_t month, int64_t day) {
  year -= month <= 2 ? 1 : 0;
  int64_t era = (year >= 0 ? year : year - 399) / 400;
  int64_t year_of_era = year - era * 400;
  int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146097 + day_of_era - 719468;
}

// Steps through a text; every `take` leaves the position alone when it fails.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : left_(text) {}

  bool take(std::string_view word) {
    if (!left_.starts_with(word)) {
      return false;
    }
    left_.remove_prefix(word.size());
    return true;
  }

  std::optional<int64_t> take_digits(size_t digits_min, size_t digits_max) {
    size_t count = 0;
    while (count < left_.size() && count < digits_max && left_[count] >= '0' && left_[count] <= '9') {
      ++count;
    }
    if (count < digits_min) {
      return std::nullopt;
    }
    int64_t number = 0;
    std::from_chars(left_.data(), left_.data() + count, number);
    left_.remove_prefix(count);
    return number;
  }

  // ".5" as so many digits after the point.
  std::optional<int64_t> take_fraction(size_t digits) {
    if (!take(".")) {
      return 0;
    }
    auto before = left_.size();
    auto number = take_digits(1, digits);
    if (!number) {
      return std::nullopt;
    }
    auto taken = before - left_.size();
    for (; taken < digits; ++taken) {
      *number *= 10;
    }
    return number;
  }

  [[nodiscard]] bool done() const { return left_.empty(); }

 private:
  std::string_view left_;
};

std::optional<int64_t> take_date(Cursor& cursor) {
  bool negative = cursor.take("-");
  auto year = cursor.take_digits(1, 7);
  if (!year || !cursor.take("-")) {
    return std::nullopt;
  }
  auto month = cursor.take_digits(2, 2);
  if (!month || *month < 1 || *month > 12 || !cursor.take("-")) {
    return std::nullopt;
  }
  auto day = cursor.take_digits(2, 2);
  if (!day || *day < 1 || *day > 31) {
    return std::nullopt;
  }
  int64_t signed_year = negative ? -*year : *year;
  if (cursor.take(" (BC)")) {
    signed_year = 1 - signed_year;
  }
  return days_from(signed_year, *month, *day);
}

// Time of day in seconds and its fraction, of so many digits.
struct TimeOfDay {
  int64_t seconds;
  int64_t fraction;
};

std::optional<TimeOfDay> take_time(Cursor& cursor, size_t fraction_digits) {
  auto hour = cursor.take_digits(2, 2);
  if (!hour || !cursor.take(":")) {
    return std::nullopt;
  }
  auto minute = cursor.take_digits(2, 2);
  if (!minute || !cursor.take(":")) {
    return std::nullopt;
  }
  auto second = cursor.take_digits(2, 2);
  if (!second || *hour > 24 || *minute > 59 || *second > 60) {
    return std::nullopt;
  }
  auto fraction = cursor.take_fraction(fraction_digits);
  if (!fraction) {
    return std::nullopt;
  }
  return TimeOfDay{*hour * 3600 + *minute * 60 + *second, *fraction};
}

// Seconds east of UTC: "+00", "-05:30", "Z" or nothing.
std::optional<int64_t> take_zone(Cursor& cursor) {
  int64_t sign = cursor.take("+") ? 1 : (cursor.take("-") ? -1 : 0);
  if (sign == 0) {
    cursor.take("Z");
    return 0;
  }
  auto hours = cursor.take_digits(2, 2);
  if (!hours) {
    return std::nullopt;
  }
  int64_t offset = *hours * 3600;
  if (cursor.take(":")) {
    auto minutes = cursor.take_digits(2, 2);
    if (!minutes) {
      return std::nullopt;
    }
    offset += *minutes * 60;
  }
  return sign * offset;
}

std::optional<int64_t> read_timestamp(std::string_view text, bool nanos) {
  Cursor cursor(text);
  auto day = take_date(cursor);
  if (!day) {
    return std::nullopt;
  }
  TimeOfDay time{0, 0};
  int64_t zone = 0;
  if (!cursor.done()) {
    if (!cursor.take(" ") && !cursor.take("T")) {
      return std::nullopt;
    }
    auto taken = take_time(cursor, nanos ? 9 : 6);
    auto offset = taken ? take_zone(cursor) : std::nullopt;
    if (!offset || !cursor.done()) {
      return std::nullopt;
    }
    time = *taken;
    zone = *offset;
  }
  auto whole = static_cast<__int128>(*day * kSecondsPerDay + time.seconds - zone) *
                   (nanos ? kMicrosPerSecond * 1000 : kMicrosPerSecond) +
               time.fraction;
  if (whole > std::numeric_limits<int64_t>::max() || whole < std::numeric_limits<int64_t>::min()) {
    return std::nullopt;
  }
  return static_cast<int64_t>(whole);
}

std::optional<Value> read_date(std::string_view text) {
  Cursor cursor(text);
  auto day = take_date(cursor);
  if (!day || !cursor.done()) {
    return std::nullopt;
  }
  return Value(static_cast<int32_t>(*day));
}

std::optional<Value> read_time(std::string_view text) {
  Cursor cursor(text);
  auto time = take_time(cursor, 6);
  if (!time || !cursor.done()) {
    return std::nullopt;
  }
  return Value(time->seconds * kMicrosPerSecond + time->fraction);
}

std::optional<Value> read_decimal(const Type& type, std::string_view text) {
  bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) {
    text.remove_prefix(1);
  }
  __int128 unscaled = 0;
  int digits = 0;
  int scale = -1;
  for (char c : text) {
    if (c == '.' && scale < 0) {
      scale = 0;
    } else if (c >= '0' && c <= '9' && digits < 38) {
      unscaled = unscaled * 10 + (c - '0');
      digits += unscaled != 0 ? 1 : 0;
      scale += scale >= 0 ? 1 : 0;
    } else {
      return std::nullopt;
    }
  }
  int have = scale < 0 ? 0 : scale;
  if (text.empty() || have > type.scale || digits + type.scale - have > 38) {
    return std::nullopt;
  }
  for (; have < type.scale; ++have) {
    unscaled *= 10;
  }
  return Value(Decimal{negative ? -unscaled : unscaled});
}

std::optional<Value> read_hex(std::string_view text, size_t bytes) {
  std::string value;
  auto digit = [](char c) {
    return c >= '0' && c <= '9'
               ? c - '0'
               : (c >= 'a' && c <= 'f' ? c - 'a' + 10 : (c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1));
  };
  int high = -1;
  for (char c : text) {
    if (c == '-' && bytes == 16) {
      continue;
    }
    int nibble = digit(c);
    if (nibble < 0) {
      return std::nullopt;
    }
    if (high < 0) {
      high = nibble;
    } else {
      value.push_back(static_cast<char>(high * 16 + nibble));
      high = -1;
    }
  }
  if (high >= 0 || (bytes != 0 && value.size() != bytes)) {
    return std::nullopt;
  }
  return Value(std::move(value));
}

template <class T>
std::optional<Value> read_number(std::string_view text) {
  T number{};
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return Value(number);
}

template <class T>
std::optional<Value> read_floating(std::string_view text) {
  T number{};
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return Value(number);
}

std::optional<Value> read(const Type& type, std::string_view text) {
  switch (type.kind) {
    case TypeKind::kBoolean:
      if (text == "true" || text == "1") {
        return Value(true);
      }
      return text == "false" || text == "0" ? std::optional<Value>(Value(false)) : std::nullopt;
    case TypeKind::kInt: return read_number<int32_t>(text);
    case TypeKind::kLong: return read_number<int64_t>(text);
    case TypeKind::kFloat: return read_floating<float>(text);
    case TypeKind::kDouble: return read_floating<double>(text);
    case TypeKind::kDecimal: return read_decimal(type, text);
    case TypeKind::kDate: return read_date(text);
    case TypeKind::kTime: return read_time(text);
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampTz:
    case TypeKind::kTimestampNs:
    case TypeKind::kTimestampTzNs: {
      bool nanos = type.kind == TypeKind::kTimestampNs || type.kind == TypeKind::kTimestampTzNs;
      auto number = read_timestamp(text, nanos);
      return number ? std::optional<Value>(Value(*number)) : std::nullopt;
    }
    case TypeKind::kString: return Value(std::string(text));
    case TypeKind::kUuid: return read_hex(text, 16);
    case TypeKind::kFixed: return read_hex(text, static_cast<size_t>(type.length));
    case TypeKind::kBinary: return read_hex(text, 0);
    case TypeKind::kStruct:
    case TypeKind::kList:
    case TypeKind::kMap: return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace

Result<Value> parse_text(const Type& type, std::string_view text) {
  auto value = read(type, text);
  if (!value) {
    return Error{Code::kInvalid,
                 fmt::format("'{}' is not a value of type {}", text.substr(0, 80), to_string(type))};
  }
  return std::move(*value);
}

}  // namespace tarn::iceberg
