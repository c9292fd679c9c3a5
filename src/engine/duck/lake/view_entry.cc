#include "engine/duck/lake/view_entry.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "duckdb/catalog/catalog_entry/schema_catalog_entry.hpp"
#include "duckdb/parser/parser.hpp"
#include "duckdb/parser/query_node/select_node.hpp"
#include "duckdb/parser/tableref/subqueryref.hpp"
#include "engine/duck/lake/lake_database.h"
#include "engine/duck/lake/qualifier.h"

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

// DuckDB wants a text also of a view that nobody can read here.
std::string text_of(const LakeView& view) {
  return view.sql.empty() ? "SELECT NULL" : view.sql;
}

std::string quoted(const std::string& name) {
  return db::KeywordHelper::WriteQuoted(name, '"');
}

bool has_star(const db::QueryNode& node) {
  if (node.type != db::QueryNodeType::SELECT_NODE) {
    return true;  // of what it is made of cannot be told so easily
  }
  const auto& list = node.Cast<db::SelectNode>().select_list;
  return std::any_of(list.begin(), list.end(), [](const auto& expression) {
    return expression->GetExpressionClass() == db::ExpressionClass::STAR;
  });
}

// The SELECT that gives just the columns the view has at its creation, under their final names: a star would
// take in what its tables get later.
std::string fixed_sql(const db::SelectStatement& query, const LakeView& view,
                      const db::CreateViewInfo& info) {
  if (info.aliases.empty() && !has_star(*query.node)) {
    return query.ToString();
  }
  std::set<std::string> names;
  std::string by_name;
  std::string by_position;
  for (size_t i = 0; i < view.columns.size(); ++i) {
    const auto& name = view.columns[i].name;
    names.insert(fold(info.names[i]));
    by_name +=
        (i > 0 ? ", " : "") + quoted(info.names[i]) + (name == info.names[i] ? "" : " AS " + quoted(name));
    by_position += (i > 0 ? ", " : "") + quoted(name);
  }
  const auto source = fmt::format("FROM ({}) AS {}", query.ToString(), quoted(view.name.name));
  return names.size() == view.columns.size() ? fmt::format("SELECT {} {}", by_name, source)
                                             : fmt::format("SELECT * {}({})", source, by_position);
}

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
  info->query = parse_select(text_of(*view_), name);
  info->comment = comment;
  return std::move(info);
}

db::string ViewEntry::ToSQL() const {
  if (view_->sql.empty()) {
    return "-- made by another engine";
  }
  return fmt::format("CREATE VIEW {}.{} AS {};", quoted(ParentSchema().name), quoted(name), view_->sql);
}

const db::SelectStatement& ViewEntry::GetQuery() {
  if (view_->sql.empty()) {
    throw_error(
        {Code::kUnsupported, fmt::format("view \"{}.{}\" was made by another engine and has no text that "
                                         "Tarn has checked; create it here to read it",
                                         view_->name.schema, view_->name.name)});
  }
  return db::ViewCatalogEntry::GetQuery();
}

db::unique_ptr<db::CreateViewInfo> view_info(db::ClientContext& context, const LakeView& view) {
  auto info = db::make_uniq<db::CreateViewInfo>();
  info->schema = view.name.schema;
  info->view_name = view.name.name;
  info->query = parse_select(text_of(view), view.name.name);
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
  Qualifier(context, name.schema, fmt::format("view \"{}\"", name.name)).node(*query->node);
  for (size_t i = 0; i < info.types.size(); ++i) {
    const auto& column = i < info.aliases.size() ? info.aliases[i] : info.names[i];
    view.columns.push_back({column, info.types[i].ToString(), ""});
  }
  view.sql = fixed_sql(*query, view, info);
  if (!info.comment.IsNull()) {
    view.comment = info.comment.ToString();
  }
  return view;
}

}  // namespace tarn::engine::lake
