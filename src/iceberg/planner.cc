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

// Position deletes by partition.
using Deletes = std::unordered_map<std::string, std::vector<Delete>>;

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

std::vector<DataFile> deletes_of(const Deletes& deletes, const DataFile& file, int64_t sequence_number) {
  std::vector<DataFile> matching;
  auto at = deletes.find(partition_key(file.spec_id, file.partition));
  if (at == deletes.end()) {
    return matching;
  }
  for (const auto& entry : at->second) {
    if (entry.sequence_number >= sequence_number && may_name(entry.file, file.path)) {
      matching.push_back(entry.file);
    }
  }
  return matching;
}

Status collect_deletes(const TableMetadata& metadata, const ManifestFile& manifest, ManifestReader& manifests,
                       Deletes& deletes) {
  TARN_TRY(auto entries, manifests.entries(manifest));
  for (const auto& entry : *entries) {
    if (entry.status == EntryStatus::kDeleted) {
      continue;
    }
    if (entry.file.content == Content::kEqualityDeletes) {
      return Error{
          Code::kUnsupported,
          fmt::format("the table at {} holds equality deletes, which Tarn cannot apply yet: compact it with "
                      "the program that wrote them",
                      metadata.location)};
    }
    auto key = partition_key(entry.file.spec_id, entry.file.partition);
    deletes[key].push_back({.sequence_number = entry.sequence_number.value_or(0), .file = entry.file});
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
                            .deletes = deletes_of(deletes, entry.file, number)});
    }
  }
  return plan;
}

}  // namespace tarn::iceberg
