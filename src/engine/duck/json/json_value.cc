#include "engine/duck/json/json_value.h"

#include <charconv>
#include <cmath>

#include "duckdb/common/operator/cast_operators.hpp"
#include "engine/duck/json/exact_number.h"
#include "engine/lake_catalog.h"

namespace tarn::engine::json {
namespace {

using codec::JsonKind;
using codec::JsonScanner;

Target::Kind kind_of(const db::LogicalType& type) {
  if (type.IsJSONType()) {
    return Target::Kind::kJson;
  }
  switch (type.id()) {
    case db::LogicalTypeId::VARCHAR: return Target::Kind::kText;
    case db::LogicalTypeId::BOOLEAN: return Target::Kind::kBoolean;
    case db::LogicalTypeId::TINYINT:
    case db::LogicalTypeId::SMALLINT:
    case db::LogicalTypeId::INTEGER:
    case db::LogicalTypeId::BIGINT:
    case db::LogicalTypeId::UTINYINT:
    case db::LogicalTypeId::USMALLINT:
    case db::LogicalTypeId::UINTEGER:
    case db::LogicalTypeId::UBIGINT:
    case db::LogicalTypeId::HUGEINT:
    case db::LogicalTypeId::UHUGEINT: return Target::Kind::kWhole;
    case db::LogicalTypeId::FLOAT: return Target::Kind::kFloat;
    case db::LogicalTypeId::DOUBLE: return Target::Kind::kDouble;
    case db::LogicalTypeId::DATE: return Target::Kind::kDate;
    case db::LogicalTypeId::TIMESTAMP: return Target::Kind::kTimestamp;
    case db::LogicalTypeId::TIMESTAMP_TZ: return Target::Kind::kTimestampTz;
    case db::LogicalTypeId::LIST: return Target::Kind::kList;
    case db::LogicalTypeId::STRUCT: return Target::Kind::kStruct;
    case db::LogicalTypeId::MAP: return Target::Kind::kMap;
    default: return Target::Kind::kOther;
  }
}

db::string_t as_string(std::string_view text) {
  return db::string_t(text.data(), static_cast<uint32_t>(text.size()));
}

template <class T>
void set(db::Vector& vector, db::idx_t row, T value) {
  db::FlatVector::Validity(vector).SetValid(row);
  db::FlatVector::GetData<T>(vector)[row] = value;
}

template <class T>
bool convert_as(std::string_view text, db::Vector& vector, db::idx_t row) {
  T value{};
  if (!db::TryCast::Operation(as_string(text), value, false)) {
    return false;
  }
  set(vector, row, value);
  return true;
}

// Up to 15 digits over a power of ten that a double holds exactly: one division rounds once, as it should.
bool convert_short(std::string_view text, double& value) {
  constexpr double kPowers[] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
  const bool negative = text.starts_with('-');
  text.remove_prefix(negative ? 1 : 0);
  if (text.empty() || text.size() > 16) {
    return false;
  }
  int64_t digits = 0;
  size_t point = text.size();
  for (size_t i = 0; i < text.size(); ++i) {
    const auto digit = static_cast<unsigned char>(text[i] - '0');
    if (digit <= 9) {
      digits = digits * 10 + digit;
    } else if (text[i] == '.' && point == text.size()) {
      point = i;
    } else {
      return false;
    }
  }
  const size_t fraction = point == text.size() ? 0 : text.size() - point - 1;
  if (text.size() - (point == text.size() ? 0 : 1) > 15 || text.size() == fraction + 1) {
    return false;
  }
  value = static_cast<double>(digits) / kPowers[fraction];
  value = negative ? -value : value;
  return true;
}

template <class T>
bool convert_float(std::string_view text, db::Vector& vector, db::idx_t row) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size()) {
    set(vector, row, value);
    return true;
  }
  if (!convert_as<T>(text, vector, row)) {
    return false;
  }
  const bool is_far =
      error == std::errc::result_out_of_range;  // next to nothing is 0, too much is not infinity
  return !is_far || std::isfinite(db::FlatVector::GetData<T>(vector)[row]);
}

bool convert_time_with_zone(std::string_view text, db::Vector& vector, db::idx_t row) {
  db::timestamp_t value;
  bool has_offset = false;
  db::string_t zone;
  const auto read =
      db::Timestamp::TryConvertTimestampTZ(text.data(), text.size(), value, true, has_offset, zone);
  if (read != db::TimestampCastResult::SUCCESS || !has_offset || zone.GetSize() > 0) {
    return false;  // the session's time zone is needed
  }
  set(vector, row, db::timestamp_tz_t(value));
  return true;
}

}  // namespace

Target::Target(db::LogicalType logical_type) : type(std::move(logical_type)), kind(kind_of(type)) {
  if (kind == Kind::kList) {
    children.emplace_back(db::ListType::GetChildType(type));
  } else if (kind == Kind::kMap) {
    children.emplace_back(db::MapType::KeyType(type));
    children.emplace_back(db::MapType::ValueType(type));
  } else if (kind == Kind::kStruct) {
    for (const auto& [name, child] : db::StructType::GetChildTypes(type)) {
      members.emplace(fold(name), children.size());
      children.emplace_back(child);
    }
  }
}

void ValueReader::set_null(const Target& target, db::Vector& vector, db::idx_t row) {
  db::FlatVector::SetNull(vector, row, true);  // children of a struct as well
  if (target.kind == Target::Kind::kList || target.kind == Target::Kind::kMap) {
    db::ListVector::GetData(vector)[row] = {db::ListVector::GetListSize(vector), 0};
  }
}

Outcome ValueReader::read(JsonScanner& scanner, const Target& target, db::Vector& vector, db::idx_t row) {
  const auto kind = scanner.next_kind();
  if (kind == JsonKind::kBroken) {
    return Outcome::kBroken;
  }
  if (kind == JsonKind::kNull) {
    set_null(target, vector, row);
    return scanner.read_word() ? Outcome::kDone : Outcome::kBroken;
  }
  switch (target.kind) {
    case Target::Kind::kList:
      return kind == JsonKind::kArray ? read_list(scanner, target, vector, row) : Outcome::kUnfit;
    case Target::Kind::kStruct:
      return kind == JsonKind::kObject ? read_struct(scanner, target, vector, row) : Outcome::kUnfit;
    case Target::Kind::kMap:
      return kind == JsonKind::kObject ? read_map(scanner, target, vector, row) : Outcome::kUnfit;
    default: return read_scalar(scanner, kind, target, vector, row);
  }
}

Outcome ValueReader::read_scalar(JsonScanner& scanner, JsonKind kind, const Target& target,
                                 db::Vector& vector, db::idx_t row) {
  std::string_view text;
  bool whole = false;
  const bool is_text = kind == JsonKind::kString && target.kind != Target::Kind::kJson;
  const bool valid = is_text                     ? scanner.read_string(text, buffer_)
                     : kind == JsonKind::kNumber ? scanner.read_number(text, whole)
                                                 : scanner.skip(text);
  if (!valid) {
    return Outcome::kBroken;
  }
  if (target.kind == Target::Kind::kText || target.kind == Target::Kind::kJson) {
    const bool nested = kind == JsonKind::kObject || kind == JsonKind::kArray;
    set(vector, row,
        nested ? db::StringVector::AddString(vector, codec::without_space(text))
               : db::StringVector::AddString(vector, text.data(), text.size()));
    return Outcome::kDone;
  }
  return convert(text, target, vector, row) ? Outcome::kDone : Outcome::kUnfit;
}

bool ValueReader::convert(std::string_view text, const Target& target, db::Vector& vector, db::idx_t row) {
  switch (target.kind) {
    case Target::Kind::kBoolean: return convert_as<bool>(text, vector, row);
    case Target::Kind::kWhole: return read_whole(text, vector, row);
    case Target::Kind::kFloat: return convert_float<float>(text, vector, row);
    case Target::Kind::kDouble: {
      double value = 0;
      if (!convert_short(text, value)) {
        return convert_float<double>(text, vector, row);
      }
      set(vector, row, value);
      return true;
    }
    case Target::Kind::kDate: return convert_as<db::date_t>(text, vector, row);
    case Target::Kind::kTimestamp: return convert_as<db::timestamp_t>(text, vector, row);
    case Target::Kind::kTimestampTz:
      return convert_time_with_zone(text, vector, row) || cast(std::string(text), target, vector, row);
    default: return cast(std::string(text), target, vector, row);
  }
}

bool ValueReader::cast(const std::string& text, const Target& target, db::Vector& vector, db::idx_t row) {
  db::Value value;
  db::string error;
  if (!db::Value(text).TryCastAs(context_, target.type, value, &error)) {
    return false;
  }
  db::FlatVector::Validity(vector).SetValid(row);
  vector.SetValue(row, value);
  return true;
}

Outcome ValueReader::read_list(JsonScanner& scanner, const Target& target, db::Vector& vector,
                               db::idx_t row) {
  const auto begin = db::ListVector::GetListSize(vector);
  auto size = begin;
  scanner.open();
  for (bool first = true;; first = false) {
    const auto step = scanner.next_element(first);
    if (step == JsonScanner::Step::kBroken) {
      return Outcome::kBroken;
    }
    if (step == JsonScanner::Step::kEnd) {
      break;
    }
    db::ListVector::Reserve(vector, size + 1);
    db::ListVector::SetListSize(vector, size + 1);
    const auto outcome = read(scanner, target.children[0], db::ListVector::GetEntry(vector), size);
    if (outcome != Outcome::kDone) {
      return outcome;
    }
    ++size;
  }
  set(vector, row, db::list_entry_t{begin, size - begin});
  return Outcome::kDone;
}

Outcome ValueReader::read_struct(JsonScanner& scanner, const Target& target, db::Vector& vector,
                                 db::idx_t row) {
  auto& children = db::StructVector::GetEntries(vector);
  db::FlatVector::Validity(vector).SetValid(row);
  for (size_t i = 0; i < children.size(); ++i) {
    set_null(target.children[i], *children[i], row);
  }
  scanner.open();
  for (bool first = true;; first = false) {
    std::string_view key;
    const auto step = scanner.next_member(first, key, buffer_);
    if (step != JsonScanner::Step::kItem) {
      return step == JsonScanner::Step::kEnd ? Outcome::kDone : Outcome::kBroken;
    }
    const auto found = target.members.find(fold(key));
    if (found == target.members.end()) {
      std::string_view raw;
      if (!scanner.skip(raw)) {
        return Outcome::kBroken;
      }
      continue;
    }
    const auto outcome = read(scanner, target.children[found->second], *children[found->second], row);
    if (outcome != Outcome::kDone) {
      return outcome;
    }
  }
}

Outcome ValueReader::read_map(JsonScanner& scanner, const Target& target, db::Vector& vector, db::idx_t row) {
  const auto begin = db::ListVector::GetListSize(vector);
  auto size = begin;
  std::vector<std::string> seen;
  scanner.open();
  for (bool first = true;; first = false) {
    std::string_view key;
    const auto step = scanner.next_member(first, key, buffer_);
    if (step == JsonScanner::Step::kBroken) {
      return Outcome::kBroken;
    }
    if (step == JsonScanner::Step::kEnd) {
      break;
    }
    if (std::find(seen.begin(), seen.end(), key) != seen.end()) {
      return Outcome::kUnfit;  // a MAP has each key once
    }
    seen.emplace_back(key);
    db::ListVector::Reserve(vector, size + 1);
    db::ListVector::SetListSize(vector, size + 1);
    auto& keys = db::MapVector::GetKeys(vector);
    const auto& key_target = target.children[0];
    if (key_target.kind == Target::Kind::kText) {
      set(keys, size, db::StringVector::AddString(keys, seen.back()));
    } else if (!convert(seen.back(), key_target, keys, size)) {
      return Outcome::kUnfit;
    }
    const auto outcome = read(scanner, target.children[1], db::MapVector::GetValues(vector), size);
    if (outcome != Outcome::kDone) {
      return outcome;
    }
    ++size;
  }
  set(vector, row, db::list_entry_t{begin, size - begin});
  return Outcome::kDone;
}

}  // namespace tarn::engine::json
