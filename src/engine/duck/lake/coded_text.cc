#include "engine/duck/lake/coded_text.h"

#include "duckdb/execution/operator/projection/physical_projection.hpp"
#include "duckdb/planner/expression/bound_cast_expression.hpp"
#include "duckdb/planner/expression/bound_constant_expression.hpp"
#include "duckdb/planner/expression/bound_reference_expression.hpp"
#include "duckdb/planner/expression_iterator.hpp"

namespace tarn::engine::lake {
namespace {

struct Step {
  std::reference_wrapper<db::PhysicalProjection> projection;
  db::idx_t column;
  db::Expression& expression() const { return *projection.get().select_list[column]; }
};

size_t count_references(db::PhysicalProjection& projection, db::idx_t column) {
  size_t count = 0;
  for (auto& expression : projection.select_list) {
    db::ExpressionIterator::VisitExpression<db::BoundReferenceExpression>(
        *expression,
        [&](const db::BoundReferenceExpression& reference) { count += reference.index == column ? 1 : 0; });
  }
  return count;
}

// From the top down to the projection that computes the column. Empty: something else computes it, or
// somebody else reads it on the way.
std::vector<Step> way_to(db::PhysicalOperator& plan, db::idx_t column) {
  std::vector<Step> way;
  auto* at = &plan;
  while (at->type == db::PhysicalOperatorType::PROJECTION) {
    if (!way.empty() && count_references(way.back().projection, column) != 1) {
      return {};
    }
    auto& projection = at->Cast<db::PhysicalProjection>();
    way.push_back({projection, column});
    const auto& expression = way.back().expression();
    if (expression.GetExpressionClass() != db::ExpressionClass::BOUND_REF) {
      return way;
    }
    column = expression.Cast<db::BoundReferenceExpression>().index;
    at = &at->children[0].get();
  }
  return {};
}

// The same value as an ENUM; null when it cannot be had for nothing.
db::unique_ptr<db::Expression> coded(db::Expression& expression) {
  if (expression.return_type != db::LogicalType::VARCHAR) {
    return nullptr;
  }
  if (expression.GetExpressionClass() == db::ExpressionClass::BOUND_CAST) {
    auto& cast = expression.Cast<db::BoundCastExpression>();
    return cast.child->return_type.id() == db::LogicalTypeId::ENUM ? cast.child->Copy() : nullptr;
  }
  if (expression.GetExpressionClass() != db::ExpressionClass::BOUND_CONSTANT) {
    return nullptr;
  }
  const auto& value = expression.Cast<db::BoundConstantExpression>().value;
  if (value.IsNull()) {
    return nullptr;
  }
  db::Vector words(db::LogicalType::VARCHAR, 1);
  words.SetValue(0, value);
  return db::make_uniq<db::BoundConstantExpression>(db::Value::ENUM(0, db::LogicalType::ENUM(words, 1)));
}

}  // namespace

bool code_text_column(db::PhysicalOperator& plan, db::idx_t column) {
  const auto way = way_to(plan, column);
  if (way.empty()) {
    return false;
  }
  auto expression = coded(way.back().expression());
  if (!expression) {
    return false;
  }
  const auto type = expression->return_type;
  for (const auto& step : way) {
    step.expression().return_type = type;
    step.projection.get().types[step.column] = type;
  }
  way.back().projection.get().select_list[way.back().column] = std::move(expression);
  return true;
}

}  // namespace tarn::engine::lake
