#include "engine/duck/lake/transform_key.h"

#include <fmt/format.h>

#include "duckdb/parser/expression/columnref_expression.hpp"
#include "duckdb/parser/expression/constant_expression.hpp"
#include "duckdb/parser/expression/function_expression.hpp"
#include "engine/lake_catalog.h"

namespace tarn::engine::lake {
namespace {

using iceberg::TransformKind;

struct Key {
  iceberg::Transform transform;
  std::string column;
};

Error bad_key(std::string_view clause, const db::ParsedExpression& key) {
  return Error{
      Code::kInvalid,
      fmt::format("{} ({}): write a column, or year, month, day or hour of one, or bucket(n, column), or "
                  "truncate(n, column)",
                  clause, key.ToString())};
}

Result<std::string> column_name(std::string_view clause, const db::ParsedExpression& key,
                                const db::ParsedExpression& argument) {
  if (argument.GetExpressionClass() != db::ExpressionClass::COLUMN_REF) {
    return bad_key(clause, key);
  }
  return std::string(argument.Cast<db::ColumnRefExpression>().GetColumnName());
}

Result<Key> parse_key(std::string_view clause, const db::ParsedExpression& key) {
  if (key.GetExpressionClass() == db::ExpressionClass::COLUMN_REF) {
    TARN_TRY(auto name, column_name(clause, key, key));
    return Key{{}, name};
  }
  if (key.GetExpressionClass() != db::ExpressionClass::FUNCTION) {
    return bad_key(clause, key);
  }
  const auto& function = key.Cast<db::FunctionExpression>();
  const std::string name = db::StringUtil::Lower(function.function_name);
  const auto& arguments = function.children;
  if (arguments.size() == 1 && (name == "year" || name == "month" || name == "day" || name == "hour")) {
    TARN_TRY(auto transform, iceberg::parse_transform(name));
    TARN_TRY(auto column, column_name(clause, key, *arguments[0]));
    return Key{transform, column};
  }
  if (arguments.size() == 2 && (name == "bucket" || name == "truncate")) {
    // Both orders are in use: bucket(8, id) and bucket(id, 8).
    const size_t number = arguments[0]->GetExpressionClass() == db::ExpressionClass::CONSTANT ? 0 : 1;
    if (arguments[number]->GetExpressionClass() != db::ExpressionClass::CONSTANT) {
      return bad_key(clause, key);
    }
    const auto& value = arguments[number]->Cast<db::ConstantExpression>().value;
    if (!value.type().IsIntegral() || value.IsNull() || value.GetValue<int64_t>() < 1 ||
        value.GetValue<int64_t>() > 1'000'000) {
      return bad_key(clause, key);
    }
    TARN_TRY(auto transform,
             iceberg::parse_transform(fmt::format("{}[{}]", name, value.GetValue<int64_t>())));
    TARN_TRY(auto column, column_name(clause, key, *arguments[1 - number]));
    return Key{transform, column};
  }
  return bad_key(clause, key);
}

const iceberg::Field* find_column(const iceberg::Schema& schema, const std::string& name) {
  const std::string folded = fold(name);
  for (const auto& field : schema.fields) {
    if (fold(field.name) == folded) {
      return &field;
    }
  }
  return nullptr;
}

db::unique_ptr<db::ParsedExpression> constant(int32_t number) {
  return db::make_uniq<db::ConstantExpression>(db::Value::INTEGER(number));
}

}  // namespace

Result<BoundKey> bind_key(std::string_view clause, const db::ParsedExpression& expression,
                          const iceberg::Schema& schema) {
  TARN_TRY(auto key, parse_key(clause, expression));
  const auto* source = find_column(schema, key.column);
  if (source == nullptr) {
    return Error{Code::kInvalid, fmt::format("{} ({}): the table has no column \"{}\"", clause,
                                             expression.ToString(), key.column)};
  }
  if (!iceberg::check_transform(key.transform, source->type)) {
    return Error{Code::kInvalid,
                 fmt::format("{} ({}): column \"{}\" is of the type {}, which this does not take", clause,
                             expression.ToString(), source->name, iceberg::to_string(source->type))};
  }
  return BoundKey{.source = source, .transform = key.transform};
}

db::unique_ptr<db::ParsedExpression> key_expression(const iceberg::Schema& schema, int source_id,
                                                    const iceberg::Transform& transform) {
  const auto* source = schema.find(source_id);
  if (source == nullptr || transform.kind == TransformKind::kVoid ||
      transform.kind == TransformKind::kUnknown) {
    return nullptr;
  }
  db::unique_ptr<db::ParsedExpression> column = db::make_uniq<db::ColumnRefExpression>(source->name);
  if (transform.kind == TransformKind::kIdentity) {
    return column;
  }
  const auto text = iceberg::to_string(transform);
  db::vector<db::unique_ptr<db::ParsedExpression>> arguments;
  if (transform.kind == TransformKind::kBucket || transform.kind == TransformKind::kTruncate) {
    arguments.push_back(constant(transform.parameter));
  }
  arguments.push_back(std::move(column));
  return db::make_uniq<db::FunctionExpression>(text.substr(0, text.find('[')), std::move(arguments));
}

}  // namespace tarn::engine::lake
