// Which files a scan of a snapshot must read. Files are left out only when partition values or bounds prove
// that no row of them can match; what is missing, of another type or of an unknown transform proves nothing.
#pragma once

#include <vector>

#include "base/result.h"
#include "iceberg/filter.h"
#include "iceberg/manifest_cache.h"
#include "iceberg/metadata.h"

namespace tarn::iceberg {

struct PlannedFile {
  DataFile file;
  int64_t sequence_number = 0;    // of the data
  int64_t snapshot_id = 0;        // that added it
  std::vector<DataFile> deletes;  // position deletes that may hold rows of it, equality deletes that apply
};

struct Plan {
  std::vector<PlannedFile> files;
  int64_t files_pruned = 0;      // live data files left out
  int64_t manifests_pruned = 0;  // manifests that were not even read
};

// Comparison of floating point is SQL's as DuckDB has it:
// NaN is equal to itself and greater than all else, both zeros are equal.
Result<Plan> plan_scan(const TableMetadata& metadata, int64_t snapshot_id, const Filter& filter,
                       ManifestReader& manifests);

}  // namespace tarn::iceberg
