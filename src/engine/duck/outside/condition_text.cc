#include "engine/duck/outside/condition_text.h"

#include <fmt/format.h>

#include "duckdb/planner/expression/list.hpp"

namespace tarn::engine::outside {
namespace {

namespace db = duckdb;

constexpr size_t kTextBytesMax = 16 * 1024;  // a longer condition stays here
constexpr int kDeepMax = 50;

// Types whose constants read back as they were written.
bool is_plain(const db::LogicalType& type) {
  switch (type.id()) {
    case db::LogicalTypeId::BOOLEAN:
    case db::LogicalTypeId::TINYINT:
    case db::LogicalTypeId::SMALLINT:
    case db::LogicalTypeId::INTEGER:
    case db::LogicalTypeId::BIGINT:
    case db::LogicalTypeId::UTINYINT:
    case db::LogicalTypeId::USMALLINT:
    case db::LogicalTypeId::UINTEGER:
    case db::LogicalTypeId::UBIGINT:
    case db::LogicalTypeId::HUGEINT:
    case db::LogicalTypeId::DECIMAL:
    case db::LogicalTypeId::DATE:
    case db::LogicalTypeId::TIMESTAMP:
    case db::LogicalTypeId::TIMESTAMP_TZ:
    case db::LogicalTypeId::UUID: return true;
    case db::LogicalTypeId::VARCHAR: return db::StringType::GetCollation(type).empty();
    default: return false;
  }
}

std::optional<std::string> operator_of(db::ExpressionType type) {
  switch (type) {
    case db::ExpressionType::COMPARE_EQUAL: return "=";
    case db::ExpressionType::COMPARE_NOTEQUAL: return "<>";
    case db::ExpressionType::COMPARE_LESSTHAN: return "<";
    case db::ExpressionType::COMPARE_GREATERTHAN: return ">";
    case db::ExpressionType::COMPARE_LESSTHANOREQUALTO: return "<=";
    case db::ExpressionType::COMPARE_GREATERTHANOREQUALTO: return ">=";
    default: return std::nullopt;
  }
}

class Writer {
 public:
  explicit Writer(const ColumnName& column_name) : column_name_(column_name) {}

  std::optional<std::string> condition(const db::Expression& expression, int depth) {
    if (depth > kDeepMax) {
      return std::nullopt;
    }
    switch (expression.GetExpressionClass()) {
      case db::ExpressionClass::BOUND_COMPARISON:
        return comparison(expression.Cast<db::BoundComparisonExpression>());
      case db::ExpressionClass::BOUND_CONJUNCTION:
        return conjunction(expression.Cast<db::BoundConjunctionExpression>(), depth);
      case db::ExpressionClass::BOUND_OPERATOR:
        return operation(expression.Cast<db::BoundOperatorExpression>(), depth);
      case db::ExpressionClass::BOUND_BETWEEN: return between(expression.Cast<db::BoundBetweenExpression>());
      default: return std::nullopt;
    }
  }

 private:
  // A column of the table, or a constant.
  std::optional<std::string> operand(const db::Expression& expression) {
    if (!is_plain(expression.return_type)) {
      return std::nullopt;
    }
    if (expression.GetExpressionClass() == db::ExpressionClass::BOUND_COLUMN_REF) {
      return column_name_(expression.Cast<db::BoundColumnRefExpression>());
    }
    if (expression.GetExpressionClass() == db::ExpressionClass::BOUND_CONSTANT) {
      const auto& value = expression.Cast<db::BoundConstantExpression>().value;
      if (!value.IsNull()) {
        return fmt::format("{}::{}", value.ToSQLString(), value.type().ToString());
      }
    }
    return std::nullopt;
  }

  std::optional<std::string> comparison(const db::BoundComparisonExpression& expression) {
    const auto sign = operator_of(expression.GetExpressionType());
    const auto left = operand(*expression.left);
    const auto right = operand(*expression.right);
    return sign && left && right ? std::optional(fmt::format("{} {} {}", *left, *sign, *right))
                                 : std::nullopt;
  }

  std::optional<std::string> conjunction(const db::BoundConjunctionExpression& expression, int depth) {
    const bool is_and = expression.GetExpressionType() == db::ExpressionType::CONJUNCTION_AND;
    std::string text;
    for (const auto& child : expression.children) {
      const auto part = condition(*child, depth + 1);
      if (!part && !is_and) {
        return std::nullopt;
      }
      if (part) {
        text += fmt::format("{}({})", text.empty() ? "" : is_and ? " AND " : " OR ", *part);
      }
    }
    return text.empty() ? std::nullopt : std::optional(text);
  }

  std::optional<std::string> operation(const db::BoundOperatorExpression& expression, int depth) {
    const auto type = expression.GetExpressionType();
    if (type == db::ExpressionType::OPERATOR_IS_NULL || type == db::ExpressionType::OPERATOR_IS_NOT_NULL) {
      const auto column = operand(*expression.children[0]);
      const char* test = type == db::ExpressionType::OPERATOR_IS_NULL ? "IS NULL" : "IS NOT NULL";
      return column ? std::optional(fmt::format("{} {}", *column, test)) : std::nullopt;
    }
    // NOT of a part that AND shortened would leave out too much.
    if (type == db::ExpressionType::OPERATOR_NOT &&
        expression.children[0]->GetExpressionClass() == db::ExpressionClass::BOUND_COMPARISON) {
      const auto inner = condition(*expression.children[0], depth + 1);
      return inner ? std::optional(fmt::format("NOT ({})", *inner)) : std::nullopt;
    }
    if (type != db::ExpressionType::COMPARE_IN) {
      return std::nullopt;
    }
    std::string text;
    for (size_t i = 0; i < expression.children.size(); ++i) {
      const auto one = operand(*expression.children[i]);
      if (!one || text.size() > kTextBytesMax) {
        return std::nullopt;
      }
      text += i == 0 ? *one + " IN (" : fmt::format("{}{}", i == 1 ? "" : ", ", *one);
    }
    return text + ")";
  }

  std::optional<std::string> between(const db::BoundBetweenExpression& expression) {
    const auto column = operand(*expression.input);
    const auto low = operand(*expression.lower);
    const auto high = operand(*expression.upper);
    if (!column || !low || !high) {
      return std::nullopt;
    }
    return fmt::format("{} {} {} AND {} {} {}", *column, expression.lower_inclusive ? ">=" : ">", *low,
                       *column, expression.upper_inclusive ? "<=" : "<", *high);
  }

  const ColumnName& column_name_;
};

}  // namespace

std::optional<std::string> condition_text(const db::Expression& condition, const ColumnName& column_name) {
  auto text = Writer(column_name).condition(condition, 0);
  return text && text->size() <= kTextBytesMax ? text : std::nullopt;
}

}  // namespace tarn::engine::outside
