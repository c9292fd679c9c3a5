#include "engine/duck/lake/macro_entry.h"

#include <fmt/format.h>

#include "duckdb/catalog/catalog_entry/scalar_macro_catalog_entry.hpp"
#include "duckdb/catalog/catalog_entry/table_macro_catalog_entry.hpp"
#include "duckdb/function/scalar_macro_function.hpp"
#include "duckdb/function/table_macro_function.hpp"
#include "duckdb/parser/parser.hpp"
#include "duckdb/parser/statement/create_statement.hpp"
#include "engine/duck/lake/qualifier.h"

namespace tarn::engine::lake {

db::unique_ptr<db::CreateMacroInfo> macro_info(const LakeMacro& macro) {
  db::Parser parser;
  parser.ParseQuery(macro.sql);
  const bool one =
      parser.statements.size() == 1 && parser.statements[0]->type == db::StatementType::CREATE_STATEMENT;
  auto info = one ? std::move(parser.statements[0]->Cast<db::CreateStatement>().info) : nullptr;
  if (!info ||
      (info->type != db::CatalogType::MACRO_ENTRY && info->type != db::CatalogType::TABLE_MACRO_ENTRY)) {
    throw_error(
        {Code::kCorrupt, fmt::format("the text of macro \"{}\" is not one CREATE MACRO", macro.name.name)});
  }
  auto macro_info = db::unique_ptr_cast<db::CreateInfo, db::CreateMacroInfo>(std::move(info));
  macro_info->schema = macro.name.schema;
  macro_info->name = macro.name.name;
  return macro_info;
}

db::unique_ptr<db::CatalogEntry> make_macro_entry(db::Catalog& catalog, db::SchemaCatalogEntry& schema,
                                                  const LakeMacro& macro) {
  auto info = macro_info(macro);
  if (info->type == db::CatalogType::MACRO_ENTRY) {
    return db::make_uniq<db::ScalarMacroCatalogEntry>(catalog, schema, *info);
  }
  return db::make_uniq<db::TableMacroCatalogEntry>(catalog, schema, *info);
}

LakeMacro make_macro(db::ClientContext& context, const TableName& name, const db::CreateMacroInfo& info) {
  auto copy = db::unique_ptr_cast<db::CreateInfo, db::CreateMacroInfo>(info.Copy());
  for (auto& function : copy->macros) {
    Qualifier qualifier(context, name.schema, fmt::format("macro \"{}\"", name.name));
    if (function->type == db::MacroType::SCALAR_MACRO) {
      qualifier.expression(*function->Cast<db::ScalarMacroFunction>().expression);
    } else {
      qualifier.node(*function->Cast<db::TableMacroFunction>().query_node);
    }
  }
  copy->on_conflict = db::OnCreateConflict::ERROR_ON_CONFLICT;
  copy->catalog = "";
  copy->schema = "";
  copy->name = name.name;
  return {.name = name, .uuid = {}, .sql = copy->ToString()};
}

}  // namespace tarn::engine::lake
