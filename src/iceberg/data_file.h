// A file of a table, as a manifest entry describes it (spec: "Manifests", struct data_file).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "iceberg/value.h"

namespace tarn::iceberg {

enum class Content { kData = 0, kPositionDeletes = 1, kEqualityDeletes = 2 };

struct DataFile {
  Content content = Content::kData;
  std::string path;  // absolute, with scheme: file:///…
  std::string format = "PARQUET";
  int spec_id = 0;               // of the manifest that lists it
  std::vector<Value> partition;  // in the order of that spec's fields
  int64_t record_count = 0;
  int64_t file_size_bytes = 0;
  std::map<int, int64_t> column_sizes;
  std::map<int, int64_t> value_counts;  // include nulls and NaNs
  std::map<int, int64_t> null_value_counts;
  std::map<int, int64_t> nan_value_counts;  // float and double only
  std::map<int, std::string> lower_bounds;  // single-value binary
  std::map<int, std::string> upper_bounds;
  std::vector<int64_t> split_offsets;
  std::vector<int> equality_ids;
  std::optional<int> sort_order_id;
  std::optional<std::string> referenced_data_file;
};

enum class EntryStatus { kExisting = 0, kAdded = 1, kDeleted = 2 };

struct ManifestEntry {
  EntryStatus status = EntryStatus::kAdded;
  std::optional<int64_t> snapshot_id;           // null: the manifest's added_snapshot_id
  std::optional<int64_t> sequence_number;       // null only for added entries: inherited
  std::optional<int64_t> file_sequence_number;  // likewise
  DataFile file;
};

struct FieldSummary {
  bool contains_null = false;
  std::optional<bool> contains_nan;
  std::optional<std::string> lower_bound;
  std::optional<std::string> upper_bound;
};

// One line of a manifest list (spec: struct manifest_file).
struct ManifestFile {
  std::string path;
  int64_t length_bytes = 0;
  int spec_id = 0;
  bool deletes = false;  // content: data or deletes
  int64_t sequence_number = 0;
  int64_t min_sequence_number = 0;
  int64_t added_snapshot_id = 0;
  int64_t added_files = 0, existing_files = 0, deleted_files = 0;
  int64_t added_rows = 0, existing_rows = 0, deleted_rows = 0;
  std::vector<FieldSummary> partitions;
  bool knows_partitions = true;  // false: the list says nothing of them
};

}  // namespace tarn::iceberg
