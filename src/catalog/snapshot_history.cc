#include "catalog/snapshot_history.h"

#include <algorithm>
#include <set>

namespace tarn::catalog {
namespace {

constexpr size_t kThinAbove = 150;
constexpr size_t kNewestKept = 50;
constexpr int64_t kHourMs = 3'600'000;
constexpr int64_t kDayMs = 24 * kHourMs;
constexpr int64_t kMonthMs = 30 * kDayMs;

int64_t slot_ms_of(int64_t age_ms) {
  return age_ms <= kDayMs ? kHourMs : age_ms <= kMonthMs ? kDayMs : kMonthMs;
}

std::set<int64_t> kept_snapshots(const iceberg::TableMetadata& metadata, int64_t now_ms) {
  std::set<int64_t> kept;
  for (const auto& [name, ref] : metadata.refs) {
    kept.insert(ref.snapshot_id);
  }
  if (metadata.current_snapshot_id) {
    kept.insert(*metadata.current_snapshot_id);
  }
  std::set<std::pair<int64_t, int64_t>> filled;  // length of a slot, and its number
  size_t newer = 0;
  for (auto it = metadata.snapshots.rbegin(); it != metadata.snapshots.rend(); ++it, ++newer) {
    int64_t slot_ms = slot_ms_of(now_ms - it->timestamp_ms);
    if (newer < kNewestKept || filled.emplace(slot_ms, it->timestamp_ms / slot_ms).second) {
      kept.insert(it->snapshot_id);
    }
  }
  return kept;
}

}  // namespace

void thin_snapshots(iceberg::TableMetadata& metadata, int64_t now_ms) {
  if (metadata.snapshots.size() <= kThinAbove) {
    return;
  }
  std::set<int64_t> kept = kept_snapshots(metadata, now_ms);
  std::erase_if(metadata.snapshots,
                [&](const auto& snapshot) { return !kept.contains(snapshot.snapshot_id); });
  // The log must have no gaps, or others would read a wrong snapshot for a time in one.
  auto& log = metadata.snapshot_log;
  auto gap = std::find_if(log.rbegin(), log.rend(),
                          [&](const auto& entry) { return !kept.contains(entry.snapshot_id); });
  log.erase(log.begin(), gap.base());
}

}  // namespace tarn::catalog
