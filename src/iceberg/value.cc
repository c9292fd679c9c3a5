#include "iceberg/value.h"

#include <bit>
#include <cmath>
#include <cstring>

#include <fmt/format.h>

namespace tarn::iceberg {
namespace {

template <class T>
int order(const T& a, const T& b) {
  return a < b ? -1 : (b < a ? 1 : 0);
}

// Total order of the specification: by sign and magnitude of the bits, NaNs at the ends.
int compare_floating(double a, double b) {
  auto key = [](double value) {
    if (std::isnan(value)) {
      return std::signbit(value) ? INT64_MIN : INT64_MAX;
    }
    auto bits = std::bit_cast<int64_t>(value);
    return bits < 0 ? static_cast<int64_t>(INT64_MIN - bits) - 1 : bits;
  };
  return order(key(a), key(b));
}

int64_t integer_of(const Value& value) {
  if (const auto* small = std::get_if<int32_t>(&value)) {
    return *small;
  }
  if (const auto* big = std::get_if<int64_t>(&value)) {
    return *big;
  }
  return 0;
}

double floating_of(const Value& value) {
  if (const auto* small = std::get_if<float>(&value)) {
    return *small;
  }
  if (const auto* big = std::get_if<double>(&value)) {
    return *big;
  }
  return 0;
}

bool is_integer(const Value& value) {
  return std::holds_alternative<int32_t>(value) || std::holds_alternative<int64_t>(value);
}

bool is_floating(const Value& value) {
  return std::holds_alternative<float>(value) || std::holds_alternative<double>(value);
}

template <class T>
std::string little_endian(T value) {
  std::string bytes(sizeof(T), '\0');
  std::memcpy(bytes.data(), &value, sizeof(T));
  return bytes;
}

template <class T>
T read_little_endian(const std::string& bytes) {
  T value{};
  std::memcpy(&value, bytes.data(), sizeof(T));
  return value;
}

Error wrong_length(const Type& type, const std::string& bytes) {
  return Error{Code::kCorrupt, fmt::format("a value of type {} has {} bytes", to_string(type), bytes.size())};
}

Result<Value> decimal_from(const Type& type, const std::string& bytes) {
  if (bytes.empty() || bytes.size() > 16) {
    return wrong_length(type, bytes);
  }
  unsigned __int128 unscaled = (bytes[0] & 0x80) != 0 ? ~static_cast<unsigned __int128>(0) : 0;
  for (char byte : bytes) {
    unscaled = (unscaled << 8) | static_cast<unsigned char>(byte);
  }
  return Value(Decimal{static_cast<__int128>(unscaled)});
}

Result<Value> long_from(const Type& type, const std::string& bytes) {
  if (bytes.size() == 8) {
    return Value(read_little_endian<int64_t>(bytes));
  }
  if (bytes.size() == 4 && type.kind == TypeKind::kLong) {
    return Value(static_cast<int64_t>(read_little_endian<int32_t>(bytes)));
  }
  return wrong_length(type, bytes);
}

}  // namespace

int compare(const Value& a, const Value& b) {
  if (is_integer(a) && is_integer(b)) {
    return order(integer_of(a), integer_of(b));
  }
  if (is_floating(a) && is_floating(b)) {
    return compare_floating(floating_of(a), floating_of(b));
  }
  if (a.index() != b.index()) {
    return order(a.index(), b.index());
  }
  if (const auto* text = std::get_if<std::string>(&a)) {
    return order(text->compare(std::get<std::string>(b)), 0);
  }
  if (const auto* decimal = std::get_if<Decimal>(&a)) {
    return order(decimal->unscaled, std::get<Decimal>(b).unscaled);
  }
  if (const auto* flag = std::get_if<bool>(&a)) {
    return order(*flag, std::get<bool>(b));
  }
  return 0;
}

bool is_nan(const Value& value) {
  return is_floating(value) && std::isnan(floating_of(value));
}

bool fits(const Type& type, const Value& value) {
  switch (type.kind) {
    case TypeKind::kBoolean: return std::holds_alternative<bool>(value);
    case TypeKind::kInt:
    case TypeKind::kDate: return std::holds_alternative<int32_t>(value);
    case TypeKind::kLong:
    case TypeKind::kTime:
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampTz:
    case TypeKind::kTimestampNs:
    case TypeKind::kTimestampTzNs: return std::holds_alternative<int64_t>(value);
    case TypeKind::kFloat: return std::holds_alternative<float>(value);
    case TypeKind::kDouble: return std::holds_alternative<double>(value);
    case TypeKind::kDecimal: return std::holds_alternative<Decimal>(value);
    case TypeKind::kString:
    case TypeKind::kBinary: return std::holds_alternative<std::string>(value);
    case TypeKind::kUuid:
      return std::holds_alternative<std::string>(value) && std::get<std::string>(value).size() == 16;
    case TypeKind::kFixed:
      return std::holds_alternative<std::string>(value) &&
             std::get<std::string>(value).size() == static_cast<size_t>(type.length);
    case TypeKind::kStruct:
    case TypeKind::kList:
    case TypeKind::kMap: return false;
  }
  return false;
}

Result<Value> promote(const Type& type, const Value& value) {
  if (is_null(value) || fits(type, value)) {
    return value;
  }
  if (type.kind == TypeKind::kLong && is_integer(value)) {
    return Value(integer_of(value));
  }
  if (type.kind == TypeKind::kDouble && is_floating(value)) {
    return Value(floating_of(value));
  }
  return Error{Code::kCorrupt, fmt::format("a value is not of the type {}", to_string(type))};
}

std::string minimal_big_endian(__int128 number) {
  std::string bytes;
  auto left = number;
  do {
    bytes.insert(bytes.begin(), static_cast<char>(static_cast<unsigned char>(left & 0xFF)));
    left >>= 8;  // arithmetic: ends at 0 or -1
  } while (!(left == 0 && (bytes[0] & 0x80) == 0) && !(left == -1 && (bytes[0] & 0x80) != 0));
  return bytes;
}

std::string to_bytes(const Type& type, const Value& value) {
  if (const auto* flag = std::get_if<bool>(&value)) {
    return {*flag ? '\x01' : '\x00'};
  }
  if (const auto* decimal = std::get_if<Decimal>(&value)) {
    return minimal_big_endian(decimal->unscaled);
  }
  if (const auto* text = std::get_if<std::string>(&value)) {
    return *text;
  }
  if (is_integer(value)) {
    bool narrow = type.kind == TypeKind::kInt || type.kind == TypeKind::kDate;
    return narrow ? little_endian(static_cast<int32_t>(integer_of(value))) : little_endian(integer_of(value));
  }
  if (is_floating(value)) {
    bool narrow = type.kind == TypeKind::kFloat;
    return narrow ? little_endian(static_cast<float>(floating_of(value))) : little_endian(floating_of(value));
  }
  return {};
}

Result<Value> from_bytes(const Type& type, const std::string& bytes) {
  switch (type.kind) {
    case TypeKind::kBoolean:
      if (bytes.size() != 1) {
        return wrong_length(type, bytes);
      }
      return Value(bytes[0] != 0);
    case TypeKind::kInt:
    case TypeKind::kDate:
      if (bytes.size() != 4) {
        return wrong_length(type, bytes);
      }
      return Value(read_little_endian<int32_t>(bytes));
    case TypeKind::kLong:
    case TypeKind::kTime:
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampTz:
    case TypeKind::kTimestampNs:
    case TypeKind::kTimestampTzNs: return long_from(type, bytes);
    case TypeKind::kFloat:
      if (bytes.size() != 4) {
        return wrong_length(type, bytes);
      }
      return Value(read_little_endian<float>(bytes));
    case TypeKind::kDouble:
      if (bytes.size() == 4) {
        return Value(static_cast<double>(read_little_endian<float>(bytes)));
      }
      if (bytes.size() != 8) {
        return wrong_length(type, bytes);
      }
      return Value(read_little_endian<double>(bytes));
    case TypeKind::kDecimal: return decimal_from(type, bytes);
    case TypeKind::kUuid:
      if (bytes.size() != 16) {
        return wrong_length(type, bytes);
      }
      return Value(bytes);
    case TypeKind::kString:
    case TypeKind::kFixed:
    case TypeKind::kBinary: return Value(bytes);
    case TypeKind::kStruct:
    case TypeKind::kList:
    case TypeKind::kMap: break;
  }
  return Error{Code::kCorrupt, fmt::format("the type {} has no single values", to_string(type))};
}

}  // namespace tarn::iceberg
