// View metadata (Iceberg view spec, version 1): the JSON document that is one state of a view, and commits of
// the REST protocol to it. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "iceberg/type.h"

namespace tarn::iceberg {

struct ViewRepresentation {
  std::string type = "sql";
  std::string sql;
  std::string dialect;
  bool operator==(const ViewRepresentation&) const = default;
};

struct ViewVersion {
  int version_id = 1;
  int schema_id = 0;
  int64_t timestamp_ms = 0;
  std::map<std::string, std::string> summary;
  std::vector<ViewRepresentation> representations;
  std::optional<std::string> default_catalog;
  std::vector<std::string> default_namespace;
};

struct ViewLogEntry {
  int64_t timestamp_ms = 0;
  int version_id = 0;
};

struct ViewMetadata {
  std::string view_uuid;
  int format_version = 1;
  std::string location;
  std::vector<Schema> schemas;
  int current_version_id = 0;
  std::vector<ViewVersion> versions;
  std::vector<ViewLogEntry> version_log;
  std::map<std::string, std::string> properties;

  [[nodiscard]] const ViewVersion* version(int version_id) const;  // or null
  [[nodiscard]] const ViewVersion* current_version() const { return version(current_version_id); }
  [[nodiscard]] const Schema* schema(int schema_id) const;
  // The text of the current version in this dialect (any case), or null.
  [[nodiscard]] const ViewRepresentation* representation(std::string_view dialect) const;
};

Result<ViewMetadata> parse_view_metadata(std::string_view json);
std::string to_json(const ViewMetadata& metadata);

struct AssignViewUuid {
  std::string uuid;
};
struct UpgradeViewFormat {
  int version = 0;
};
struct AddViewSchema {
  Schema schema;
};
struct SetViewLocation {
  std::string location;
};
struct SetViewProperties {
  std::map<std::string, std::string> properties;
};
struct RemoveViewProperties {
  std::vector<std::string> names;
};
struct AddViewVersion {
  ViewVersion version;  // schema -1: the one that was added last
};
struct SetCurrentViewVersion {
  int id = 0;  // -1: the one that was added last
};
using ViewUpdate =
    std::variant<AssignViewUuid, UpgradeViewFormat, AddViewSchema, SetViewLocation, SetViewProperties,
                 RemoveViewProperties, AddViewVersion, SetCurrentViewVersion>;

struct ViewCommit {
  std::vector<std::string> uuids;  // that must be the view's
  std::vector<ViewUpdate> updates;
};

// kConflict with "Requirement failed: ..." when the view is another one; kInvalid for updates that no catalog
// may take. `base` is null for a new view. nullopt: nothing changes.
Result<std::optional<ViewMetadata>> apply_view_commit(const ViewMetadata* base, const ViewCommit& commit,
                                                      int64_t now_ms);

}  // namespace tarn::iceberg
