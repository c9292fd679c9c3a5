// Walks the tree of one parsed statement and writes down what it uses. Only for engine/duck.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "duckdb.hpp"
#include "duckdb/parser/parsed_expression.hpp"
#include "duckdb/parser/query_node.hpp"
#include "duckdb/parser/sql_statement.hpp"
#include "duckdb/parser/tableref.hpp"
#include "engine/parse.h"

namespace duckdb {
struct AlterInfo;
struct CopyInfo;
struct CreateInfo;
struct CreateTableInfo;
class CommonTableExpressionMap;
class InsertStatement;
class MergeIntoStatement;
class UpdateSetInfo;
}  // namespace duckdb

namespace tarn::engine {

class FactsWalker {
 public:
  // Offsets are written relative to the parsed text plus `base`.
  FactsWalker(StatementFacts& facts, size_t base) : facts_(facts), base_(base) {}

  // Visits everything and returns the kind.
  StatementKind statement(duckdb::SQLStatement& statement);

 private:
  // Every name pushed while it lives is a CTE, not a table.
  class Scope {
   public:
    explicit Scope(FactsWalker& walker) : walker_(walker), size_(walker.ctes_.size()) {}
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;
    ~Scope() { walker_.ctes_.resize(size_); }

   private:
    FactsWalker& walker_;
    size_t size_;
  };

  void node(duckdb::QueryNode& node);
  void select(duckdb::QueryNode& node);
  void ctes(duckdb::CommonTableExpressionMap& map);
  void table(duckdb::TableRef& ref);
  void pivot(duckdb::TableRef& ref);
  void show(duckdb::TableRef& ref);
  void table_function(duckdb::ParsedExpression& function);
  void target(duckdb::TableRef& ref);
  void expression(duckdb::ParsedExpression& expression);
  template <class Pointer>
  void maybe(const Pointer& expression) {
    if (expression) {
      this->expression(*expression);
    }
  }
  template <class Pointers>
  void all(const Pointers& expressions) {
    for (const auto& expression : expressions) {
      maybe(expression);
    }
  }
  void type(const duckdb::LogicalType& type);
  void set_info(duckdb::UpdateSetInfo& info);

  StatementKind select_statement(duckdb::QueryNode& node);
  StatementKind insert(duckdb::InsertStatement& insert);
  StatementKind update(duckdb::SQLStatement& statement);
  StatementKind remove(duckdb::SQLStatement& statement);
  StatementKind merge(duckdb::MergeIntoStatement& merge);
  StatementKind create(duckdb::CreateInfo& info);
  StatementKind create_table(duckdb::CreateTableInfo& info);
  StatementKind create_macro(duckdb::CreateInfo& info);
  StatementKind alter(duckdb::AlterInfo& info);
  StatementKind drop(duckdb::SQLStatement& statement);
  StatementKind copy(duckdb::CopyInfo& info);
  StatementKind transaction(duckdb::SQLStatement& statement);
  StatementKind pragma(duckdb::SQLStatement& statement);
  StatementKind set(duckdb::SQLStatement& statement);
  StatementKind inner(duckdb::SQLStatement& statement, StatementKind outer);

  void use_function(const std::string& name, bool table_function, duckdb::optional_idx place);
  void use_table(std::string database, std::string schema, std::string name, bool write,
                 duckdb::optional_idx place = {});

  StatementFacts& facts_;
  size_t base_;
  std::vector<std::string> ctes_;  // lower case
};

}  // namespace tarn::engine
