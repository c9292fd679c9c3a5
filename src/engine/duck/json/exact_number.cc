#include "engine/duck/json/exact_number.h"

#include <charconv>
#include <optional>
#include <string>

#include "duckdb/common/operator/cast_operators.hpp"

namespace tarn::engine::json {
namespace {

namespace db = duckdb;

constexpr size_t kDigitsMax = 40;  // more than any integer type has

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) {
    text.remove_prefix(1);
  }
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r')) {
    text.remove_suffix(1);
  }
  return text;
}

// The digits of a number with a fraction or an exponent, when that leaves it whole.
std::optional<std::string> whole_digits(std::string_view text) {
  std::string out;
  if (text.starts_with('-') || text.starts_with('+')) {
    out = text.front() == '-' ? "-" : "";
    text.remove_prefix(1);
  }
  const size_t sign = out.size();
  int64_t exponent = 0;
  if (const size_t e = text.find_first_of("eE"); e != std::string_view::npos) {
    auto power = text.substr(e + 1);
    power.remove_prefix(power.starts_with('+') ? 1 : 0);
    const auto [end, error] = std::from_chars(power.data(), power.data() + power.size(), exponent);
    if (error != std::errc() || end != power.data() + power.size()) {
      return std::nullopt;
    }
    text = text.substr(0, e);
  }
  const size_t point = text.find('.');
  std::string digits(text.substr(0, point));
  if (point != std::string_view::npos) {
    const auto fraction = text.substr(point + 1);
    exponent -= static_cast<int64_t>(fraction.size());
    digits += fraction;
  }
  if (digits.empty() || digits.find_first_not_of("0123456789") != std::string::npos) {
    return std::nullopt;
  }
  for (; exponent < 0 && !digits.empty() && digits.back() == '0'; ++exponent) {
    digits.pop_back();
  }
  digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size()));
  if (digits.empty()) {
    return "0";
  }
  if (exponent < 0 || exponent + static_cast<int64_t>(digits.size()) > static_cast<int64_t>(kDigitsMax)) {
    return std::nullopt;
  }
  digits.append(static_cast<size_t>(exponent), '0');
  return out.substr(0, sign) + digits;
}

template <class T>
bool store(std::string_view text, db::Vector& vector, db::idx_t row) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    const auto digits = whole_digits(trim(text));
    if (!digits ||
        std::from_chars(digits->data(), digits->data() + digits->size(), value).ec != std::errc() ||
        (digits->front() == '-' && !std::is_signed_v<T>)) {
      return false;
    }
  }
  db::FlatVector::Validity(vector).SetValid(row);
  db::FlatVector::GetData<T>(vector)[row] = value;
  return true;
}

template <class T>
bool store_huge(std::string_view text, db::Vector& vector, db::idx_t row) {
  const auto digits = whole_digits(trim(text));
  T value{};
  if (!digits || !db::TryCast::Operation(db::string_t(digits->data(), static_cast<uint32_t>(digits->size())),
                                         value, true)) {
    return false;
  }
  db::FlatVector::Validity(vector).SetValid(row);
  db::FlatVector::GetData<T>(vector)[row] = value;
  return true;
}

}  // namespace

bool read_whole(std::string_view text, db::Vector& vector, db::idx_t row) {
  switch (vector.GetType().id()) {
    case db::LogicalTypeId::TINYINT: return store<int8_t>(text, vector, row);
    case db::LogicalTypeId::SMALLINT: return store<int16_t>(text, vector, row);
    case db::LogicalTypeId::INTEGER: return store<int32_t>(text, vector, row);
    case db::LogicalTypeId::BIGINT: return store<int64_t>(text, vector, row);
    case db::LogicalTypeId::UTINYINT: return store<uint8_t>(text, vector, row);
    case db::LogicalTypeId::USMALLINT: return store<uint16_t>(text, vector, row);
    case db::LogicalTypeId::UINTEGER: return store<uint32_t>(text, vector, row);
    case db::LogicalTypeId::UBIGINT: return store<uint64_t>(text, vector, row);
    case db::LogicalTypeId::HUGEINT: return store_huge<db::hugeint_t>(text, vector, row);
    default: return store_huge<db::uhugeint_t>(text, vector, row);
  }
}

}  // namespace tarn::engine::json
