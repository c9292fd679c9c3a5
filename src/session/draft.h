// The lake as it will be after the next run, as far as that is known: stand-ins with the columns that tables
// will have, made in a transaction that never commits. Statements bind against it; nothing is written. One
// thread at a time.
#pragma once

#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/lake_catalog.h"
#include "engine/parse.h"
#include "session/session.h"

namespace tarn::session {

class Draft {
 public:
  static Result<std::unique_ptr<Draft>> open(SessionService& sessions);

  // The table will have these columns.
  Status put(const engine::TableName& name, const std::vector<engine::Column>& columns);
  // The temporary view `input` of a source's select has these columns.
  Status put_input(const std::vector<engine::Column>& columns);
  // Nobody knows the table's columns: what reads it cannot be bound.
  void hide(const engine::TableName& name) { hidden_.insert(key(name)); }

  [[nodiscard]] bool is_hidden(const engine::TableName& name) const { return hidden_.contains(key(name)); }
  // Reads something hidden?
  [[nodiscard]] bool is_blind(const engine::StatementFacts& facts) const;
  // In the lake, or put here.
  [[nodiscard]] bool has(const engine::TableName& name) const;
  [[nodiscard]] const engine::LakeVersion& version() const { return *version_; }

  // Columns of a person's SELECT. What fails here leaves the draft as it was.
  Result<std::vector<engine::Column>> describe(std::string_view sql,
                                               std::span<const engine::Parameter> parameters = {});

 private:
  Draft(std::unique_ptr<Session> session, std::shared_ptr<const engine::LakeVersion> version)
      : session_(std::move(session)), version_(std::move(version)) {}
  static std::string key(const engine::TableName& name);
  Status begin_anew();
  Status make(std::string statements);

  std::unique_ptr<Session> session_;
  std::shared_ptr<const engine::LakeVersion> version_;
  std::vector<std::string> made_;  // made again after a failure, which ends the transaction
  std::set<std::string> put_;
  std::set<std::string> hidden_;
};

}  // namespace tarn::session
