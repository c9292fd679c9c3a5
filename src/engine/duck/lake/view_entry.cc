#include "engine/duck/lake/view_entry.h"

#include <fmt/format.h>

#include <set>

#include "duckdb/catalog/catalog_entry/schema_catalog_entry.hpp"
#include "duckdb/parser/expression/subquery_expression.hpp"
#include "duckdb/parser/parsed_expression_iterator.hpp"
#include "duckdb/parser/parser.hpp"
#include "duckdb/parser/tableref/basetableref.hpp"
#include "duckdb/parser/tableref/subqueryref.hpp"
#include "engine/duck/lake/lake_database.h"

namespace tarn::engine::lake {
namespace {

db::unique_ptr<db::SelectStatement> parse_select(const std::string& sql, const std::string& view) {
  db::Parser parser;
  parser.ParseQuery(sql);
  if (parser.statements.size() != 1 || parser.statements[0]->type != db::StatementType::SELECT_STATEMENT) {
    throw_error({Code::kCorrupt, fmt::format("the text of view \"{}\" is not one SELECT", view)});
  }
  return db::unique_ptr_cast<db::SQLStatement, db::SelectStatement>(std::move(parser.statements[0]));
}

std::string quoted(const std::string& name) {
  return db::KeywordHelper::WriteQuoted(name, '"');
}

// The view's own SELECT, cut to the columns it had when it was created.
std::string fixed_sql(const LakeView& view) {
  std::set<std::string> names;
  std::string list;
  for (const auto& column : view.columns) {
    if (!names.insert(fold(column.name)).second) {
      return view.sql;
    }
    list += (list.empty() ? "" : ", ") + quoted(column.name);
  }
  if (list.empty()) {
    return view.sql;
  }
  return fmt::format("SELECT {} FROM ({}) AS {}({})", list, view.sql, quoted(view.name.name), list);
}

// Names of CTEs hide tables inside the query they belong to; they are few, so that hiding them everywhere is
// enough.
class Qualifier {
 public:
  Qualifier(db::ClientContext& context, std::string schema) : context_(context), schema_(std::move(schema)) {}

  void node(db::QueryNode& query) {
    for (auto& [name, cte] : query.cte_map.map) {
      ctes_.insert(fold(name));
    }
    db::ParsedExpressionIterator::EnumerateQueryNodeChildren(
        query, [this](db::unique_ptr<db::ParsedExpression>& child) { expression(*child); },
        [this](db::TableRef& ref) { table(ref); });
  }

 private:
  void expression(db::ParsedExpression& expression_to_search) {
    if (expression_to_search.GetExpressionClass() == db::ExpressionClass::SUBQUERY) {
      node(*expression_to_search.Cast<db::SubqueryExpression>().subquery->node);
    }
    db::ParsedExpressionIterator::EnumerateChildren(
        expression_to_search, [this](db::unique_ptr<db::ParsedExpression>& child) { expression(*child); });
  }

  void table(db::TableRef& ref) {
    if (ref.type != db::TableReferenceType::BASE_TABLE) {
      return;
    }
    auto& base = ref.Cast<db::BaseTableRef>();
    if (base.schema_name.empty() && base.catalog_name.empty() && ctes_.contains(fold(base.table_name))) {
      return;
    }
    const std::string schema = base.schema_name.empty() ? schema_ : base.schema_name;
    auto entry = db::Catalog::GetEntry(context_, kLakeDatabase, schema,
                                       db::EntryLookupInfo(db::CatalogType::TABLE_ENTRY, base.table_name),
                                       db::OnEntryNotFound::RETURN_NULL);
    const bool in_lake = base.catalog_name.empty() || base.catalog_name == kLakeDatabase;
    if (entry && in_lake) {
      if (base.alias.empty()) {
        base.alias = base.table_name;
      }
      base.catalog_name = "";
      base.schema_name = entry->ParentSchema().name;
    }
  }

  db::ClientContext& context_;
  std::string schema_;
  std::set<std::string> ctes_;
};

}  // namespace

ViewEntry::ViewEntry(db::Catalog& catalog, db::SchemaCatalogEntry& schema, db::CreateViewInfo& info,
                     std::shared_ptr<const LakeView> view)
    : db::ViewCatalogEntry(catalog, schema, info), view_(std::move(view)) {}

db::unique_ptr<db::CreateInfo> ViewEntry::GetInfo() const {
  auto info = db::make_uniq<db::CreateViewInfo>();
  info->catalog = ParentCatalog().GetName();
  info->schema = ParentSchema().name;
  info->view_name = name;
  info->sql = sql;
  info->query = parse_select(view_->sql, name);
  info->comment = comment;
  for (const auto& column : view_->columns) {
    info->aliases.push_back(column.name);
  }
  return std::move(info);
}

db::string ViewEntry::ToSQL() const {
  std::string columns;
  for (const auto& column : view_->columns) {
    columns += (columns.empty() ? "" : ", ") + quoted(column.name);
  }
  return fmt::format("CREATE VIEW {}.{}{} AS {};", quoted(ParentSchema().name), quoted(name),
                     columns.empty() ? "" : " (" + columns + ")", view_->sql);
}

db::unique_ptr<db::CreateViewInfo> view_info(db::ClientContext& context, const LakeView& view) {
  auto info = db::make_uniq<db::CreateViewInfo>();
  info->schema = view.name.schema;
  info->view_name = view.name.name;
  info->query = parse_select(fixed_sql(view), view.name.name);
  info->sql = view.sql;
  if (!view.comment.empty()) {
    info->comment = db::Value(view.comment);
  }
  for (const auto& column : view.columns) {
    info->names.push_back(column.name);
    info->types.push_back(db::TransformStringToLogicalType(column.type, context));
    if (!column.comment.empty()) {
      info->column_comments_map[column.name] = db::Value(column.comment);
    }
  }
  return info;
}

LakeView make_view(db::ClientContext& context, const TableName& name, db::CreateViewInfo& info) {
  LakeView view;
  view.name = name;
  auto query = db::unique_ptr_cast<db::SQLStatement, db::SelectStatement>(info.query->Copy());
  Qualifier(context, name.schema).node(*query->node);
  view.sql = query->ToString();
  for (size_t i = 0; i < info.types.size(); ++i) {
    const auto& column = i < info.aliases.size() ? info.aliases[i] : info.names[i];
    view.columns.push_back({column, info.types[i].ToString(), ""});
  }
  if (!info.comment.IsNull()) {
    view.comment = info.comment.ToString();
  }
  return view;
}

}  // namespace tarn::engine::lake
