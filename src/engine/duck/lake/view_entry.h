// A view of the lake as DuckDB sees it. Its columns are those of its creation: later columns of its tables
// stay out.
#pragma once

#include "duckdb/catalog/catalog_entry/view_catalog_entry.hpp"
#include "duckdb/parser/parsed_data/create_view_info.hpp"
#include "engine/duck/lake/glue.h"
#include "engine/lake_catalog.h"

namespace tarn::engine::lake {

class ViewEntry : public db::ViewCatalogEntry {
 public:
  ViewEntry(db::Catalog& catalog, db::SchemaCatalogEntry& schema, db::CreateViewInfo& info,
            std::shared_ptr<const LakeView> view);

  [[nodiscard]] const LakeView& view() const { return *view_; }
  db::unique_ptr<db::CreateInfo> GetInfo() const override;
  db::string ToSQL() const override;
  // Throws for a view of another engine: it can be listed and dropped, not read.
  const db::SelectStatement& GetQuery() override;

 private:
  std::shared_ptr<const LakeView> view_;
};

// What DuckDB needs to bind the view.
db::unique_ptr<db::CreateViewInfo> view_info(db::ClientContext& context, const LakeView& view);

// The view that CREATE VIEW asks for: every table name qualified, columns fixed.
LakeView make_view(db::ClientContext& context, const TableName& name, db::CreateViewInfo& info);

}  // namespace tarn::engine::lake
