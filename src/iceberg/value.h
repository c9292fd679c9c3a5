// One value of a primitive type: partition values, bounds, filter literals.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "iceberg/type.h"

namespace tarn::iceberg {

struct Decimal {
  __int128 unscaled = 0;
  bool operator==(const Decimal&) const = default;
};

// int: int32 (also date, days since 1970). long: int64 (also time and timestamps, in µs or ns).
// string, fixed, binary: std::string of the bytes; uuid: 16 bytes, big-endian. monostate is null.
using Value = std::variant<std::monostate, bool, int32_t, int64_t, float, double, Decimal, std::string>;

inline bool is_null(const Value& value) {
  return std::holds_alternative<std::monostate>(value);
}

// Order within one type: -NaN < -inf … -0.0 < +0.0 … inf < NaN; strings and binary by unsigned byte. Not for
// nulls.
int compare(const Value& a, const Value& b);

bool is_nan(const Value& value);
// Whether the value is held as this primitive type wants it; nulls do not fit.
bool fits(const Type& type, const Value& value);
// The value as a (perhaps widened) type holds it: int for a long column becomes long. Null stays null.
Result<Value> promote(const Type& type, const Value& value);

// Two's complement in as few bytes as hold it, most significant first: decimals in bounds and in Avro.
std::string minimal_big_endian(__int128 number);

// Single-value binary serialisation (spec appendix D), and back; a 4-byte bound of a promoted long is read.
std::string to_bytes(const Type& type, const Value& value);
Result<Value> from_bytes(const Type& type, const std::string& bytes);

}  // namespace tarn::iceberg
