#include "session/draft.h"

#include <algorithm>

#include <fmt/format.h>

namespace tarn::session {
namespace {

bool same(const std::vector<engine::Column>& a, const std::vector<engine::Column>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const auto& x, const auto& y) { return x.name == y.name && x.type == y.type; });
}

// A SELECT that has these columns and no rows.
std::string shape_sql(const std::vector<engine::Column>& columns) {
  std::string list;
  for (const auto& column : columns) {
    bool untyped = column.type.empty() || column.type == "\"NULL\"";
    list += fmt::format("{}{} AS {}", list.empty() ? "" : ", ",
                        untyped ? "NULL" : fmt::format("CAST(NULL AS {})", column.type),
                        quote_identifier(column.name));
  }
  return "SELECT " + list;
}

}  // namespace

Result<std::unique_ptr<Draft>> Draft::open(SessionService& sessions) {
  TARN_TRY(auto version, sessions.catalog().head());
  TARN_TRY(auto session, sessions.open({}));
  std::unique_ptr<Draft> draft(new Draft(std::move(session), std::move(version)));
  TARN_CHECK(draft->session_->begin());
  return draft;
}

std::string Draft::key(const engine::TableName& name) {
  std::string schema = engine::fold(name.schema);
  return (schema.empty() || schema == "main" ? "public" : schema) + "." + engine::fold(name.name);
}

bool Draft::is_blind(const engine::StatementFacts& facts) const {
  return std::any_of(facts.tables.begin(), facts.tables.end(),
                     [&](const auto& table) { return is_hidden({table.schema, table.name}); });
}

bool Draft::has(const engine::TableName& name) const {
  if (put_.contains(key(name))) {
    return true;
  }
  auto schema = version_->schemas.find(engine::fold(name.schema));
  return schema != version_->schemas.end() && (schema->second->tables.contains(engine::fold(name.name)) ||
                                               schema->second->views.contains(engine::fold(name.name)));
}

Status Draft::put(const engine::TableName& name, const std::vector<engine::Column>& columns) {
  std::string quoted = quote_name(name);
  if (has(name)) {
    auto now = describe("SELECT * FROM " + quoted);
    if (now && same(*now, columns)) {
      return ok();  // the real one is better: it has a history
    }
  }
  auto schema = version_->schemas.find(engine::fold(name.schema));
  bool table = schema != version_->schemas.end() && !put_.contains(key(name)) &&
               schema->second->tables.contains(engine::fold(name.name));
  std::string statements = fmt::format("CREATE SCHEMA IF NOT EXISTS {};", quote_identifier(name.schema));
  statements += table ? fmt::format("DROP TABLE {};", quoted) : "";
  statements += fmt::format("CREATE OR REPLACE VIEW {} AS {}", quoted, shape_sql(columns));
  TARN_CHECK(make(std::move(statements)));
  put_.insert(key(name));
  return ok();
}

Status Draft::put_input(const std::vector<engine::Column>& columns) {
  return make("CREATE OR REPLACE TEMP VIEW input AS " + shape_sql(columns));
}

Result<std::vector<engine::Column>> Draft::describe(std::string_view sql,
                                                    std::span<const engine::Parameter> parameters) {
  auto columns = session_->describe(sql, parameters);
  if (!columns) {
    TARN_CHECK(begin_anew());
  }
  return columns;
}

Status Draft::make(std::string statements) {
  auto done = session_->execute_own(statements);
  if (!done) {
    TARN_CHECK(begin_anew());
    return Error(done.error());
  }
  made_.push_back(std::move(statements));
  return ok();
}

Status Draft::begin_anew() {
  TARN_CHECK(session_->rollback());
  TARN_CHECK(session_->begin());
  for (const auto& statements : made_) {
    TARN_CHECK(session_->execute_own(statements));
  }
  return ok();
}

}  // namespace tarn::session
