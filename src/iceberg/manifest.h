// Manifests and manifest lists: the Avro files between a snapshot and its data files (spec: "Manifests",
// "Manifest Lists"). Pure: bytes in, bytes out. Files of any writer are read by field id; version 2 is
// written.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "iceberg/data_file.h"
#include "iceberg/metadata.h"

namespace tarn::iceberg {

struct ManifestOptions {
  std::string path;             // where the caller will write it, with scheme
  int spec_id = 0;              // of all entries
  bool deletes = false;         // lists delete files rather than data files
  int64_t snapshot_id = 0;      // the snapshot that adds the manifest
  int64_t sequence_number = 0;  // of that snapshot
};

struct WrittenManifest {
  std::string bytes;
  ManifestFile file;  // its line in the manifest list
};

// Added entries are written without sequence numbers, which readers inherit from the list.
Result<WrittenManifest> write_manifest(const TableMetadata& metadata, const ManifestOptions& options,
                                       std::span<const ManifestEntry> entries);

// Entries with snapshot ids and sequence numbers inherited from `file`, deleted ones included.
Result<std::vector<ManifestEntry>> read_manifest(std::string_view bytes, const ManifestFile& file);

// The line that a list would have for a manifest which a snapshot of version 1 names itself.
Result<ManifestFile> manifest_line(std::string_view bytes, const std::string& path, int64_t snapshot_id);

// Lists of version 1 may leave out counts of files and rows; they are then below 0 until fill_counts is
// called.
inline constexpr int64_t kUnknownCount = -1;
[[nodiscard]] bool has_counts(const ManifestFile& file);
void fill_counts(ManifestFile& file, std::span<const ManifestEntry> entries);

Result<std::string> write_manifest_list(const Snapshot& snapshot, std::span<const ManifestFile> manifests);
Result<std::vector<ManifestFile>> read_manifest_list(std::string_view bytes);

}  // namespace tarn::iceberg
