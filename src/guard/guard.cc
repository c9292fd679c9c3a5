#include "guard/guard.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "codec/text_distance.h"
#include "guard/functions.h"

namespace tarn::guard {
namespace {

using engine::FunctionUse;
using engine::StatementFacts;
using engine::StatementKind;
using engine::TableUse;

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

Error refuse(Code code, std::string_view sql, size_t offset, std::string_view message) {
  return Error{code, fmt::format("{}: {}", engine::place_in(sql, offset), message)};
}

// Why a kind is refused and what to do instead; nullopt when people may use it.
std::optional<std::string_view> refusal_of(StatementKind kind) {
  switch (kind) {
    case StatementKind::kSelect:
    case StatementKind::kInsert:
    case StatementKind::kUpdate:
    case StatementKind::kDelete:
    case StatementKind::kMerge:
    case StatementKind::kCreateTable:
    case StatementKind::kCreateView:
    case StatementKind::kCreateSchema:
    case StatementKind::kCreateMacro:
    case StatementKind::kDrop:
    case StatementKind::kAlter:
    case StatementKind::kComment:
    case StatementKind::kTransaction:
    case StatementKind::kExplain:
    case StatementKind::kPrepare:
    case StatementKind::kExecute:
    case StatementKind::kDeallocate:
    case StatementKind::kShow:
    case StatementKind::kUse: return std::nullopt;
    case StatementKind::kCopyFrom:
    case StatementKind::kImport: return "it reads files: declare a source in sources/*.yml instead";
    case StatementKind::kCopyTo:
    case StatementKind::kExport:
      return "it writes files: use `tarn sql \"select ...\" --format parquet -o FILE`";
    case StatementKind::kAttach:
    case StatementKind::kDetach: return "other databases are declared under `attach` in tarn.yml";
    case StatementKind::kLoad: return "extensions are part of Tarn and never loaded by SQL";
    case StatementKind::kSet:
    case StatementKind::kPragma: return "settings belong to tarn.yml";
    case StatementKind::kCall: return "write a SELECT instead";
    case StatementKind::kVacuum: return "Tarn maintains its tables itself";
    case StatementKind::kCreateOther: return "lake tables have no indexes, types, sequences or secrets";
    case StatementKind::kOther: return "it is on no list of statements that people may use";
  }
  return "it is on no list of statements that people may use";
}

Status check_kind(std::string_view sql, const StatementFacts& facts, StatementKind kind) {
  if (auto refusal = refusal_of(kind)) {
    return refuse(Code::kDenied, sql, facts.begin,
                  fmt::format("{} is not allowed: {}", name_of(kind), *refusal));
  }
  return ok();
}

std::string unknown_function(std::string_view name) {
  std::vector<std::string> names;
  for (auto allowed : allowed_functions()) {
    names.emplace_back(allowed);
  }
  auto near = codec::nearest(name, names);
  return near.empty()
             ? fmt::format("there is no function {}; SELECT * FROM duckdb_functions() lists those that are",
                           name)
             : fmt::format("there is no function {}; did you mean {}?", name, near);
}

Status check_function(std::string_view sql, const FunctionUse& use, const IsMacro& is_macro) {
  auto denied = [&](std::string_view why) {
    return refuse(Code::kDenied, sql, use.offset,
                  fmt::format("function {} is not allowed: {}", use.name, why));
  };
  switch (rule_of(use.name)) {
    case FunctionRule::kAllowed: return ok();
    case FunctionRule::kFiles:
      return denied("it reaches files or other machines; declare a source in sources/*.yml instead");
    case FunctionRule::kText: return denied("it runs text that nobody checked; write the SQL itself");
    case FunctionRule::kEngine: return denied("it shows or changes the engine's own state");
    case FunctionRule::kWaits: return denied("it only holds up others");
    case FunctionRule::kUnknown: break;
  }
  if (is_macro && is_macro(use.name)) {
    return ok();
  }
  return refuse(Code::kNotFound, sql, use.offset, unknown_function(use.name));
}

bool looks_like_file(const std::string& name) {
  if (name.find_first_of("/\\*?") != std::string::npos) {
    return true;
  }
  static constexpr std::string_view kEndings[] = {".parquet", ".csv", ".tsv",   ".json", ".jsonl",
                                                  ".ndjson",  ".gz",  ".zst",   ".xlsx", ".db",
                                                  ".avro",    ".txt", ".duckdb"};
  return std::any_of(std::begin(kEndings), std::end(kEndings),
                     [&](std::string_view ending) { return lower(name).ends_with(ending); });
}

Status check_table(std::string_view sql, const StatementFacts& facts, const TableUse& use,
                   const Attachments& attachments) {
  static constexpr std::string_view kDatabases[] = {"", "lake", "temp", "system"};
  static constexpr std::string_view kHidden[] = {"duckdb_logs", "pg_settings", "pragma_database_list"};
  auto offset = std::max(use.offset, facts.begin);
  auto name = lower(use.name);
  auto schema = lower(use.schema);
  auto database = lower(use.database);
  if (looks_like_file(use.name) && !use.write) {
    return refuse(Code::kDenied, sql, offset,
                  fmt::format("\"{}\" looks like a file, and files are not read by SQL; declare a source in "
                              "sources/*.yml",
                              use.name));
  }
  if (std::find(std::begin(kHidden), std::end(kHidden), name) != std::end(kHidden)) {
    return refuse(Code::kDenied, sql, offset,
                  fmt::format("{} is not allowed: it shows the engine's own state", use.name));
  }
  const auto& first = database.empty() ? schema : database;
  if (attachments.contains(first)) {
    return use.write ? refuse(Code::kDenied, sql, offset,
                              fmt::format("attachment {} is read-only: write into the lake instead", first))
                     : ok();
  }
  bool known = std::find(std::begin(kDatabases), std::end(kDatabases), database) != std::end(kDatabases);
  if (!known || (database.empty() && schema == "memory")) {
    return refuse(
        Code::kDenied, sql, offset,
        fmt::format("database {} is not one of Tarn's; tables are in `lake`, temporary ones in `temp`",
                    database.empty() ? use.schema : use.database));
  }
  if (use.write && (schema == "_tarn" || schema.starts_with("_tarn."))) {
    return refuse(Code::kDenied, sql, offset, "schema _tarn is written by Tarn alone");
  }
  if (use.write && database == "system") {
    return refuse(Code::kDenied, sql, offset, "database system is part of the engine and cannot be changed");
  }
  return ok();
}

Status check_use(std::string_view sql, const StatementFacts& facts, const Attachments& attachments) {
  auto schema = lower(facts.used_schema);
  auto first = schema;  // names of attachments need no quotes, but may be written in some
  std::erase_if(first, [](char c) { return c == '"' || c == '\''; });
  first = first.substr(0, first.find('.'));
  if (schema.find("_tarn") != std::string::npos || schema.find("memory") != std::string::npos ||
      schema.find("system") != std::string::npos || attachments.contains(first)) {
    return refuse(Code::kDenied, sql, facts.begin,
                  fmt::format("USE {} is not allowed: write its tables' names in full", facts.used_schema));
  }
  return ok();
}

}  // namespace

Status check(std::string_view sql, const StatementFacts& facts, const IsMacro& is_macro,
             const Attachments& attachments) {
  TARN_CHECK(check_kind(sql, facts, facts.kind));
  for (auto kind : facts.inner) {
    TARN_CHECK(check_kind(sql, facts, kind));
  }
  if (facts.kind == StatementKind::kUse) {
    TARN_CHECK(check_use(sql, facts, attachments));
  }
  for (const auto& use : facts.functions) {
    TARN_CHECK(check_function(sql, use, is_macro));
  }
  for (const auto& use : facts.tables) {
    TARN_CHECK(check_table(sql, facts, use, attachments));
  }
  return ok();
}

bool writes(const StatementFacts& facts) {
  auto changes = [](StatementKind kind) {
    switch (kind) {
      case StatementKind::kSelect:
      case StatementKind::kShow:
      case StatementKind::kExplain:
      case StatementKind::kPrepare:
      case StatementKind::kExecute:
      case StatementKind::kDeallocate:
      case StatementKind::kUse:
      case StatementKind::kSet:
      case StatementKind::kTransaction: return false;
      default: return true;
    }
  };
  if (facts.temporary) {
    return false;
  }
  return changes(facts.kind) || std::any_of(facts.inner.begin(), facts.inner.end(), changes);
}

}  // namespace tarn::guard
