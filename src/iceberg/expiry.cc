#include "iceberg/expiry.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "iceberg/json.h"

namespace tarn::iceberg {
namespace {

constexpr std::array kStatistics = {"statistics", "partition-statistics"};

// Nothing when there is no such property, or no number from `least` on.
std::optional<int64_t> number_of(const TableMetadata& metadata, const std::string& property, int64_t least) {
  const auto found = metadata.properties.find(property);
  if (found == metadata.properties.end())
    return std::nullopt;
  const auto& text = found->second;
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole && value >= least ? std::optional(value) : std::nullopt;
}

class Finder {
 public:
  Finder(const TableMetadata& metadata, const HistoryRules& rules, int64_t now_ms)
      : metadata_(metadata), rules_(rules), now_ms_(now_ms) {}

  Expired find() {
    Expired expired;
    for (const auto& [name, ref] : metadata_.refs) {
      if (name != "main" && is_past(ref))
        expired.refs.insert(name);
      else
        keep(ref);
    }
    if (metadata_.current_snapshot_id)
      keep({.snapshot_id = *metadata_.current_snapshot_id});
    for (const auto& snapshot : metadata_.snapshots) {
      const auto id = snapshot.snapshot_id;
      const bool kept =
          kept_.contains(id) || (!in_a_branch_.contains(id) && is_young(snapshot, rules_.age_ms));
      if (!kept)
        expired.snapshots.insert(id);
    }
    return expired;
  }

 private:
  [[nodiscard]] bool is_young(const Snapshot& snapshot, std::optional<int64_t> age_ms) const {
    return !age_ms || now_ms_ - snapshot.timestamp_ms <= *age_ms;
  }

  // A ref whose snapshot is not there names nothing.
  [[nodiscard]] bool is_past(const SnapshotRef& ref) const {
    const auto* snapshot = metadata_.snapshot(ref.snapshot_id);
    return snapshot == nullptr ||
           !is_young(*snapshot, ref.max_ref_age_ms ? ref.max_ref_age_ms : rules_.max_ref_age_ms);
  }

  void keep(const SnapshotRef& ref) {
    kept_.insert(ref.snapshot_id);
    if (ref.type != "branch")
      return;
    const auto age_ms = ref.max_snapshot_age_ms ? ref.max_snapshot_age_ms : rules_.age_ms;
    const auto least = std::max(1, ref.min_snapshots_to_keep.value_or(rules_.min_snapshots));
    int count = 0;
    bool going = true;
    const auto* at = metadata_.snapshot(ref.snapshot_id);
    // The count bounds a chain of parents that runs in a circle.
    for (size_t steps = 0; at != nullptr && steps < metadata_.snapshots.size(); ++steps) {
      in_a_branch_.insert(at->snapshot_id);
      going = going && (count++ < least || is_young(*at, age_ms));
      if (going)
        kept_.insert(at->snapshot_id);
      at = at->parent_snapshot_id ? metadata_.snapshot(*at->parent_snapshot_id) : nullptr;
    }
  }

  const TableMetadata& metadata_;
  const HistoryRules& rules_;
  const int64_t now_ms_;
  std::set<int64_t> kept_, in_a_branch_;
};

// Statistics of snapshots that go leave their lists.
std::string without_statistics(const std::string& other_json, const std::set<int64_t>& snapshots) {
  auto rest = other_json.empty() ? Json() : Json::parse(other_json, nullptr, false);
  if (!rest.is_object())
    return other_json;
  for (const auto* name : kStatistics) {
    const auto list = rest.find(name);
    if (list == rest.end() || !list->is_array())
      continue;
    auto kept = Json::array();
    for (auto& one : *list) {
      const auto* id = one.is_object() ? find_member(one, "snapshot-id") : nullptr;
      if (id == nullptr || !id->is_number_integer() || !snapshots.contains(id->get<int64_t>()))
        kept.push_back(std::move(one));
    }
    if (kept.empty())
      rest.erase(name);
    else
      *list = std::move(kept);
  }
  return rest.dump();
}

}  // namespace

HistoryRules history_rules(const TableMetadata& metadata, std::optional<int64_t> default_age_ms) {
  HistoryRules rules;
  const auto gc = metadata.properties.find("gc.enabled");
  rules.may_remove = gc == metadata.properties.end() || gc->second != "false";
  const auto age = number_of(metadata, "history.expire.max-snapshot-age-ms", 1);
  rules.age_ms = age ? age : default_age_ms;
  const auto least = number_of(metadata, "history.expire.min-snapshots-to-keep", 1).value_or(1);
  rules.min_snapshots = static_cast<int>(std::min<int64_t>(least, 1'000'000));
  rules.max_ref_age_ms = number_of(metadata, "history.expire.max-ref-age-ms", 1);
  return rules;
}

Expired find_expired(const TableMetadata& metadata, const HistoryRules& rules, int64_t now_ms) {
  return rules.may_remove ? Finder(metadata, rules, now_ms).find() : Expired{};
}

TableMetadata without(const TableMetadata& metadata, const Expired& expired) {
  auto next = metadata;
  const auto gone = [&](int64_t id) { return expired.snapshots.contains(id); };
  std::erase_if(next.snapshots, [&](const auto& snapshot) { return gone(snapshot.snapshot_id); });
  std::erase_if(next.refs, [&](const auto& ref) { return expired.refs.contains(ref.first); });
  // The log must have no gaps, or others would read a wrong snapshot for a time in one.
  auto& log = next.snapshot_log;
  const auto gap =
      std::find_if(log.rbegin(), log.rend(), [&](const auto& entry) { return gone(entry.snapshot_id); });
  log.erase(log.begin(), gap.base());
  next.other_json = without_statistics(next.other_json, expired.snapshots);
  return next;
}

std::vector<std::string> statistics_files(const TableMetadata& metadata) {
  std::vector<std::string> files;
  const auto rest = metadata.other_json.empty() ? Json() : Json::parse(metadata.other_json, nullptr, false);
  for (const auto* name : kStatistics) {
    const auto* list = rest.is_object() ? find_member(rest, name) : nullptr;
    if (list == nullptr || !list->is_array())
      continue;
    for (const auto& one : *list) {
      const auto* path = one.is_object() ? find_member(one, "statistics-path") : nullptr;
      if (path != nullptr && path->is_string())
        files.push_back(path->get<std::string>());
    }
  }
  return files;
}

}  // namespace tarn::iceberg
