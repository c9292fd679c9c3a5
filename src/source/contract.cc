#include "source/contract.h"

#include <algorithm>

#include <fmt/format.h>

#include "source/sql_text.h"

namespace tarn::source {
namespace {

using session::quote_identifier;
using session::quote_literal;

bool is_own_column(std::string_view name) {
  return name.starts_with("_tarn_");
}

const engine::Column* find_column(const std::vector<engine::Column>& columns, std::string_view name) {
  for (const auto& column : columns) {
    if (engine::fold(column.name) == engine::fold(name)) {
      return &column;
    }
  }
  return nullptr;
}

// DuckDB's own names of the types that people wrote.
Result<std::map<std::string, std::string>> declared_types(session::Session& session,
                                                          const SourceConfig& config) {
  std::map<std::string, std::string> types;
  for (const auto& column : config.columns) {
    if (column.type.empty()) {
      continue;
    }
    auto described = session.describe(fmt::format("SELECT CAST(NULL AS {}) AS c", column.type));
    if (!described) {
      return Error{Code::kInvalid,
                   fmt::format("{}: column {}: '{}' is not a type: {}", to_string(column.place), column.name,
                               column.type, described.error().message)};
    }
    types[engine::fold(column.name)] = described->front().type;
  }
  return types;
}

Error type_conflict(const SourceConfig& config, const ContractColumn& column, const std::string& declared,
                    const std::string& has) {
  return Error{
      Code::kFailed,
      fmt::format("{}: column {} is declared {} but is {} in table {}.{}; declare {}, or rebuild the table "
                  "with --full-refresh",
                  to_string(column.place), column.name, declared, has, config.table.schema, config.table.name,
                  has)};
}

Status add_declared(const SourceConfig& config, const std::map<std::string, std::string>& types,
                    const std::vector<engine::Column>* existing, const std::vector<InputColumn>& input,
                    TablePlan& plan) {
  for (const auto& column : config.columns) {
    Target target{.name = column.name, .type = {}, .required = column.required, .check = column.check.text};
    auto declared = types.find(engine::fold(column.name));
    const engine::Column* has = existing != nullptr ? find_column(*existing, column.name) : nullptr;
    if (declared != types.end()) {
      target.type = declared->second;
    }
    if (has != nullptr) {
      if (!target.type.empty() && target.type != has->type) {
        return type_conflict(config, column, target.type, has->type);
      }
      target.type = has->type;
      target.name = has->name;
    }
    for (const auto& one : input) {
      if (target.type.empty() && engine::fold(one.name) == engine::fold(column.name)) {
        target.type = one.inferred;
      }
    }
    if (target.type.empty()) {
      if (column.required) {
        return Error{Code::kFailed,
                     fmt::format("{}: column {} is required but nothing has arrived for it; give it a "
                                 "type or correct its name",
                                 to_string(column.place), column.name)};
      }
      continue;  // neither declared nor seen: it comes when a value does
    }
    if (existing != nullptr && has == nullptr) {
      plan.added.push_back(target);
    }
    plan.targets.push_back(std::move(target));
  }
  return ok();
}

Status add_new(const SourceConfig& config, const std::vector<InputColumn>& input, TablePlan& plan) {
  for (const auto& column : input) {
    if (plan.find(column.name) != nullptr || column.inferred.empty() || is_own_column(column.name)) {
      continue;
    }
    Target target{.name = column.name, .type = column.inferred, .required = false, .check = {}};
    bool first_load_inferred = !plan.exists && config.columns.empty();
    if (!first_load_inferred && config.on_new_columns == NewColumns::kFail) {
      return Error{Code::kFailed,
                   fmt::format("{}: the input has a new column '{}'; declare it under columns, or set "
                               "on_new_columns to evolve or ignore",
                               config.path, column.name)};
    }
    if (!first_load_inferred && config.on_new_columns == NewColumns::kIgnore) {
      plan.warnings.push_back(fmt::format("new column '{}' is ignored", column.name));
      continue;
    }
    if (plan.exists) {
      plan.added.push_back(target);
      plan.warnings.push_back(fmt::format("new column '{}' ({})", column.name, column.inferred));
    }
    plan.targets.push_back(std::move(target));
  }
  return ok();
}

Status check_names(const SourceConfig& config, const TablePlan& plan) {
  auto need = [&](const std::string& name, std::string_view what) -> Status {
    if (plan.find(name) != nullptr) {
      return ok();
    }
    return Error{Code::kFailed,
                 fmt::format("{}: {} names column '{}', which the input does not have; it has {}",
                             config.path, what, name, fmt::join(plan.names(), ", "))};
  };
  for (const auto& name : config.key) {
    TARN_CHECK(need(name, "key"));
  }
  if (config.since) {
    TARN_CHECK(need(config.since->column, "since"));
  }
  return ok();
}

// How one input column becomes its target.
struct Cast {
  std::string value;
  std::string bad;  // true where the value cannot be read; empty: never
};

Cast cast_of(const std::string& input, const std::string& from, const std::string& to) {
  std::string column = quote_identifier(input);
  if (from == to) {
    return {.value = column, .bad = ""};
  }
  if (to == "VARCHAR") {
    return {.value = fmt::format("CAST({} AS VARCHAR)", column), .bad = ""};
  }
  bool nested = to.ends_with(']') || to.starts_with("STRUCT(") || to.starts_with("MAP(");
  if (nested && from != "JSON") {  // TRY_CAST would make nulls of the leaves that do not fit
    std::string value = fmt::format("TRY(CAST({} AS {}))", column, to);
    return {.value = value, .bad = fmt::format("({} IS NOT NULL AND {} IS NULL)", column, value)};
  }
  if (from == "JSON" && !is_plain_type(to) && !is_integer_type(to)) {
    std::string value =
        nested ? fmt::format("tarn_json_value(CAST({} AS VARCHAR), {})", column, quote_literal(to))
               : fmt::format("TRY_CAST({} AS {})", column, to);
    return {
        .value = value,
        .bad = fmt::format("({0} IS NOT NULL AND json_type({0}) <> 'NULL' AND {1} IS NULL)", column, value)};
  }
  std::string value = fmt::format("TRY_CAST({} AS {})", column, to);
  std::string bad = fmt::format("({} IS NOT NULL AND {} IS NULL)", column, value);
  if (is_integer_type(to) && (from == "VARCHAR" || from == "JSON")) {
    // A cast of text to an integer rounds a fraction; that is a broken row, not a value.
    bad = fmt::format(
        "({0} IS NOT NULL AND ({1} IS NULL OR ((contains({0}, '.') OR contains({0}, '-')) AND "
        "TRY_CAST({0} AS DOUBLE) <> CAST({1} AS DOUBLE))))",
        column, value);
  } else if (is_integer_type(to) && (from == "DOUBLE" || from == "FLOAT" || from.starts_with("DECIMAL"))) {
    std::string inexact = from == "DOUBLE" ? fmt::format(" OR abs({}) >= 9007199254740992", column) : "";
    bool in_range = to == "BIGINT" && !inexact.empty();
    bad = in_range ? fmt::format("({0} <> trunc({0}){1})", column, inexact)
                   : fmt::format("({0} IS NOT NULL AND ({1} IS NULL OR {0} <> trunc({0}){2}))", column, value,
                                 inexact);
  }
  return {.value = value, .bad = bad};
}

std::string bad_reason(const Target& target, const std::string& input, const std::string& bad) {
  return fmt::format("CASE WHEN {} THEN concat({}, left(CAST({} AS VARCHAR), 80), {}) END", bad,
                     quote_literal(fmt::format("column {}: cannot read '", target.name)),
                     quote_identifier(input), quote_literal(fmt::format("' as {}", target.type)));
}

// The checks stand in one statement; the one that fails by itself is told at its place.
Error which_check(session::Session& session, const SourceConfig& config, const Error& together) {
  constexpr std::string_view kFront = "SELECT NOT (";
  for (const auto& column : config.columns) {
    if (column.check.text.empty()) {
      continue;
    }
    auto alone = session.describe(fmt::format("{}{}\n) FROM tarn_cast", kFront, column.check.text));
    if (!alone) {
      return Error{alone.error().code,
                   to_string(mistake_in(config, column.check, "check", alone.error(), kFront))};
    }
  }
  return together;
}

// Views over a person's checks: tarn_check_<i> is true where check i is false.
Status make_check_view(session::Session& session, const SourceConfig& config, const TablePlan& plan,
                       std::vector<std::string>& checked) {
  std::string list;
  for (const auto& target : plan.targets) {
    if (!target.check.empty()) {
      list += fmt::format(", NOT ({}\n) AS tarn_check_{}", target.check, checked.size());
      checked.push_back(fmt::format("check of column {}: {}", target.name, target.check));
    }
  }
  if (checked.empty()) {
    return ok();
  }
  auto made = session.execute(
      fmt::format("CREATE OR REPLACE TEMP VIEW tarn_checked AS SELECT *{} FROM tarn_cast", list));
  if (!made) {
    return which_check(session, config, made.error());
  }
  return ok();
}

}  // namespace

std::vector<std::string> TablePlan::names() const {
  std::vector<std::string> out;
  for (const auto& target : targets) {
    out.push_back(target.name);
  }
  return out;
}

const Target* TablePlan::find(std::string_view name) const {
  for (const auto& target : targets) {
    if (engine::fold(target.name) == engine::fold(name)) {
      return &target;
    }
  }
  return nullptr;
}

Result<std::optional<std::vector<engine::Column>>> table_columns(session::SessionService& sessions,
                                                                 session::Session& session,
                                                                 const engine::TableName& name) {
  TARN_TRY(auto head, sessions.catalog().head());
  auto schema = head->schemas.find(engine::fold(name.schema));
  std::optional<std::vector<engine::Column>> none;
  if (schema == head->schemas.end()) {
    return none;
  }
  if (schema->second->views.contains(engine::fold(name.name))) {
    return Error{Code::kFailed, fmt::format("{}.{} is a view; name another table", name.schema, name.name)};
  }
  if (!schema->second->tables.contains(engine::fold(name.name))) {
    return none;
  }
  TARN_TRY(auto rows, rows_of(session, "DESCRIBE SELECT * FROM lake." + session::quote_name(name)));
  std::vector<engine::Column> columns;
  for (const auto& row : rows) {
    if (!is_own_column(row[0].value_or(""))) {
      columns.push_back({.name = row[0].value_or(""), .type = row[1].value_or("")});
    }
  }
  return std::optional(std::move(columns));
}

Result<TablePlan> plan_table(session::Session& session, const SourceConfig& config,
                             const std::vector<engine::Column>* existing,
                             const std::vector<InputColumn>& input) {
  TablePlan plan;
  plan.exists = existing != nullptr;
  TARN_TRY(auto types, declared_types(session, config));
  TARN_CHECK(add_declared(config, types, existing, input, plan));
  if (existing != nullptr) {
    for (const auto& column : *existing) {
      if (plan.find(column.name) == nullptr) {
        plan.targets.push_back({.name = column.name, .type = column.type, .required = false, .check = {}});
      }
    }
  }
  TARN_CHECK(add_new(config, input, plan));
  if (!plan.targets.empty()) {
    TARN_CHECK(check_names(config, plan));
  }
  return plan;
}

WantedColumns wanted_columns(const TablePlan& plan) {
  WantedColumns wanted;
  for (const auto& target : plan.targets) {
    wanted[engine::fold(target.name)] = {.type = target.type, .required = target.required};
  }
  return wanted;
}

Status make_typed_view(session::Session& session, const SourceConfig& config, const TablePlan& plan,
                       const Relation& relation, bool careful) {
  std::string list;
  std::vector<std::string> bad;
  std::vector<std::string> reasons;
  for (const auto& target : plan.targets) {
    const engine::Column* input = find_column(relation.columns, target.name);
    Cast cast{.value = fmt::format("CAST(NULL AS {})", target.type), .bad = ""};
    if (input != nullptr) {
      cast = cast_of(input->name, input->type, target.type);
    }
    list += fmt::format("{} AS {}, ", cast.value, quote_identifier(target.name));
    if (!cast.bad.empty()) {
      bad.push_back(cast.bad);
      reasons.push_back(bad_reason(target, input->name, cast.bad));
    }
    if (target.required && !(relation.is_checked && input != nullptr)) {
      std::string missing = input == nullptr ? "true" : quote_identifier(input->name) + " IS NULL";
      bad.push_back("(" + missing + ")");
      reasons.push_back(fmt::format("CASE WHEN {} THEN {} END", missing,
                                    quote_literal(fmt::format("column {} is required", target.name))));
    }
  }
  std::string any = bad.empty() ? "false" : fmt::format("({})", fmt::join(bad, " OR "));
  std::string reason = reasons.empty()
                           ? "CAST(NULL AS VARCHAR)"
                           : fmt::format("nullif(concat_ws('; ', {}), '')", fmt::join(reasons, ", "));
  std::string extra = careful ? fmt::format(", tarn_row, tarn_raw, {} AS tarn_reason", reason) : "";
  TARN_CHECK(
      session.execute_own(fmt::format("CREATE OR REPLACE TEMP VIEW tarn_cast AS SELECT {}tarn_fetch, {} AS "
                                      "tarn_bad{} FROM ({})",
                                      list, any, extra, relation.sql)));
  std::vector<std::string> checked;
  TARN_CHECK(make_check_view(session, config, plan, checked));
  std::string from = checked.empty() ? "tarn_cast" : "tarn_checked";
  std::string broken = "coalesce(tarn_bad, false)";
  std::string why = "tarn_reason";
  for (size_t i = 0; i < checked.size(); ++i) {
    broken += fmt::format(" OR coalesce(tarn_check_{}, false)", i);
    why += fmt::format(", CASE WHEN tarn_check_{} THEN {} END", i, quote_literal(checked[i]));
  }
  extra =
      careful ? fmt::format(", tarn_row, tarn_raw, nullif(concat_ws('; ', {}), '') AS tarn_reason", why) : "";
  TARN_CHECK(session.execute_own(fmt::format(
      "CREATE OR REPLACE TEMP VIEW {} AS SELECT {}{}tarn_fetch, ({}) AS "
      "tarn_bad{} FROM {}",
      kTypedView, identifiers(plan.names()), plan.targets.empty() ? "" : ", ", broken, extra, from)));
  return ok();
}

std::string row_struct(const std::vector<engine::Column>& columns) {
  std::string members;
  for (const auto& column : columns) {
    members += fmt::format("{}{}: {}", members.empty() ? "" : ", ", quote_literal(column.name),
                           quote_identifier(column.name));
  }
  return members.empty() ? "CAST(NULL AS VARCHAR)" : fmt::format("{{{}}}", members);
}

Result<Relation> apply_select(session::Session& session, const SourceConfig& config, const Relation& relation,
                              const Selection& selection) {
  std::vector<std::string> names;
  for (const auto& column : relation.columns) {
    names.push_back(column.name);
  }
  std::string list = identifiers(names);
  if (!selection.each.empty()) {
    list += (list.empty() ? "" : ", ") + selection.each + " AS each";
  }
  TARN_CHECK(session.execute_own(fmt::format("CREATE OR REPLACE TEMP VIEW input AS SELECT {} FROM ({})",
                                             list.empty() ? "NULL AS nothing" : list, relation.sql)));
  constexpr std::string_view kFront = "CREATE OR REPLACE TEMP VIEW tarn_selected AS ";
  auto made = session.execute(std::string(kFront) + config.select.text);
  if (!made) {
    return Error{made.error().code,
                 to_string(mistake_in(config, config.select, "select", made.error(), kFront))};
  }
  Relation selected;
  TARN_TRY(auto rows, rows_of(session, "DESCRIBE SELECT * FROM tarn_selected"));
  for (const auto& row : rows) {
    selected.columns.push_back({.name = row[0].value_or(""), .type = row[1].value_or("")});
  }
  selected.sql = fmt::format(
      "SELECT *, {} AS tarn_fetch, CAST(NULL AS BIGINT) AS tarn_row, {} AS tarn_raw FROM "
      "tarn_selected",
      quote_literal(selection.fetch), row_struct(selected.columns));
  selected.raw_is_row = true;
  return selected;
}

}  // namespace tarn::source
