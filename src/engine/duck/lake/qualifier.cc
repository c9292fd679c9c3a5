#include "engine/duck/lake/qualifier.h"

#include <fmt/format.h>

#include "duckdb/catalog/catalog_entry/schema_catalog_entry.hpp"
#include "duckdb/parser/expression/subquery_expression.hpp"
#include "duckdb/parser/parsed_expression_iterator.hpp"
#include "engine/duck/lake/lake_database.h"

namespace tarn::engine::lake {

void Qualifier::node(db::QueryNode& query) {
  for (auto& [name, cte] : query.cte_map.map) {
    ctes_.insert(fold(name));
  }
  db::ParsedExpressionIterator::EnumerateQueryNodeChildren(
      query, [this](db::unique_ptr<db::ParsedExpression>& child) { expression(*child); },
      [this](db::TableRef& ref) { table(ref); });
}

void Qualifier::expression(db::ParsedExpression& expression_to_search) {
  if (expression_to_search.GetExpressionClass() == db::ExpressionClass::SUBQUERY) {
    node(*expression_to_search.Cast<db::SubqueryExpression>().subquery->node);
  }
  db::ParsedExpressionIterator::EnumerateChildren(
      expression_to_search, [this](db::unique_ptr<db::ParsedExpression>& child) { expression(*child); });
}

void Qualifier::table(db::TableRef& ref) {
  if (ref.type != db::TableReferenceType::BASE_TABLE) {
    return;
  }
  auto& base = ref.Cast<db::BaseTableRef>();
  if (base.schema_name.empty() && base.catalog_name.empty() && ctes_.contains(fold(base.table_name))) {
    return;
  }
  auto entry = find(base);
  if (!entry) {
    return;
  }
  auto& catalog = entry->ParentCatalog();
  if (catalog.IsTemporaryCatalog()) {
    throw_error(
        {Code::kInvalid, fmt::format("\"{}\" is temporary, so that {} of the lake cannot read it: make it a "
                                     "table of the lake",
                                     base.table_name, owner_)});
  }
  if (catalog.GetName() == kLakeDatabase) {
    if (base.alias.empty()) {
      base.alias = base.table_name;
    }
    base.catalog_name = "";
    base.schema_name = entry->ParentSchema().name;
  }
}

// As the binder looks: first beside the view, then along the session's search path.
db::optional_ptr<db::CatalogEntry> Qualifier::find(const db::BaseTableRef& ref) {
  const db::EntryLookupInfo lookup(db::CatalogType::TABLE_ENTRY, ref.table_name);
  if (ref.schema_name.empty() && ref.catalog_name.empty()) {
    auto beside =
        db::Catalog::GetEntry(context_, kLakeDatabase, schema_, lookup, db::OnEntryNotFound::RETURN_NULL);
    if (beside) {
      return beside;
    }
  }
  return db::Catalog::GetEntry(context_, ref.catalog_name, ref.schema_name, lookup,
                               db::OnEntryNotFound::RETURN_NULL);
}

}  // namespace tarn::engine::lake
