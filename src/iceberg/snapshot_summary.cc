#include "iceberg/snapshot_summary.h"

#include <charconv>

#include <fmt/format.h>

#include "iceberg/partition.h"
#include "iceberg/snapshot_builder.h"

namespace tarn::iceberg {
namespace {

void put(std::map<std::string, std::string>& text, const char* key, int64_t number) {
  if (number != 0) {
    text[key] = std::to_string(number);
  }
}

void put_total(std::map<std::string, std::string>& text, const Snapshot* parent, const char* key,
               int64_t change) {
  int64_t before = 0;
  if (parent != nullptr) {
    auto held = parent->summary_value(key);
    auto [end, error] = std::from_chars(held.data(), held.data() + held.size(), before);
    if (held.empty() || error != std::errc() || end != held.data() + held.size()) {
      return;
    }
  }
  if (before + change >= 0) {
    text[key] = std::to_string(before + change);
  }
}

}  // namespace

void SnapshotSummary::count(Counts& counts, const DataFile& file) {
  counts.bytes += file.file_size_bytes;
  partitions_.insert(partition_key(file.spec_id, file.partition));
  switch (file.content) {
    case Content::kData:
      ++counts.data_files;
      counts.records += file.record_count;
      return;
    case Content::kPositionDeletes:
      ++counts.delete_files;
      counts.position_deletes += file.record_count;
      return;
    case Content::kEqualityDeletes:
      ++counts.delete_files;
      counts.equality_deletes += file.record_count;
      return;
  }
}

void SnapshotSummary::add(const DataFile& file) {
  count(added_, file);
}

void SnapshotSummary::remove(const DataFile& file) {
  count(removed_, file);
}

std::map<std::string, std::string> SnapshotSummary::text(const Snapshot* parent,
                                                         const SnapshotChange& change) const {
  auto text = change.summary;
  bool takes_away =
      removed_.data_files + removed_.delete_files + added_.delete_files > 0 || change.remove_all;
  const char* operation = !takes_away ? "append" : (added_.data_files > 0 ? "overwrite" : "delete");
  text["operation"] = change.operation.value_or(operation);
  put(text, "added-data-files", added_.data_files);
  put(text, "deleted-data-files", removed_.data_files);
  put(text, "added-records", added_.records);
  put(text, "deleted-records", removed_.records);
  put(text, "added-files-size", added_.bytes);
  put(text, "removed-files-size", removed_.bytes);
  put(text, "added-delete-files", added_.delete_files);
  put(text, "removed-delete-files", removed_.delete_files);
  put(text, "added-position-delete-files", added_.delete_files);
  put(text, "added-position-deletes", added_.position_deletes);
  put(text, "removed-position-deletes", removed_.position_deletes);
  put(text, "removed-equality-deletes", removed_.equality_deletes);
  text["changed-partition-count"] = std::to_string(partitions_.size());
  put_total(text, parent, "total-records", added_.records - removed_.records);
  put_total(text, parent, "total-data-files", added_.data_files - removed_.data_files);
  put_total(text, parent, "total-delete-files", added_.delete_files - removed_.delete_files);
  put_total(text, parent, "total-position-deletes", added_.position_deletes - removed_.position_deletes);
  put_total(text, parent, "total-equality-deletes", added_.equality_deletes - removed_.equality_deletes);
  put_total(text, parent, "total-files-size", added_.bytes - removed_.bytes);
  return text;
}

}  // namespace tarn::iceberg
