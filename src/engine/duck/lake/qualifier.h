// Names of tables in what the lake keeps as text (views, macros): qualified as they are meant when it is
// made, whatever the search path of the session that reads it.
#pragma once

#include <set>
#include <string>

#include "duckdb/parser/query_node.hpp"
#include "duckdb/parser/tableref/basetableref.hpp"
#include "engine/duck/lake/glue.h"

namespace tarn::engine::lake {

// Names of CTEs hide tables inside the query they belong to; they are few, so that hiding them everywhere is
// enough.
class Qualifier {
 public:
  // `owner` is what the text belongs to, for messages: view "v".
  Qualifier(db::ClientContext& context, std::string schema, std::string owner)
      : context_(context), schema_(std::move(schema)), owner_(std::move(owner)) {}

  // Throws kInvalid when a table is a temporary one.
  void node(db::QueryNode& query);
  void expression(db::ParsedExpression& expression_to_search);

 private:
  void table(db::TableRef& ref);
  db::optional_ptr<db::CatalogEntry> find(const db::BaseTableRef& ref);

  db::ClientContext& context_;
  std::string schema_;
  std::string owner_;
  std::set<std::string> ctes_;
};

}  // namespace tarn::engine::lake
