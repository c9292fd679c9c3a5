// Table metadata: the JSON document that is one version of a table (spec: "Table Metadata").
// Format versions 1 and 2; a table of version 1 becomes one of version 2 when Tarn itself writes to it.
// Immutable once built.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "iceberg/partition.h"
#include "iceberg/type.h"

namespace tarn::iceberg {

struct Snapshot {
  int64_t snapshot_id = 0;
  std::optional<int64_t> parent_snapshot_id;
  int64_t sequence_number = 0;
  int64_t timestamp_ms = 0;
  std::string manifest_list;                   // path with scheme
  std::vector<std::string> manifests;          // format version 1 without a list
  std::map<std::string, std::string> summary;  // holds "operation"
  std::optional<int> schema_id;
  std::string other_json;  // members that are not known here, as a JSON object; written back

  // Value of a summary key, or "".
  [[nodiscard]] std::string summary_value(const std::string& key) const;
};

struct SnapshotRef {
  int64_t snapshot_id = 0;
  std::string type = "branch";  // or "tag"
  std::optional<int> min_snapshots_to_keep;
  std::optional<int64_t> max_snapshot_age_ms;
  std::optional<int64_t> max_ref_age_ms;
};

struct SnapshotLogEntry {
  int64_t timestamp_ms = 0;
  int64_t snapshot_id = 0;
};

struct MetadataLogEntry {
  int64_t timestamp_ms = 0;
  std::string metadata_file;
};

struct TableMetadata {
  int format_version = 2;
  std::string table_uuid;
  std::string location;  // path with scheme, without a slash at the end
  int64_t last_sequence_number = 0;
  int64_t last_updated_ms = 0;
  int last_column_id = 0;
  std::vector<Schema> schemas;
  int current_schema_id = 0;
  std::vector<PartitionSpec> partition_specs;
  int default_spec_id = 0;
  int last_partition_id = 999;
  std::vector<SortOrder> sort_orders;
  int default_sort_order_id = 0;
  std::map<std::string, std::string> properties;
  std::optional<int64_t> current_snapshot_id;
  std::vector<Snapshot> snapshots;
  std::vector<SnapshotLogEntry> snapshot_log;
  std::vector<MetadataLogEntry> metadata_log;
  std::map<std::string, SnapshotRef> refs;
  std::string other_json;  // members of the document that are not known here, as a JSON object; written back

  [[nodiscard]] const Schema& schema() const;               // the current one
  [[nodiscard]] const Schema* schema(int schema_id) const;  // or null
  [[nodiscard]] const PartitionSpec& spec() const;          // the default one
  [[nodiscard]] const PartitionSpec* spec(int spec_id) const;
  [[nodiscard]] const Snapshot* current_snapshot() const;  // null when the table is empty
  [[nodiscard]] const Snapshot* snapshot(int64_t snapshot_id) const;

  // The field of this id in the current schema, else in the newest schema that has it, else null: what an old
  // partition spec refers to may have been dropped.
  [[nodiscard]] const Field* find_field(int field_id) const;
  // Type of a partition field's values.
  [[nodiscard]] Type partition_type(const PartitionField& field) const;
};

// Reads a metadata document; errors say which member is wrong.
Result<TableMetadata> parse_table_metadata(std::string_view json);
std::string to_json(const TableMetadata& metadata);

}  // namespace tarn::iceberg
