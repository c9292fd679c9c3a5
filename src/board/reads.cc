#include "board/reads.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "engine/lake_reads.h"

namespace tarn::board {
namespace {

constexpr std::array<std::string_view, 14> kRestless = {
    "now",       "today",           "current_date",   "current_time",          "current_timestamp",
    "localtime", "random",          "localtimestamp", "get_current_timestamp", "uuid",
    "uuidv4",    "gen_random_uuid", "uuidv7",         "transaction_timestamp",
};

Status add(const engine::LakeTable& table, Reads& reads) {
  TARN_TRY(const auto metadata, table.metadata());
  const auto* snapshot = metadata->current_snapshot();
  TableRead read{.table = fmt::format("{}.{}", table.name().schema, table.name().name), .changed_at = {}};
  if (snapshot != nullptr) {
    read.snapshot_id = snapshot->snapshot_id;
    read.changed_at = Timestamp(std::chrono::milliseconds(snapshot->timestamp_ms));
  }
  reads.identity += fmt::format("{} {} {}\n", table.uuid(), read.snapshot_id, metadata->current_schema_id);
  reads.tables.push_back(std::move(read));
  return ok();
}

void look_through(const std::string& uuid, const std::string& sql, Reads& reads) {
  reads.identity += fmt::format("{} {}\n", uuid, sql);
  reads.all_known = reads.all_known && !names_restless(sql);
}

}  // namespace

bool names_restless(std::string_view sql) {
  const auto is_word = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  };
  for (size_t at = 0; at < sql.size();) {
    if (!is_word(sql[at])) {
      ++at;
      continue;
    }
    size_t end = at;
    while (end < sql.size() && is_word(sql[end]))
      ++end;
    std::string word(sql.substr(at, end - at));
    std::transform(word.begin(), word.end(), word.begin(), ::tolower);
    if (std::find(kRestless.begin(), kRestless.end(), word) != kRestless.end())
      return true;
    at = end;
  }
  return false;
}

Result<Reads> find_reads(const engine::LakeVersion& version, const engine::StatementFacts& statement,
                         const std::set<std::string>& attachments) {
  TARN_TRY(const auto found,
           engine::lake_reads(version, std::span(&statement, 1), {.databases = attachments}));
  Reads reads;
  for (const auto& table : found.tables)
    TARN_CHECK(add(*table, reads));
  for (const auto& view : found.views)
    look_through(view->uuid, view->sql, reads);
  for (const auto& macro : found.macros)
    look_through(macro->uuid, macro->sql, reads);
  for (const auto& other : found.others) {
    reads.all_known = false;
    if (!attachments.contains(other.database))
      continue;
    const auto schema = other.schema.empty() ? "" : other.schema + ".";
    reads.tables.push_back({.table = fmt::format("{}.{}{}", other.database, schema, other.name),
                            .changed_at = {},
                            .outside = true});
  }
  std::sort(reads.tables.begin(), reads.tables.end(),
            [](const TableRead& a, const TableRead& b) { return a.table < b.table; });
  return reads;
}

}  // namespace tarn::board
