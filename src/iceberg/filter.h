// A conjunction of simple conditions on top-level or nested primitive fields, for pruning files. It only ever
// proves that a file holds no matching row; rows are filtered again by the engine.
#pragma once

#include <string>
#include <vector>

#include "iceberg/value.h"

namespace tarn::iceberg {

enum class Operator { kEqual, kNotEqual, kLess, kLessEqual, kGreater, kGreaterEqual, kIn, kIsNull, kNotNull };

struct Condition {
  int field_id = 0;
  Operator op = Operator::kEqual;
  std::vector<Value> values;  // kIn: several; kIsNull, kNotNull: none; else one
};

struct Filter {
  std::vector<Condition> conditions;  // all must hold
};

}  // namespace tarn::iceberg
