// What the manifests know of a column, for DuckDB's optimizer: ranges, whether there are nulls, counts.
#pragma once

#include "duckdb/function/partition_stats.hpp"
#include "duckdb/storage/statistics/base_statistics.hpp"
#include "engine/duck/lake/scan.h"

namespace tarn::engine::lake {

// Range of a column over all files of the scan; null when something is not known, or finding out would mean
// to read many manifests.
db::unique_ptr<db::BaseStatistics> column_statistics(const FileList& files, db::column_t column);

// One entry a file, from which count(*), min and max are answered without a scan; none when rows were
// deleted.
db::vector<db::PartitionStatistics> file_statistics(const FileList& files);

}  // namespace tarn::engine::lake
