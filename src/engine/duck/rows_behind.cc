#include "engine/rows_behind.h"

#include <set>

#include <fmt/format.h>

#include "duckdb/parser/expression/cast_expression.hpp"
#include "duckdb/parser/expression/columnref_expression.hpp"
#include "duckdb/parser/expression/comparison_expression.hpp"
#include "duckdb/parser/expression/conjunction_expression.hpp"
#include "duckdb/parser/expression/constant_expression.hpp"
#include "duckdb/parser/expression/function_expression.hpp"
#include "duckdb/parser/expression/star_expression.hpp"
#include "duckdb/parser/parsed_expression_iterator.hpp"
#include "duckdb/parser/parser.hpp"
#include "duckdb/parser/query_node/select_node.hpp"
#include "duckdb/parser/statement/select_statement.hpp"
#include "engine/duck/errors.h"
#include "engine/lake_catalog.h"

namespace tarn::engine {
namespace {

using Expression = duckdb::unique_ptr<duckdb::ParsedExpression>;
using Where = std::map<std::string, std::optional<std::string>>;

// The parser does not know which functions are aggregates. One that is missing here only shows the answer's
// own rows.
bool is_aggregate_name(const std::string& name) {
  static const std::set<std::string> kNames = {"count",
                                               "count_star",
                                               "sum",
                                               "avg",
                                               "mean",
                                               "min",
                                               "max",
                                               "median",
                                               "mode",
                                               "first",
                                               "last",
                                               "any_value",
                                               "arg_min",
                                               "arg_max",
                                               "min_by",
                                               "max_by",
                                               "argmin",
                                               "argmax",
                                               "list",
                                               "array_agg",
                                               "string_agg",
                                               "group_concat",
                                               "listagg",
                                               "product",
                                               "stddev",
                                               "stddev_samp",
                                               "stddev_pop",
                                               "variance",
                                               "var_samp",
                                               "var_pop",
                                               "quantile",
                                               "quantile_cont",
                                               "quantile_disc",
                                               "approx_count_distinct",
                                               "approx_quantile",
                                               "bool_and",
                                               "bool_or",
                                               "count_if",
                                               "countif",
                                               "sum_no_overflow",
                                               "fsum",
                                               "kahan_sum",
                                               "favg",
                                               "corr",
                                               "covar_pop",
                                               "covar_samp",
                                               "regr_slope",
                                               "histogram",
                                               "entropy",
                                               "kurtosis",
                                               "skewness",
                                               "mad",
                                               "bit_and",
                                               "bit_or",
                                               "bit_xor"};
  return kNames.contains(fold(name));
}

bool has_aggregate(const duckdb::ParsedExpression& expression) {
  if (expression.GetExpressionClass() == duckdb::ExpressionClass::FUNCTION &&
      is_aggregate_name(expression.Cast<duckdb::FunctionExpression>().function_name)) {
    return true;
  }
  bool found = false;
  duckdb::ParsedExpressionIterator::EnumerateChildren(
      expression, [&](const duckdb::ParsedExpression& child) { found = found || has_aggregate(child); });
  return found;
}

Expression equals(Expression left, const std::optional<std::string>& text) {
  const auto value = text ? duckdb::Value(*text) : duckdb::Value(duckdb::LogicalType::VARCHAR);
  auto as_text = duckdb::make_uniq<duckdb::CastExpression>(duckdb::LogicalType::VARCHAR, std::move(left));
  return duckdb::make_uniq<duckdb::ComparisonExpression>(
      duckdb::ExpressionType::COMPARE_NOT_DISTINCT_FROM, std::move(as_text),
      duckdb::make_uniq<duckdb::ConstantExpression>(value));
}

void add_condition(Expression& conditions, Expression one) {
  conditions = conditions
                   ? duckdb::make_uniq<duckdb::ConjunctionExpression>(duckdb::ExpressionType::CONJUNCTION_AND,
                                                                      std::move(conditions), std::move(one))
                   : std::move(one);
}

bool is_grouped(const duckdb::SelectNode& node) {
  if (!node.groups.group_expressions.empty() ||
      node.aggregate_handling == duckdb::AggregateHandling::FORCE_AGGREGATES) {
    return true;
  }
  return std::any_of(node.select_list.begin(), node.select_list.end(),
                     [](const Expression& one) { return has_aggregate(*one); });
}

std::string rows_of_group(duckdb::SelectNode& node, const Where& where, int64_t limit) {
  for (const auto& item : node.select_list) {
    for (const auto& [name, text] : where) {
      if (fold(item->GetName()) != fold(name) || has_aggregate(*item))
        continue;
      auto expression = item->Copy();
      expression->ClearAlias();
      add_condition(node.where_clause, equals(std::move(expression), text));
    }
  }
  node.select_list.clear();
  node.select_list.push_back(duckdb::make_uniq<duckdb::StarExpression>());
  node.groups = duckdb::GroupByNode();
  node.aggregate_handling = duckdb::AggregateHandling::STANDARD_HANDLING;
  node.having.reset();
  node.qualify.reset();
  node.modifiers.clear();
  return fmt::format("{}\nLIMIT {}", node.ToString(), limit);
}

std::string rows_themselves(std::string_view sql, const Where& where, int64_t limit) {
  Expression conditions;
  for (const auto& [name, text] : where)
    add_condition(conditions, equals(duckdb::make_uniq<duckdb::ColumnRefExpression>(name), text));
  return fmt::format("SELECT * FROM (\n{}\n){}\nLIMIT {}", sql,
                     conditions ? "\nWHERE " + conditions->ToString() : "", limit);
}

}  // namespace

Result<std::string> rows_behind(std::string_view sql, const Where& where, int64_t limit) {
  try {
    duckdb::Parser parser;
    parser.ParseQuery(std::string(sql));
    if (parser.statements.size() == 1 &&
        parser.statements.front()->type == duckdb::StatementType::SELECT_STATEMENT) {
      auto& node = *parser.statements.front()->Cast<duckdb::SelectStatement>().node;
      if (node.type == duckdb::QueryNodeType::SELECT_NODE) {
        auto& select = node.Cast<duckdb::SelectNode>();
        if (is_grouped(select))
          return rows_of_group(select, where, limit);
      }
    }
    return rows_themselves(sql, where, limit);
  } catch (const std::exception& error) {
    return to_error(error, sql);
  }
}

}  // namespace tarn::engine
