#include "engine/duck/facts_walker.h"

#include "duckdb/common/string_util.hpp"
#include "duckdb/parser/expression/list.hpp"
#include "duckdb/parser/parsed_expression_iterator.hpp"
#include "duckdb/parser/query_node/list.hpp"
#include "duckdb/parser/statement/list.hpp"
#include "duckdb/parser/tableref/list.hpp"

namespace tarn::engine {
namespace {

using duckdb::StringUtil;

bool is_word(std::string_view name) {
  return std::any_of(name.begin(), name.end(), [](unsigned char c) { return std::isalnum(c) != 0; });
}

}  // namespace

void FactsWalker::use_function(const std::string& name, bool table_function, duckdb::optional_idx place) {
  size_t offset = place.IsValid() ? base_ + place.GetIndex() : 0;
  facts_.functions.push_back({StringUtil::Lower(name), table_function, offset});
}

void FactsWalker::use_table(std::string database, std::string schema, std::string name, bool write,
                            duckdb::optional_idx place) {
  size_t offset = place.IsValid() ? base_ + place.GetIndex() : 0;
  facts_.tables.push_back({std::move(database), std::move(schema), std::move(name), write, offset});
}

void FactsWalker::type(const duckdb::LogicalType& type) {
  if (type.id() == duckdb::LogicalTypeId::UNBOUND) {
    maybe(duckdb::UnboundType::GetTypeExpression(type));
  }
}

void FactsWalker::expression(duckdb::ParsedExpression& expression) {
  using duckdb::ExpressionClass;
  switch (expression.GetExpressionClass()) {
    case ExpressionClass::FUNCTION: {
      auto& function = expression.Cast<duckdb::FunctionExpression>();
      if (!function.is_operator || is_word(function.function_name)) {
        use_function(function.function_name, false, function.GetQueryLocation());
      }
      break;
    }
    case ExpressionClass::WINDOW: {
      auto& window = expression.Cast<duckdb::WindowExpression>();
      use_function(window.function_name, false, window.GetQueryLocation());
      break;
    }
    case ExpressionClass::SUBQUERY:
      node(*expression.Cast<duckdb::SubqueryExpression>().subquery->node);
      break;
    case ExpressionClass::CAST: type(expression.Cast<duckdb::CastExpression>().cast_type); break;
    case ExpressionClass::TYPE: all(expression.Cast<duckdb::TypeExpression>().GetChildren()); break;
    default: break;
  }
  duckdb::ParsedExpressionIterator::EnumerateChildren(
      expression, [this](duckdb::ParsedExpression& child) { this->expression(child); });
}

void FactsWalker::ctes(duckdb::CommonTableExpressionMap& map) {
  for (auto& entry : map.map) {
    all(entry.second->key_targets);
    if (entry.second->query) {
      node(*entry.second->query->node);
    }
    ctes_.push_back(StringUtil::Lower(entry.first));
  }
}

void FactsWalker::node(duckdb::QueryNode& node) {
  Scope scope(*this);
  ctes(node.cte_map);
  duckdb::ParsedExpressionIterator::EnumerateQueryNodeModifiers(
      node, [this](duckdb::unique_ptr<duckdb::ParsedExpression>& child) { expression(*child); });
  switch (node.type) {
    case duckdb::QueryNodeType::SELECT_NODE: select(node); break;
    case duckdb::QueryNodeType::SET_OPERATION_NODE:
      for (auto& child : node.Cast<duckdb::SetOperationNode>().children) {
        this->node(*child);
      }
      break;
    case duckdb::QueryNodeType::RECURSIVE_CTE_NODE: {
      auto& recursive = node.Cast<duckdb::RecursiveCTENode>();
      this->node(*recursive.left);
      ctes_.push_back(StringUtil::Lower(recursive.ctename));
      this->node(*recursive.right);
      all(recursive.key_targets);
      break;
    }
    case duckdb::QueryNodeType::CTE_NODE: {
      auto& cte = node.Cast<duckdb::CTENode>();
      this->node(*cte.query);
      ctes_.push_back(StringUtil::Lower(cte.ctename));
      this->node(*cte.child);
      break;
    }
    case duckdb::QueryNodeType::STATEMENT_NODE:
      inner(node.Cast<duckdb::StatementNode>().stmt, StatementKind::kSelect);
      break;
    default: facts_.inner.push_back(StatementKind::kOther); break;
  }
}

void FactsWalker::select(duckdb::QueryNode& node) {
  auto& select = node.Cast<duckdb::SelectNode>();
  if (select.from_table) {
    table(*select.from_table);
  }
  all(select.select_list);
  maybe(select.where_clause);
  all(select.groups.group_expressions);
  maybe(select.having);
  maybe(select.qualify);
}

void FactsWalker::table_function(duckdb::ParsedExpression& function) {
  if (function.GetExpressionClass() != duckdb::ExpressionClass::FUNCTION) {
    expression(function);
    return;
  }
  auto& call = function.Cast<duckdb::FunctionExpression>();
  use_function(call.function_name, true, call.GetQueryLocation());
  duckdb::ParsedExpressionIterator::EnumerateChildren(
      function, [this](duckdb::ParsedExpression& child) { expression(child); });
}

void FactsWalker::table(duckdb::TableRef& ref) {
  using duckdb::TableReferenceType;
  switch (ref.type) {
    case TableReferenceType::BASE_TABLE: {
      auto& base = ref.Cast<duckdb::BaseTableRef>();
      bool plain = base.catalog_name.empty() && base.schema_name.empty();
      if (!plain ||
          std::find(ctes_.begin(), ctes_.end(), StringUtil::Lower(base.table_name)) == ctes_.end()) {
        use_table(base.catalog_name, base.schema_name, base.table_name, false, base.query_location);
      }
      if (base.at_clause) {
        maybe(base.at_clause->ExpressionMutable());
      }
      return;
    }
    case TableReferenceType::TABLE_FUNCTION: {
      auto& call = ref.Cast<duckdb::TableFunctionRef>();
      table_function(*call.function);
      if (call.subquery) {
        node(*call.subquery->node);
      }
      return;
    }
    case TableReferenceType::SUBQUERY: return node(*ref.Cast<duckdb::SubqueryRef>().subquery->node);
    case TableReferenceType::JOIN: {
      auto& join = ref.Cast<duckdb::JoinRef>();
      table(*join.left);
      table(*join.right);
      maybe(join.condition);
      all(join.duplicate_eliminated_columns);
      return;
    }
    case TableReferenceType::EXPRESSION_LIST:
      for (auto& row : ref.Cast<duckdb::ExpressionListRef>().values) {
        all(row);
      }
      return;
    case TableReferenceType::PIVOT: return pivot(ref);
    case TableReferenceType::SHOW_REF: return show(ref);
    case TableReferenceType::EMPTY_FROM: return;
    default: facts_.inner.push_back(StatementKind::kOther); return;  // the parser makes no other
  }
}

void FactsWalker::pivot(duckdb::TableRef& ref) {
  auto& pivot = ref.Cast<duckdb::PivotRef>();
  if (pivot.source) {
    table(*pivot.source);
  }
  all(pivot.aggregates);
  for (auto& column : pivot.pivots) {
    all(column.pivot_expressions);
    for (auto& entry : column.entries) {
      maybe(entry.expr);
    }
    if (column.subquery) {
      node(*column.subquery);
    }
  }
}

void FactsWalker::show(duckdb::TableRef& ref) {
  auto& show = ref.Cast<duckdb::ShowRef>();
  if (show.query) {
    node(*show.query);
  } else if (!show.table_name.empty() && show.table_name.front() != '"') {
    use_table(show.catalog_name, show.schema_name, show.table_name, false, show.query_location);
  }
}

void FactsWalker::target(duckdb::TableRef& ref) {
  if (ref.type != duckdb::TableReferenceType::BASE_TABLE) {
    table(ref);
    return;
  }
  auto& base = ref.Cast<duckdb::BaseTableRef>();
  use_table(base.catalog_name, base.schema_name, base.table_name, true, base.query_location);
}

void FactsWalker::set_info(duckdb::UpdateSetInfo& info) {
  maybe(info.condition);
  all(info.expressions);
}

}  // namespace tarn::engine
