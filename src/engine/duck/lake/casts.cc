#include "engine/duck/lake/casts.h"

#include "duckdb/function/cast/default_casts.hpp"

namespace tarn::engine::lake {
namespace {

using db::LogicalType;

db::BoundCastInfo whole_decimal_cast(db::BindCastInput& input, const LogicalType& from,
                                     const LogicalType& to) {
  const bool whole = from.InternalType() == db::PhysicalType::INT128 && db::DecimalType::GetScale(from) == 0;
  if (!whole) {
    return db::DefaultCasts::GetDefaultCastFunction(input, from, to);
  }
  if (to.id() == db::LogicalTypeId::HUGEINT) {
    return db::DefaultCasts::ReinterpretCast;
  }
  return input.GetCastFunction(LogicalType::HUGEINT, to);
}

}  // namespace

void register_casts(db::ExtensionLoader& loader) {
  for (const auto& to : {LogicalType::HUGEINT, LogicalType::UBIGINT, LogicalType::UHUGEINT}) {
    loader.RegisterCastFunction(LogicalType(db::LogicalTypeId::DECIMAL), to, whole_decimal_cast);
  }
}

}  // namespace tarn::engine::lake
