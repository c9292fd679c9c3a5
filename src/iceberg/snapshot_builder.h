// The next snapshot of a table, as data: new manifests, the list and the metadata that names it. The caller
// writes the files, manifests first, and swaps the pointer; whoever loses the race throws the files away and
// builds again.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "iceberg/manifest_cache.h"
#include "iceberg/metadata.h"

namespace tarn::iceberg {

struct SnapshotChange {
  bool remove_all = false;                     // all live files, data and deletes
  std::vector<std::string> removed;            // paths of live data files
  std::vector<DataFile> added;                 // data files and position deletes; spec_id says of which spec
  std::map<std::string, std::string> summary;  // further keys
  std::optional<std::string> operation;        // else append, overwrite or delete, by what the change does

  int64_t snapshot_id = 0;  // positive, random
  int64_t timestamp_ms = 0;
  std::string file_id;  // a UUID: makes the names of this commit's files unique

  std::string metadata_folder;  // where manifests go; empty: location + "/metadata"
};

struct NewFile {
  std::string path;  // with scheme
  std::string bytes;
};

struct NewSnapshot {
  TableMetadata metadata;            // with the snapshot as current; finish_version is still to be called
  std::vector<NewFile> files;        // manifests, then the manifest list
  std::vector<std::string> removed;  // paths of all files that were live in the base and are not any more
};

// kConflict when a removed path is not live in `base`: somebody else replaced it.
Result<NewSnapshot> build_snapshot(const TableMetadata& base, const SnapshotChange& change,
                                   ManifestReader& manifests);

}  // namespace tarn::iceberg
