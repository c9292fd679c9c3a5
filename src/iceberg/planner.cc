#include "iceberg/planner.h"

#include <unordered_map>

#include <fmt/format.h>

#include "iceberg/pruning.h"

namespace tarn::iceberg {
namespace {

constexpr int kDeletePathField = 2147483546;  // file_path in a position delete file

struct Delete {
  int64_t sequence_number = 0;
  DataFile file;
};

struct Deletes {
  std::unordered_map<std::string, std::vector<Delete>> by_partition;
  std::vector<Delete> everywhere;  // equality deletes of an unpartitioned spec
};

// Whether a delete file may name this data file, by the bounds of the paths in it.
bool may_name(const DataFile& deletes, const std::string& path) {
  if (deletes.referenced_data_file) {
    return *deletes.referenced_data_file == path;
  }
  auto lower = deletes.lower_bounds.find(kDeletePathField);
  if (lower != deletes.lower_bounds.end() && path < lower->second) {
    return false;
  }
  auto upper = deletes.upper_bounds.find(kDeletePathField);
  return upper == deletes.upper_bounds.end() || path <= upper->second;
}

// Position deletes apply to data of the same commit, equality deletes to older data only (spec: "Scan
// Planning").
bool applies(const Delete& deletes, const DataFile& file, int64_t sequence_number) {
  return deletes.file.content == Content::kEqualityDeletes
             ? deletes.sequence_number > sequence_number
             : deletes.sequence_number >= sequence_number && may_name(deletes.file, file.path);
}

std::vector<DataFile> deletes_of(const Deletes& deletes, const DataFile& file, int64_t sequence_number) {
  std::vector<DataFile> matching;
  const auto add = [&](const std::vector<Delete>& entries) {
    for (const auto& entry : entries) {
      if (applies(entry, file, sequence_number)) {
        matching.push_back(entry.file);
      }
    }
  };
  add(deletes.everywhere);
  if (auto at = deletes.by_partition.find(partition_key(file.spec_id, file.partition));
      at != deletes.by_partition.end()) {
    add(at->second);
  }
  return matching;
}

Status collect_deletes(const TableMetadata& metadata, const ManifestFile& manifest, ManifestReader& manifests,
                       Deletes& deletes) {
  TARN_TRY(auto entries, manifests.entries(manifest));
  const auto* spec = metadata.spec(manifest.spec_id);
  const bool unpartitioned = spec != nullptr && spec->is_unpartitioned();
  for (const auto& entry : *entries) {
    if (entry.status == EntryStatus::kDeleted) {
      continue;
    }
    Delete found{.sequence_number = entry.sequence_number.value_or(0), .file = entry.file};
    if (entry.file.content == Content::kEqualityDeletes && entry.file.equality_ids.empty()) {
      return Error{
          Code::kCorrupt,
          fmt::format("the equality deletes in {} do not say by which fields they go", entry.file.path)};
    }
    if (entry.file.content == Content::kEqualityDeletes && unpartitioned) {
      deletes.everywhere.push_back(std::move(found));
    } else {
      deletes.by_partition[partition_key(entry.file.spec_id, entry.file.partition)].push_back(
          std::move(found));
    }
  }
  return ok();
}

}  // namespace

Result<Plan> plan_scan(const TableMetadata& metadata, int64_t snapshot_id, const Filter& filter,
                       ManifestReader& manifests) {
  const auto* snapshot = metadata.snapshot(snapshot_id);
  if (snapshot == nullptr) {
    return Error{Code::kNotFound,
                 fmt::format("the table at {} has no snapshot {}", metadata.location, snapshot_id)};
  }
  Plan plan;
  Deletes deletes;
  std::vector<const ManifestFile*> data;
  TARN_TRY(auto list, manifests.list(*snapshot));
  for (const auto& manifest : *list) {
    if (manifest.added_files + manifest.existing_files == 0) {
      continue;
    }
    if (!may_match(metadata, manifest, filter)) {
      ++plan.manifests_pruned;
      plan.files_pruned += manifest.deletes ? 0 : manifest.added_files + manifest.existing_files;
    } else if (manifest.deletes) {
      TARN_CHECK(collect_deletes(metadata, manifest, manifests, deletes));
    } else {
      data.push_back(&manifest);
    }
  }
  for (const auto* manifest : data) {
    TARN_TRY(auto entries, manifests.entries(*manifest));
    for (const auto& entry : *entries) {
      if (entry.status == EntryStatus::kDeleted) {
        continue;
      }
      if (!may_match(metadata, entry.file, filter)) {
        ++plan.files_pruned;
        continue;
      }
      auto number = entry.sequence_number.value_or(0);
      plan.files.push_back({.file = entry.file,
                            .sequence_number = number,
                            .snapshot_id = entry.snapshot_id.value_or(manifest->added_snapshot_id),
                            .deletes = deletes_of(deletes, entry.file, number)});
    }
  }
  return plan;
}

}  // namespace tarn::iceberg
