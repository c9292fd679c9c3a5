#include "iceberg/bounds.h"

#include <cmath>

#include "iceberg/partition.h"

namespace tarn::iceberg {
namespace {

constexpr size_t kBoundLengthMax = 16;  // code points of text, bytes of binary

// The first code point at `at`, as UTF-8 says it; bytes that are not UTF-8 stand for themselves.
uint32_t code_point_at(const std::string& text, size_t at) {
  auto lead = static_cast<unsigned char>(text[at]);
  size_t more = lead >= 0xF0 ? 3 : (lead >= 0xE0 ? 2 : (lead >= 0xC0 ? 1 : 0));
  uint32_t point = more == 0 ? lead : lead & (0x3FU >> more);
  for (size_t i = 1; i <= more && at + i < text.size(); ++i) {
    point = (point << 6) | (static_cast<unsigned char>(text[at + i]) & 0x3F);
  }
  return point;
}

std::string utf8_of(uint32_t point) {
  std::string text;
  auto add = [&](uint32_t byte) { text.push_back(static_cast<char>(byte)); };
  if (point < 0x80) {
    add(point);
  } else if (point < 0x800) {
    add(0xC0 | (point >> 6));
    add(0x80 | (point & 0x3F));
  } else if (point < 0x10000) {
    add(0xE0 | (point >> 12));
    add(0x80 | ((point >> 6) & 0x3F));
    add(0x80 | (point & 0x3F));
  } else {
    add(0xF0 | (point >> 18));
    add(0x80 | ((point >> 12) & 0x3F));
    add(0x80 | ((point >> 6) & 0x3F));
    add(0x80 | (point & 0x3F));
  }
  return text;
}

// The least text above all texts that begin with `prefix`, of at most as many code points.
std::optional<std::string> increment_text(std::string prefix) {
  while (!prefix.empty()) {
    size_t at = prefix.size() - 1;
    while (at > 0 && (static_cast<unsigned char>(prefix[at]) & 0xC0) == 0x80) {
      --at;
    }
    auto point = code_point_at(prefix, at) + 1;
    prefix.resize(at);
    if (point == 0xD800) {
      point = 0xE000;  // surrogates are no characters
    }
    if (point <= 0x10FFFF) {
      return prefix + utf8_of(point);
    }
  }
  return std::nullopt;
}

std::optional<std::string> increment_bytes(std::string prefix) {
  while (!prefix.empty()) {
    auto last = static_cast<unsigned char>(prefix.back());
    prefix.pop_back();
    if (last != 0xFF) {
      prefix.push_back(static_cast<char>(last + 1));
      return prefix;
    }
  }
  return std::nullopt;
}

template <class T>
bool is_zero(const Value& value) {
  const auto* number = std::get_if<T>(&value);
  return number != nullptr && *number == 0;
}

// Writers print and compare both zeros alike, but a bound orders -0.0 before +0.0.
Value with_sign_of_zero(const Value& value, bool negative) {
  if (is_zero<float>(value)) {
    return negative ? -0.0F : 0.0F;
  }
  if (is_zero<double>(value)) {
    return negative ? -0.0 : 0.0;
  }
  return value;
}

}  // namespace

std::optional<std::string> lower_bound(const Type& type, const Value& value) {
  if (is_null(value) || is_nan(value) || type.is_nested()) {
    return std::nullopt;
  }
  auto bytes = to_bytes(type, with_sign_of_zero(value, true));
  if (type.kind == TypeKind::kString) {
    return truncate_text(bytes, kBoundLengthMax);
  }
  return type.kind == TypeKind::kBinary ? bytes.substr(0, kBoundLengthMax) : bytes;
}

std::optional<std::string> upper_bound(const Type& type, const Value& value) {
  if (is_null(value) || is_nan(value) || type.is_nested()) {
    return std::nullopt;
  }
  auto bytes = to_bytes(type, with_sign_of_zero(value, false));
  if (type.kind == TypeKind::kString) {
    auto cut = truncate_text(bytes, kBoundLengthMax);
    return cut.size() == bytes.size() ? std::optional<std::string>(bytes) : increment_text(std::move(cut));
  }
  if (type.kind == TypeKind::kBinary && bytes.size() > kBoundLengthMax) {
    return increment_bytes(bytes.substr(0, kBoundLengthMax));
  }
  return bytes;
}

void add_statistics(DataFile& file, const Field& field, const ColumnStatistics& statistics,
                    bool in_collection) {
  if (field.type.is_nested()) {
    return;
  }
  if (statistics.size_bytes) {
    file.column_sizes[field.id] = *statistics.size_bytes;
  }
  if (statistics.value_count) {
    file.value_counts[field.id] = *statistics.value_count;
  }
  if (statistics.null_count) {
    file.null_value_counts[field.id] = *statistics.null_count;
  }
  bool floating = field.type.kind == TypeKind::kFloat || field.type.kind == TypeKind::kDouble;
  if (floating && statistics.has_nan && !*statistics.has_nan) {
    file.nan_value_counts[field.id] = 0;
  }
  if (in_collection) {
    return;
  }
  if (statistics.min) {
    auto value = parse_text(field.type, *statistics.min);
    auto bound = value ? lower_bound(field.type, *value) : std::nullopt;
    if (bound) {
      file.lower_bounds[field.id] = std::move(*bound);
    }
  }
  if (statistics.max) {
    auto value = parse_text(field.type, *statistics.max);
    auto bound = value ? upper_bound(field.type, *value) : std::nullopt;
    if (bound) {
      file.upper_bounds[field.id] = std::move(*bound);
    }
  }
}

}  // namespace tarn::iceberg
