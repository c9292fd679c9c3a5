// Makes one commit out of a request and the newest lake version: checks, rebases, and says which files and
// rows to write. Changes nothing outside, but for folders of new tables.
#pragma once

#include <memory>
#include <string>

#include "base/env/env.h"
#include "catalog/control_tables.h"
#include "catalog/file_batch.h"
#include "catalog/outside_files.h"
#include "engine/lake_catalog.h"
#include "iceberg/manifest_cache.h"
#include "store/store.h"

namespace tarn::catalog {

struct CommitTools {
  Env& env;
  store::Store& store;
  iceberg::ManifestReader& manifests;
  const Locations& locations;
};

struct PreparedCommit {
  FileBatch files;
  RowChanges rows;
  std::shared_ptr<const engine::LakeVersion> next;  // the head itself when nothing in the lake changes
};

// kConflict when the request cannot be put on top of `head`.
Result<PreparedCommit> prepare_commit(const CommitTools& tools,
                                      const std::shared_ptr<const engine::LakeVersion>& head,
                                      const engine::CommitRequest& request);

}  // namespace tarn::catalog
