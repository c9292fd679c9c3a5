// The columns that a source's table has or gets, and the SQL that turns input rows into them: casts, and a
// reason for each row that breaks a type, `required` or a check. Declared columns come first, then what the
// table has, then what the input brings.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/connection.h"
#include "session/session.h"
#include "source/config.h"
#include "source/input.h"

namespace tarn::source {

struct Target {
  std::string name;
  std::string type;
  bool required = false;
  std::string check;  // a person's text
};

struct TablePlan {
  bool exists = false;          // and keeps its rows' columns
  std::vector<Target> targets;  // without _tarn_run and _tarn_fetch
  std::vector<Target> added;    // to an existing table
  std::vector<std::string> warnings;
  [[nodiscard]] std::vector<std::string> names() const;
  [[nodiscard]] const Target* find(std::string_view name) const;
};

// Names of the temporary objects that the SQL here makes and reads.
inline constexpr const char* kTypedView = "tarn_typed";

// Columns of a table, without Tarn's own; nullopt when there is no such table.
Result<std::optional<std::vector<engine::Column>>> table_columns(session::SessionService& sessions,
                                                                 session::Session& session,
                                                                 const engine::TableName& name);

// `existing` is null for a new table.
Result<TablePlan> plan_table(session::Session& session, const SourceConfig& config,
                             const std::vector<engine::Column>* existing,
                             const std::vector<InputColumn>& input);

// For Input::relation.
WantedColumns wanted_columns(const TablePlan& plan);

// Makes the temporary view tarn_typed over `relation`: the targets, tarn_fetch, tarn_bad (BOOLEAN) and, when
// `careful`, tarn_row, tarn_raw and tarn_reason. Checks go through the session's gate.
Status make_typed_view(session::Session& session, const SourceConfig& config, const TablePlan& plan,
                       const Relation& relation, bool careful);

// Expression: a struct of the columns. It costs next to nothing for the rows of which nobody asks the JSON.
std::string row_struct(const std::vector<engine::Column>& columns);

struct Selection {
  std::string each;   // expression of the column `each`; empty: none
  std::string fetch;  // id that the rows get
};

// The same relation with a person's `select` between; the result's columns are the select's.
Result<Relation> apply_select(session::Session& session, const SourceConfig& config, const Relation& relation,
                              const Selection& selection);

}  // namespace tarn::source
