// A macro of the lake as DuckDB sees it.
#pragma once

#include "duckdb/catalog/catalog_entry/macro_catalog_entry.hpp"
#include "engine/duck/lake/glue.h"
#include "engine/lake_catalog.h"

namespace tarn::engine::lake {

// What DuckDB needs to make the macro; its type tells macros of scalars and of tables apart.
db::unique_ptr<db::CreateMacroInfo> macro_info(const LakeMacro& macro);
db::unique_ptr<db::CatalogEntry> make_macro_entry(db::Catalog& catalog, db::SchemaCatalogEntry& schema,
                                                  const LakeMacro& macro);

// The macro that CREATE MACRO asks for, without its uuid.
LakeMacro make_macro(db::ClientContext& context, const TableName& name, const db::CreateMacroInfo& info);

}  // namespace tarn::engine::lake
