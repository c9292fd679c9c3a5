// Files that a commit from outside names: the catalog does not trust its writer. Each must lie under an
// allowed location and be there with its size, and is made durable before the commit is.
#pragma once

#include <string>
#include <vector>

#include "base/env/env.h"
#include "base/env/worker_pool.h"
#include "base/result.h"
#include "iceberg/manifest_cache.h"
#include "iceberg/metadata.h"
#include "iceberg/table_commit.h"

namespace tarn::catalog {

// Folders below which tables may lie: the lake's own, and those that the project names.
struct Locations {
  std::string lake;
  std::vector<std::string> others;
  // False: data and delete files are taken as the manifests tell them, wherever they are.
  bool check_data_files = true;

  // The path of a location, when it may be used; kDenied otherwise. Looks through links of the file system.
  [[nodiscard]] Result<std::string> allow(const std::string& location) const;
};

struct OutsideFilesTools {
  Env& env;
  iceberg::ManifestReader& manifests;
  WorkerPool& pool;
  const Locations& locations;
};

// `head` is null for a table that is made. kInvalid and kDenied name the file.
Status check_outside_files(const OutsideFilesTools& tools, const iceberg::TableCommit& commit,
                           const iceberg::TableMetadata* head);

// The same for a table that is there already: all files of its snapshots.
Status check_registered_files(const OutsideFilesTools& tools, const iceberg::TableMetadata& metadata);

}  // namespace tarn::catalog
