// The catalog's rows in control.sqlite. A row of a schema, table or view is good for the lake versions
// begin_version <= v < end_version (null: still good), so that every version can be read again.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/env/env.h"
#include "base/result.h"
#include "engine/lake_catalog.h"
#include "store/store.h"

namespace tarn::catalog {

const store::Migrations& catalog_migrations();

// What one commit changes in the rows.
struct RowChanges {
  int64_t version = 0;
  Timestamp time;
  bool new_version = false;  // false: only token and cursors, on the version that is there
  struct TableRow {
    engine::TableName name;
    std::string uuid;
    std::string metadata_location;
  };
  struct ViewRow {
    engine::LakeView view;
    std::string metadata_location;
    int64_t version_id = 1;
  };
  struct SchemaRow {
    std::string name;
    std::map<std::string, std::string> properties;
  };
  std::vector<std::string> ended_tables;   // uuids
  std::vector<std::string> ended_views;    // uuids
  std::vector<std::string> ended_macros;   // uuids
  std::vector<std::string> ended_schemas;  // folded names
  struct ExpiredRow {
    std::string uuid;
    int64_t begin_version = 0;
  };
  std::vector<std::string> purged_tables;  // uuids of ended ones of which no version is wanted any more
  std::vector<ExpiredRow> expired;         // versions of tables that are past their time; at `time`
  std::vector<TableRow> tables;
  std::vector<ViewRow> views;
  std::vector<engine::LakeMacro> macros;
  std::vector<SchemaRow> schemas;
  std::vector<engine::CursorChange> cursors;
  std::string token;
  engine::RepeatableRequest repeatable;
  Timestamp asked_at;  // of `repeatable`
  engine::CommitOutcome outcome;
};

Status write_rows(store::Connection& connection, const RowChanges& changes);

// The whole lake at a version; nullptr when there is no such version.
Result<std::shared_ptr<const engine::LakeVersion>> load_version(store::Connection& connection, Env& env,
                                                                int64_t number);
// 0 when there is none yet.
Result<int64_t> newest_version(store::Connection& connection);
// The last version with time <= `time`; kNotFound names the first version when there is none.
Result<int64_t> version_at(store::Connection& connection, Timestamp time);

Result<std::optional<engine::CommitOutcome>> load_token(store::Connection& connection,
                                                        const std::string& token);
Result<std::optional<std::string>> load_cursor(store::Connection& connection, const std::string& source,
                                               const std::string& key);
// Location and version id of a view's newest metadata file.
struct ViewFile {
  std::string metadata_location;
  int64_t version_id = 0;
};
Result<std::optional<ViewFile>> load_view_file(store::Connection& connection, const std::string& uuid);

}  // namespace tarn::catalog
