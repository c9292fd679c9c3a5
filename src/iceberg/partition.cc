#include "iceberg/partition.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "iceberg/murmur3.h"

namespace tarn::iceberg {
namespace {

constexpr int64_t kMicrosPerHour = int64_t{3600} * 1000 * 1000;
constexpr int64_t kMicrosPerDay = 24 * kMicrosPerHour;

int64_t floor_divide(int64_t a, int64_t b) {
  auto quotient = a / b;
  return a % b < 0 ? quotient - 1 : quotient;
}

struct Civil {
  int64_t year;
  int month;  // 1 … 12
};

// Proleptic Gregorian year and month of a day since 1970-01-01 (Howard Hinnant, "chrono-compatible
// algorithms").
Civil civil_of(int64_t day) {
  int64_t shifted = day + 719468;
  int64_t era = floor_divide(shifted, 146097);
  int64_t day_of_era = shifted - era * 146097;
  int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  int64_t shifted_month = (5 * day_of_year + 2) / 153;
  int month = static_cast<int>(shifted_month < 10 ? shifted_month + 3 : shifted_month - 9);
  return {year_of_era + era * 400 + (month <= 2 ? 1 : 0), month};
}

bool is_timestamp(const Type& type) {
  return type.kind == TypeKind::kTimestamp || type.kind == TypeKind::kTimestampTz ||
         type.kind == TypeKind::kTimestampNs || type.kind == TypeKind::kTimestampTzNs;
}

bool is_nanos(const Type& type) {
  return type.kind == TypeKind::kTimestampNs || type.kind == TypeKind::kTimestampTzNs;
}

Error not_allowed(const Transform& transform, const Type& source) {
  return Error{Code::kInvalid, fmt::format("the partition transform {} cannot be used on the type {}",
                                           to_string(transform), to_string(source))};
}

Result<Value> bucket(const Transform& transform, const Type& source, const Value& value) {
  std::string bytes;
  switch (source.kind) {
    case TypeKind::kInt:
    case TypeKind::kDate: bytes = to_bytes({.kind = TypeKind::kLong, .fields = {}}, value); break;
    case TypeKind::kTimestampNs:
    case TypeKind::kTimestampTzNs:
      bytes = to_bytes(source, Value(floor_divide(std::get<int64_t>(value), 1000)));
      break;
    case TypeKind::kLong:
    case TypeKind::kDecimal:
    case TypeKind::kTime:
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampTz:
    case TypeKind::kString:
    case TypeKind::kUuid:
    case TypeKind::kFixed:
    case TypeKind::kBinary: bytes = to_bytes(source, value); break;
    default: return not_allowed(transform, source);
  }
  auto hash = murmur3_32(bytes);
  return Value(static_cast<int32_t>((hash & 0x7FFFFFFF) % static_cast<uint32_t>(transform.parameter)));
}

template <class T>
T floor_to(T value, T width) {
  T rest = static_cast<T>(((value % width) + width) % width);
  if constexpr (sizeof(T) == 16) {
    return value - rest;
  } else {  // wraps at the smallest number, as Java does
    using Unsigned = std::make_unsigned_t<T>;
    return static_cast<T>(static_cast<Unsigned>(value) - static_cast<Unsigned>(rest));
  }
}

Result<Value> truncate(const Transform& transform, const Type& source, const Value& value) {
  switch (source.kind) {
    case TypeKind::kInt:
      return Value(static_cast<int32_t>(floor_to<int64_t>(std::get<int32_t>(value), transform.parameter)));
    case TypeKind::kLong: return Value(floor_to<int64_t>(std::get<int64_t>(value), transform.parameter));
    case TypeKind::kDecimal:
      return Value(Decimal{floor_to<__int128>(std::get<Decimal>(value).unscaled, transform.parameter)});
    case TypeKind::kString: return Value(truncate_text(std::get<std::string>(value), transform.parameter));
    case TypeKind::kBinary: return Value(std::get<std::string>(value).substr(0, transform.parameter));
    default: return not_allowed(transform, source);
  }
}

Result<Value> date_part(const Transform& transform, const Type& source, const Value& value) {
  bool from_date = source.kind == TypeKind::kDate;
  if (!from_date && !is_timestamp(source)) {
    return not_allowed(transform, source);
  }
  if (from_date && transform.kind == TransformKind::kHour) {
    return not_allowed(transform, source);
  }
  int64_t micros = 0;
  int64_t day = 0;
  if (from_date) {
    day = std::get<int32_t>(value);
  } else {
    micros = std::get<int64_t>(value);
    micros = is_nanos(source) ? floor_divide(micros, 1000) : micros;
    day = floor_divide(micros, kMicrosPerDay);
  }
  switch (transform.kind) {
    case TransformKind::kYear: return Value(static_cast<int32_t>(civil_of(day).year - 1970));
    case TransformKind::kMonth: {
      auto civil = civil_of(day);
      return Value(static_cast<int32_t>((civil.year - 1970) * 12 + civil.month - 1));
    }
    case TransformKind::kDay: return Value(static_cast<int32_t>(day));
    default: {
      // Hours beyond the year 245,000, as of 'infinity', do not fit; order is kept.
      constexpr int64_t kLeast = INT32_MIN;
      constexpr int64_t kGreatest = INT32_MAX;
      return Value(static_cast<int32_t>(std::clamp(floor_divide(micros, kMicrosPerHour), kLeast, kGreatest)));
    }
  }
}

std::optional<int> bracketed(std::string_view text, std::string_view name) {
  if (!text.starts_with(name) || !text.ends_with("]")) {
    return std::nullopt;
  }
  auto inside = text.substr(name.size(), text.size() - name.size() - 1);
  int number = 0;
  auto [end, error] = std::from_chars(inside.data(), inside.data() + inside.size(), number);
  if (error != std::errc() || end != inside.data() + inside.size() || number < 1) {
    return std::nullopt;
  }
  return number;
}

}  // namespace

std::string truncate_text(const std::string& text, size_t code_points) {
  size_t at = 0;
  while (at < text.size() && code_points > 0) {
    ++at;
    while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) {
      ++at;
    }
    --code_points;
  }
  return text.substr(0, at);
}

Result<Transform> parse_transform(std::string_view text) {
  constexpr std::pair<std::string_view, TransformKind> kPlain[] = {
      {"identity", TransformKind::kIdentity}, {"year", TransformKind::kYear},
      {"month", TransformKind::kMonth},       {"day", TransformKind::kDay},
      {"hour", TransformKind::kHour},         {"void", TransformKind::kVoid},
  };
  Transform transform;
  for (const auto& [name, kind] : kPlain) {
    if (text == name) {
      transform.kind = kind;
      return transform;
    }
  }
  transform.kind = TransformKind::kUnknown;
  if (auto buckets = bracketed(text, "bucket[")) {
    transform.kind = TransformKind::kBucket;
    transform.parameter = *buckets;
  } else if (auto width = bracketed(text, "truncate[")) {
    transform.kind = TransformKind::kTruncate;
    transform.parameter = *width;
  } else if (text.empty() || text.starts_with("bucket[") || text.starts_with("truncate[")) {
    return Error{Code::kCorrupt, fmt::format("'{}' is not a partition transform", text.substr(0, 80))};
  } else {
    transform.text = std::string(text);
  }
  return transform;
}

std::string to_string(const Transform& transform) {
  switch (transform.kind) {
    case TransformKind::kIdentity: return "identity";
    case TransformKind::kBucket: return fmt::format("bucket[{}]", transform.parameter);
    case TransformKind::kTruncate: return fmt::format("truncate[{}]", transform.parameter);
    case TransformKind::kYear: return "year";
    case TransformKind::kMonth: return "month";
    case TransformKind::kDay: return "day";
    case TransformKind::kHour: return "hour";
    case TransformKind::kVoid: return "void";
    case TransformKind::kUnknown: return transform.text;
  }
  return transform.text;
}

Type result_type(const Transform& transform, const Type& source) {
  switch (transform.kind) {
    case TransformKind::kIdentity:
    case TransformKind::kTruncate:
    case TransformKind::kVoid: return source;
    case TransformKind::kBucket:
    case TransformKind::kYear:
    case TransformKind::kMonth:
    case TransformKind::kHour: return {.kind = TypeKind::kInt, .fields = {}};
    case TransformKind::kDay: return {.kind = TypeKind::kDate, .fields = {}};
    case TransformKind::kUnknown: break;
  }
  return {.kind = TypeKind::kString, .fields = {}};
}

Status check_transform(const Transform& transform, const Type& source) {
  if (source.is_nested()) {
    return not_allowed(transform, source);
  }
  switch (transform.kind) {
    case TransformKind::kIdentity:
    case TransformKind::kVoid: return ok();
    case TransformKind::kBucket:
      switch (source.kind) {
        case TypeKind::kBoolean:
        case TypeKind::kFloat:
        case TypeKind::kDouble: return not_allowed(transform, source);
        default: return ok();
      }
    case TransformKind::kTruncate:
      switch (source.kind) {
        case TypeKind::kInt:
        case TypeKind::kLong:
        case TypeKind::kDecimal:
        case TypeKind::kString:
        case TypeKind::kBinary: return ok();
        default: return not_allowed(transform, source);
      }
    case TransformKind::kYear:
    case TransformKind::kMonth:
    case TransformKind::kDay:
      return is_timestamp(source) || source.kind == TypeKind::kDate ? ok() : not_allowed(transform, source);
    case TransformKind::kHour: return is_timestamp(source) ? ok() : not_allowed(transform, source);
    case TransformKind::kUnknown: break;
  }
  return Error{Code::kUnsupported, fmt::format("the partition transform '{}' is not known", transform.text)};
}

std::string partition_key(int spec_id, const std::vector<Value>& values) {
  std::string key = std::to_string(spec_id);
  for (const auto& value : values) {
    auto bytes = to_bytes({.kind = TypeKind::kLong, .fields = {}}, value);
    key += fmt::format("|{}{}:", is_null(value) ? "null" : "", bytes.size());
    key += bytes;
  }
  return key;
}

Result<Value> apply(const Transform& transform, const Type& source, const Value& value) {
  TARN_CHECK(check_transform(transform, source));
  if (is_null(value) || transform.kind == TransformKind::kVoid) {
    return Value();
  }
  TARN_TRY(auto held, promote(source, value));
  switch (transform.kind) {
    case TransformKind::kBucket: return bucket(transform, source, held);
    case TransformKind::kTruncate: return truncate(transform, source, held);
    case TransformKind::kYear:
    case TransformKind::kMonth:
    case TransformKind::kDay:
    case TransformKind::kHour: return date_part(transform, source, held);
    default: return held;
  }
}

}  // namespace tarn::iceberg
