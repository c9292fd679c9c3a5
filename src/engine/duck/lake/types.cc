#include "engine/duck/lake/types.h"

#include <fmt/format.h>

#include "duckdb/common/types/uuid.hpp"

namespace tarn::engine::lake {
namespace {

using db::LogicalTypeId;
using iceberg::Type;
using iceberg::TypeKind;

Type simple(TypeKind kind) {
  Type type;
  type.kind = kind;
  return type;
}

Type decimal(int precision, int scale) {
  Type type = simple(TypeKind::kDecimal);
  type.precision = precision;
  type.scale = scale;
  return type;
}

Result<iceberg::Field> child(const std::string& name, bool required, const db::LogicalType& declared,
                             const std::string& column, int& last_id) {
  iceberg::Field field;
  field.id = ++last_id;
  field.name = name;
  field.required = required;
  TARN_TRY(field.type, stored_type(declared, column, last_id));
  return field;
}

Result<Type> stored_nested(const db::LogicalType& declared, const std::string& column, int& last_id) {
  Type type;
  if (declared.id() == LogicalTypeId::STRUCT) {
    type.kind = TypeKind::kStruct;
    for (const auto& [name, child_type] : db::StructType::GetChildTypes(declared)) {
      TARN_TRY(auto field, child(name, false, child_type, column, last_id));
      type.fields.push_back(std::move(field));
    }
    return type;
  }
  if (declared.id() == LogicalTypeId::MAP) {
    type.kind = TypeKind::kMap;
    TARN_TRY(auto key, child("key", true, db::MapType::KeyType(declared), column, last_id));
    TARN_TRY(auto value, child("value", false, db::MapType::ValueType(declared), column, last_id));
    type.fields.push_back(std::move(key));
    type.fields.push_back(std::move(value));
    return type;
  }
  type.kind = TypeKind::kList;
  const auto& element_type = declared.id() == LogicalTypeId::ARRAY ? db::ArrayType::GetChildType(declared)
                                                                   : db::ListType::GetChildType(declared);
  TARN_TRY(auto element, child("element", false, element_type, column, last_id));
  type.fields.push_back(std::move(element));
  return type;
}

// An engine UUID is a hugeint with its top bit flipped; Iceberg wants 16 bytes, big-endian.
std::string uuid_bytes(db::hugeint_t value) {
  const uint64_t upper = static_cast<uint64_t>(value.upper) ^ (uint64_t{1} << 63);
  std::string bytes(16, '\0');
  for (size_t i = 0; i < 8; ++i) {
    bytes[i] = static_cast<char>(upper >> (56 - 8 * i));
    bytes[8 + i] = static_cast<char>(value.lower >> (56 - 8 * i));
  }
  return bytes;
}

iceberg::Decimal unscaled(const db::Value& value) {
  switch (value.type().InternalType()) {
    case db::PhysicalType::INT16: return {value.GetValueUnsafe<int16_t>()};
    case db::PhysicalType::INT32: return {value.GetValueUnsafe<int32_t>()};
    case db::PhysicalType::INT64: return {value.GetValueUnsafe<int64_t>()};
    default: break;
  }
  const auto huge = value.GetValueUnsafe<db::hugeint_t>();
  return {(static_cast<__int128>(huge.upper) << 64) | static_cast<__int128>(huge.lower)};
}

}  // namespace

Result<Type> stored_type(const db::LogicalType& declared, const std::string& column, int& last_id) {
  switch (declared.id()) {
    case LogicalTypeId::BOOLEAN: return simple(TypeKind::kBoolean);
    case LogicalTypeId::SQLNULL:
    case LogicalTypeId::TINYINT:
    case LogicalTypeId::SMALLINT:
    case LogicalTypeId::INTEGER:
    case LogicalTypeId::UTINYINT:
    case LogicalTypeId::USMALLINT: return simple(TypeKind::kInt);
    case LogicalTypeId::UINTEGER:
    case LogicalTypeId::BIGINT: return simple(TypeKind::kLong);
    case LogicalTypeId::UBIGINT:
    case LogicalTypeId::HUGEINT:
    case LogicalTypeId::UHUGEINT: return decimal(38, 0);
    case LogicalTypeId::FLOAT: return simple(TypeKind::kFloat);
    case LogicalTypeId::DOUBLE: return simple(TypeKind::kDouble);
    case LogicalTypeId::DECIMAL:
      return decimal(db::DecimalType::GetWidth(declared), db::DecimalType::GetScale(declared));
    case LogicalTypeId::VARCHAR:
    case LogicalTypeId::CHAR:
    case LogicalTypeId::ENUM:
    case LogicalTypeId::BIT:
    case LogicalTypeId::INTERVAL:
    case LogicalTypeId::TIME_TZ:
    case LogicalTypeId::BIGNUM: return simple(TypeKind::kString);
    case LogicalTypeId::BLOB: return simple(TypeKind::kBinary);
    case LogicalTypeId::UUID: return simple(TypeKind::kUuid);
    case LogicalTypeId::DATE: return simple(TypeKind::kDate);
    case LogicalTypeId::TIME: return simple(TypeKind::kTime);
    case LogicalTypeId::TIMESTAMP:
    case LogicalTypeId::TIMESTAMP_SEC:
    case LogicalTypeId::TIMESTAMP_MS: return simple(TypeKind::kTimestamp);
    case LogicalTypeId::TIMESTAMP_TZ: return simple(TypeKind::kTimestampTz);
    case LogicalTypeId::STRUCT:
    case LogicalTypeId::LIST:
    case LogicalTypeId::ARRAY:
    case LogicalTypeId::MAP: return stored_nested(declared, column, last_id);
    case LogicalTypeId::TIMESTAMP_NS:
      return Error{
          Code::kUnsupported,
          fmt::format("column \"{}\" has type TIMESTAMP_NS, which a lake table cannot hold: cast it to "
                      "TIMESTAMP (microseconds)",
                      column)};
    default: break;
  }
  return Error{Code::kUnsupported,
               fmt::format("column \"{}\" has type {}, which a lake table cannot hold: cast it to "
                           "another type, VARCHAR for example",
                           column, declared.ToString())};
}

db::LogicalType engine_type(const Type& type) {
  switch (type.kind) {
    case TypeKind::kBoolean: return db::LogicalType::BOOLEAN;
    case TypeKind::kInt: return db::LogicalType::INTEGER;
    case TypeKind::kLong: return db::LogicalType::BIGINT;
    case TypeKind::kFloat: return db::LogicalType::FLOAT;
    case TypeKind::kDouble: return db::LogicalType::DOUBLE;
    case TypeKind::kDecimal:
      return db::LogicalType::DECIMAL(static_cast<uint8_t>(type.precision), static_cast<uint8_t>(type.scale));
    case TypeKind::kDate: return db::LogicalType::DATE;
    case TypeKind::kTime: return db::LogicalType::TIME;
    case TypeKind::kTimestamp: return db::LogicalType::TIMESTAMP;
    case TypeKind::kTimestampTz:
    case TypeKind::kTimestampTzNs: return db::LogicalType::TIMESTAMP_TZ;
    case TypeKind::kTimestampNs: return db::LogicalType::TIMESTAMP_NS;
    case TypeKind::kString: return db::LogicalType::VARCHAR;
    case TypeKind::kUuid: return db::LogicalType::UUID;
    case TypeKind::kFixed:
    case TypeKind::kBinary: return db::LogicalType::BLOB;
    case TypeKind::kList: return db::LogicalType::LIST(engine_type(type.fields.at(0).type));
    case TypeKind::kMap:
      return db::LogicalType::MAP(engine_type(type.fields.at(0).type), engine_type(type.fields.at(1).type));
    case TypeKind::kStruct: break;
  }
  db::child_list_t<db::LogicalType> children;
  for (const auto& field : type.fields) {
    children.emplace_back(field.name, engine_type(field.type));
  }
  return db::LogicalType::STRUCT(std::move(children));
}

bool can_widen(const Type& from, const Type& to) {
  if (from.kind == TypeKind::kInt) {
    return to.kind == TypeKind::kLong || to.kind == TypeKind::kInt;
  }
  if (from.kind == TypeKind::kFloat) {
    return to.kind == TypeKind::kDouble || to.kind == TypeKind::kFloat;
  }
  if (from.kind == TypeKind::kDecimal) {
    return to.kind == TypeKind::kDecimal && to.scale == from.scale && to.precision >= from.precision;
  }
  return from.kind == to.kind && !from.is_nested() && from.length == to.length;
}

std::optional<iceberg::Value> to_iceberg(const db::Value& value, const Type& type) {
  if (value.IsNull()) {
    return iceberg::Value{};
  }
  if (type.is_nested()) {
    return std::nullopt;
  }
  db::Value cast;
  db::string error;
  if (!value.DefaultTryCastAs(engine_type(type), cast, &error, true) || cast.IsNull()) {
    return std::nullopt;
  }
  switch (type.kind) {
    case TypeKind::kBoolean: return iceberg::Value{db::BooleanValue::Get(cast)};
    case TypeKind::kInt: return iceberg::Value{db::IntegerValue::Get(cast)};
    case TypeKind::kLong: return iceberg::Value{db::BigIntValue::Get(cast)};
    case TypeKind::kFloat: return iceberg::Value{db::FloatValue::Get(cast)};
    case TypeKind::kDouble: return iceberg::Value{db::DoubleValue::Get(cast)};
    case TypeKind::kDecimal: return iceberg::Value{unscaled(cast)};
    case TypeKind::kDate: return iceberg::Value{db::DateValue::Get(cast).days};
    case TypeKind::kTime: return iceberg::Value{db::TimeValue::Get(cast).micros};
    case TypeKind::kTimestamp: return iceberg::Value{db::TimestampValue::Get(cast).value};
    case TypeKind::kTimestampTz: return iceberg::Value{cast.GetValueUnsafe<db::timestamp_t>().value};
    case TypeKind::kString:
    case TypeKind::kFixed:
    case TypeKind::kBinary: return iceberg::Value{std::string(db::StringValue::Get(cast))};
    case TypeKind::kUuid: return iceberg::Value{uuid_bytes(cast.GetValueUnsafe<db::hugeint_t>())};
    case TypeKind::kTimestampNs:
    case TypeKind::kTimestampTzNs:
    case TypeKind::kStruct:
    case TypeKind::kList:
    case TypeKind::kMap: break;
  }
  return std::nullopt;
}

db::Value to_engine(const iceberg::Value& value, const Type& type) {
  const auto engine = engine_type(type);
  if (iceberg::is_null(value)) {
    return db::Value(engine);
  }
  if (const auto* decimal = std::get_if<iceberg::Decimal>(&value)) {
    db::hugeint_t huge;
    huge.upper = static_cast<int64_t>(decimal->unscaled >> 64);
    huge.lower = static_cast<uint64_t>(decimal->unscaled);
    return db::Value::DECIMAL(huge, 38, static_cast<uint8_t>(type.scale)).DefaultCastAs(engine);
  }
  if (const auto* text = std::get_if<std::string>(&value)) {
    const auto* bytes = reinterpret_cast<const uint8_t*>(text->data());
    switch (type.kind) {
      case TypeKind::kString: return db::Value(*text);
      case TypeKind::kUuid: return db::Value::UUID(db::UUID::FromBlob(bytes));
      default: return db::Value::BLOB(bytes, text->size());
    }
  }
  if (const auto* flag = std::get_if<bool>(&value)) {
    return db::Value::BOOLEAN(*flag);
  }
  if (const auto* single = std::get_if<float>(&value)) {
    return db::Value::FLOAT(*single);
  }
  if (const auto* number = std::get_if<double>(&value)) {
    return db::Value::DOUBLE(*number);
  }
  const int64_t number =
      std::holds_alternative<int32_t>(value) ? std::get<int32_t>(value) : std::get<int64_t>(value);
  switch (type.kind) {
    case TypeKind::kDate: return db::Value::DATE(db::date_t(static_cast<int32_t>(number)));
    case TypeKind::kTime: return db::Value::TIME(db::dtime_t(number));
    case TypeKind::kTimestamp: return db::Value::TIMESTAMP(db::timestamp_t(number));
    case TypeKind::kTimestampTz: return db::Value::TIMESTAMPTZ(db::timestamp_tz_t(number));
    case TypeKind::kTimestampNs: return db::Value::TIMESTAMPNS(db::timestamp_ns_t(number));
    default: return db::Value::Numeric(engine, number);
  }
}

}  // namespace tarn::engine::lake
