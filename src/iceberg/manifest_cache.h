// Where manifests come from: an interface for builder and planner, and its implementation over files.
#pragma once

#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/env/file_system.h"
#include "base/result.h"
#include "iceberg/data_file.h"
#include "iceberg/metadata.h"

namespace tarn::iceberg {

using ManifestList = std::vector<ManifestFile>;
using ManifestEntries = std::vector<ManifestEntry>;

// Any thread.
class ManifestReader {
 public:
  virtual ~ManifestReader() = default;
  // The manifests of a snapshot.
  virtual Result<std::shared_ptr<const ManifestList>> list(const Snapshot& snapshot) = 0;
  // The entries of a manifest, deleted ones included, numbers inherited.
  virtual Result<std::shared_ptr<const ManifestEntries>> entries(const ManifestFile& manifest) = 0;
};

// Absolute path of "file:///p", "file:/p" or "/p"; kUnsupported for another scheme.
Result<std::string> local_path(const std::string& location);

// Reads manifests from local files and keeps what was used last, up to about `bytes_max` of memory. The files
// are immutable, so nothing ever becomes stale. Two threads may read the same file at the same time; both get
// it.
class ManifestCache : public ManifestReader {
 public:
  ManifestCache(FileSystem& files, size_t bytes_max) : files_(files), bytes_max_(bytes_max) {}

  Result<std::shared_ptr<const ManifestList>> list(const Snapshot& snapshot) override;
  Result<std::shared_ptr<const ManifestEntries>> entries(const ManifestFile& manifest) override;
  [[nodiscard]] size_t bytes() const;

 private:
  struct Item {
    std::string path;
    std::shared_ptr<const ManifestList> list;
    std::shared_ptr<const ManifestEntries> entries;
    size_t bytes = 0;
  };

  // The item of this path moved to the front, or null.
  const Item* find(const std::string& path);
  void keep(Item item);
  Result<std::shared_ptr<const ManifestList>> inline_list(const Snapshot& snapshot);

  FileSystem& files_;
  size_t bytes_max_;
  mutable std::mutex mutex_;
  std::list<Item> items_;  // last used first
  std::unordered_map<std::string, std::list<Item>::iterator> by_path_;
  size_t bytes_ = 0;
};

}  // namespace tarn::iceberg
