// A commit in the words of Iceberg's REST protocol: what must hold of the table (requirements) and what is to
// become of it (updates). Pure: typed values applied to a metadata document, with every check that the
// specification asks of a catalog. Format versions 1 and 2; 3 is refused.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "iceberg/metadata.h"

namespace tarn::iceberg {

struct TableRequirement {
  enum class Kind {
    kCreate,
    kUuid,
    kRefSnapshot,
    kLastFieldId,
    kCurrentSchema,
    kLastPartitionId,
    kDefaultSpec,
    kDefaultSortOrder,
  };
  Kind kind = Kind::kCreate;
  std::string text;               // a UUID, or the name of a ref
  std::optional<int64_t> number;  // an id; kRefSnapshot without one: there must be no such ref
};

struct AssignUuid {
  std::string uuid;
};
struct UpgradeFormat {
  int version = 0;
};
struct AddSchema {
  Schema schema;
};
struct AddSpec {
  PartitionSpec spec;  // a field without an id has 0
};
struct AddSortOrder {
  SortOrder order;
};
// -1 means the one that was added last.
struct SetCurrentSchema {
  int id = 0;
};
struct SetDefaultSpec {
  int id = 0;
};
struct SetDefaultSortOrder {
  int id = 0;
};
struct AddSnapshot {
  Snapshot snapshot;
};
struct RemoveSnapshots {
  std::vector<int64_t> ids;
};
struct SetRef {
  std::string name;
  SnapshotRef ref;
};
struct RemoveRef {
  std::string name;
};
struct SetLocation {
  std::string location;
};
struct SetProperties {
  std::map<std::string, std::string> properties;
};
struct RemoveProperties {
  std::vector<std::string> names;
};
// Files of statistics are kept as they were sent; `list` is "statistics" or "partition-statistics".
struct SetStatistics {
  std::string list;
  int64_t snapshot_id = 0;
  std::string path;
  int64_t bytes = 0;
  std::string json;
};
struct RemoveStatistics {
  std::string list;
  int64_t snapshot_id = 0;
};
struct RemoveSpecs {
  std::vector<int> ids;
};
struct RemoveSchemas {
  std::vector<int> ids;
};

using TableUpdate =
    std::variant<AssignUuid, UpgradeFormat, AddSchema, SetCurrentSchema, AddSpec, SetDefaultSpec,
                 AddSortOrder, SetDefaultSortOrder, AddSnapshot, RemoveSnapshots, SetRef, RemoveRef,
                 SetLocation, SetProperties, RemoveProperties, SetStatistics, RemoveStatistics, RemoveSpecs,
                 RemoveSchemas>;

struct TableCommit {
  std::vector<TableRequirement> requirements;
  std::vector<TableUpdate> updates;

  // It makes a table rather than changing one.
  [[nodiscard]] bool creates() const;
};

// kConflict with "Requirement failed: ..." for the first that does not hold. `head` is null when there is no
// such table.
Status check_requirements(const std::vector<TableRequirement>& requirements, const TableMetadata* head);

// The next document; nullopt when nothing changes. `base` is null for a new table. kInvalid for updates that
// no catalog may take; kConflict for those that would be good after a refresh. last-updated-ms and the
// metadata log are left to finish_version.
Result<std::optional<TableMetadata>> apply_updates(const TableMetadata* base,
                                                   const std::vector<TableUpdate>& updates, int64_t now_ms);

// All snapshots that the commit adds are in the table's history already: it was applied before, and its
// answer was lost.
bool is_applied(const TableCommit& commit, const TableMetadata& head);

}  // namespace tarn::iceberg
