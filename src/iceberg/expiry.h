// Which snapshots of a table are past their time, by the rules that Iceberg's own engines follow: refs, and
// the properties history.expire.* and gc.enabled. Pure: a document goes in, the next one comes out; removing
// files is another's job.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>

#include "iceberg/metadata.h"

namespace tarn::iceberg {

struct Expired {
  std::set<int64_t> snapshots;
  std::set<std::string> refs;  // that are older than they may become; main never is
  [[nodiscard]] bool empty() const { return snapshots.empty() && refs.empty(); }
};

// What a table's properties say of its history.
struct HistoryRules {
  bool may_remove = true;                 // gc.enabled
  std::optional<int64_t> age_ms;          // history.expire.max-snapshot-age-ms, else the default
  int min_snapshots = 1;                  // history.expire.min-snapshots-to-keep
  std::optional<int64_t> max_ref_age_ms;  // history.expire.max-ref-age-ms
};
HistoryRules history_rules(const TableMetadata& metadata, std::optional<int64_t> default_age_ms);

// What is older than `rules` say: never the current snapshot, what a tag or the head of a branch names, nor
// the newest `min_snapshots` of a branch. A snapshot outside of all branches goes by its age.
Expired find_expired(const TableMetadata& metadata, const HistoryRules& rules, int64_t now_ms);

// `metadata` without them: neither snapshots, log, refs nor statistics name them.
TableMetadata without(const TableMetadata& metadata, const Expired& expired);

// Paths of statistics files that the document names, with scheme.
std::vector<std::string> statistics_files(const TableMetadata& metadata);

}  // namespace tarn::iceberg
