// What the engine's `lake` catalog needs from the catalog service: versions, files, one commit call.
// Implemented by `catalog`; all methods may be called from any thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/env/env.h"
#include "base/result.h"
#include "iceberg/data_file.h"
#include "iceberg/filter.h"
#include "iceberg/metadata.h"

namespace tarn::iceberg {
struct TableCommit;
struct ViewMetadata;
}  // namespace tarn::iceberg

namespace tarn::engine {

// Schema is the namespace as shown: levels joined by dots. Both keep the case in which they were created;
// look-ups ignore case.
struct TableName {
  std::string schema;
  std::string name;
  auto operator<=>(const TableName&) const = default;
};

// One table in one lake version. Immutable.
class LakeTable {
 public:
  virtual ~LakeTable() = default;
  [[nodiscard]] virtual const TableName& name() const = 0;
  [[nodiscard]] virtual const std::string& uuid() const = 0;
  [[nodiscard]] virtual const std::string& metadata_location() const = 0;
  // Reads the metadata document at the first call and keeps it.
  [[nodiscard]] virtual Result<std::shared_ptr<const iceberg::TableMetadata>> metadata() const = 0;
};

struct ViewColumn {
  std::string name;
  std::string type;  // DuckDB's name of the type
  std::string comment;
};

struct LakeView {
  TableName name;
  std::string uuid;
  std::string sql;  // the SELECT, dialect duckdb, every table name qualified; empty: made by another engine
  std::vector<ViewColumn> columns;  // fixed at creation
  std::string comment;
  std::string metadata_location = {};  // of its document; empty until it is committed
};

// A macro of scalars or of tables: SQL with parameters, DuckDB's own, which other engines do not see.
struct LakeMacro {
  TableName name;
  std::string uuid;  // another one after CREATE OR REPLACE
  std::string sql;   // CREATE MACRO …, table names qualified
};

struct LakeSchema {
  std::string name;
  std::map<std::string, std::string> properties;                   // "comment" among them
  std::map<std::string, std::shared_ptr<const LakeTable>> tables;  // key: folded name
  std::map<std::string, std::shared_ptr<const LakeView>> views;    // key: folded name
  std::map<std::string, std::shared_ptr<const LakeMacro>> macros;  // key: folded name

  // Nothing has a name in it.
  [[nodiscard]] bool empty() const { return tables.empty() && views.empty() && macros.empty(); }
};

// Everything in the lake at one moment. Immutable; a transaction pins one.
struct LakeVersion {
  int64_t number = 0;
  Timestamp time;
  std::map<std::string, std::shared_ptr<const LakeSchema>> schemas;  // key: folded name
};

// Name folding for look-ups: ASCII and Unicode lower case are the same name.
std::string fold(std::string_view name);

// A change of one table in a transaction. Made against `base`; the catalog rebases it when it can.
struct TableChange {
  enum class Kind { kCreate, kUpdate, kDrop };
  Kind kind = Kind::kUpdate;
  TableName name;
  std::string uuid;                                    // of the new table, or the one expected there
  std::shared_ptr<const iceberg::TableMetadata> base;  // what the transaction read; null for kCreate
  // kCreate: the first metadata, without snapshots (location may be empty: the catalog chooses it).
  // kUpdate: set when schema, specs, sort orders or properties change; the same document with those changed.
  std::shared_ptr<const iceberg::TableMetadata> changed;
  std::optional<TableName> rename_to;
  bool remove_all = false;               // TRUNCATE, CREATE OR REPLACE: all files of `base`
  std::vector<std::string> removed;      // paths of data files taken out
  std::vector<iceberg::DataFile> added;  // data files and position deletes
  // Data files of `base` of which `added` deletes rows, with the delete files that applied to each: a
  // conflict when one is gone by now, or others apply.
  std::map<std::string, std::vector<std::string>> touched;
  bool alone = false;  // a conflict when anybody wrote rows since `base`
  // The snapshot (-1: none) among whose rows no key of `added` is; another one by now is a conflict.
  std::optional<int64_t> keys_as_of = {};
  std::map<std::string, std::string> summary;  // further keys of the snapshot summary
  // A change that comes from outside, in Iceberg's words, to whatever is newest when it is committed: of all
  // above only kind, name and uuid are looked at (kUpdate), or kind, name and `changed` (kCreate).
  std::shared_ptr<const iceberg::TableCommit> outside = {};
  // kCreate: the metadata file of a table that is there already, which becomes the first version as it is.
  std::string registered_location = {};
  bool purge = false;  // kDrop: none of its versions is wanted any more
  [[nodiscard]] bool writes_files() const { return remove_all || !removed.empty() || !added.empty(); }
};

struct ViewChange {
  enum class Kind { kCreate, kReplace, kDrop };
  Kind kind = Kind::kCreate;
  LakeView view;  // kDrop: only name and uuid
  std::optional<TableName> rename_to = {};
  // The whole document of a view that comes from outside, and where the one lies that it was made from
  // (kReplace): another one there is a conflict.
  std::shared_ptr<const iceberg::ViewMetadata> document = {};
  std::string base_location = {};
};

struct MacroChange {
  enum class Kind { kCreate, kDrop };
  Kind kind = Kind::kCreate;
  LakeMacro macro;  // kDrop: only name and uuid
};

struct SchemaChange {
  enum class Kind { kCreate, kUpdate, kDrop };
  Kind kind = Kind::kCreate;
  std::string name;
  std::map<std::string, std::string> properties;
  // kUpdate: the properties that it was made from; others are a conflict. Nothing: whatever they are.
  std::optional<std::map<std::string, std::string>> base = {};
};

// The cursor of a source, committed with the data that it stands for.
struct CursorChange {
  std::string source;
  std::string key;    // "" or the `each:` row it belongs to
  std::string value;  // JSON
};

// A request that its client sends again when the answer was lost.
struct RepeatableRequest {
  std::string key;       // the client's name for it; empty: none
  std::string body;      // SHA-256 of what it asks for
  bool by_body = false;  // an equal one within the hour is the same request, too
};

struct CommitRequest {
  std::string token;  // run/task/step; empty for a person's transaction
  RepeatableRequest repeatable = {};
  std::vector<SchemaChange> schemas;
  std::vector<TableChange> tables;
  std::vector<ViewChange> views;
  std::vector<MacroChange> macros = {};
  std::vector<CursorChange> cursors;
};

struct CommitOutcome {
  int64_t lake_version = 0;
  Timestamp time;
  bool already_done = false;                    // the token was known: nothing was written now
  std::map<std::string, int64_t> snapshot_ids;  // by table uuid; only tables that got a snapshot
  // By uuid: where the documents of the tables and views are that the request named. Not kept with a token.
  std::map<std::string, std::string> metadata_locations;
};

struct ScanFile {
  iceberg::DataFile file;
  int64_t sequence_number = 0;
  int64_t snapshot_id = 0;                 // that added it; 0: none yet, a file of an open transaction
  std::vector<iceberg::DataFile> deletes;  // position and equality deletes that apply to it
};

struct ScanPlan {
  std::vector<ScanFile> files;  // only those that may hold a matching row
  int64_t files_pruned = 0;
};

class LakeCatalog {
 public:
  virtual ~LakeCatalog() = default;

  virtual Result<std::shared_ptr<const LakeVersion>> head() = 0;
  virtual Result<std::shared_ptr<const LakeVersion>> at_version(int64_t number) = 0;
  // The last version with time <= `time`; an error that names the first version when there is none.
  virtual Result<std::shared_ptr<const LakeVersion>> at_time(Timestamp time) = 0;

  // Live files of a snapshot (null metadata snapshot: none), pruned by partition values and bounds.
  virtual Result<ScanPlan> plan(const iceberg::TableMetadata& metadata, int64_t snapshot_id,
                                const iceberg::Filter& filter) = 0;

  // Where tables of a schema lie when nobody asks for another place; the folder need not be there.
  [[nodiscard]] virtual std::string schema_location(const std::string& schema) const = 0;

  // Folder (absolute path, no scheme) into which data files of a table are written; exists when it returns.
  virtual Result<std::string> data_folder(const TableName& name, const std::string& uuid,
                                          const iceberg::TableMetadata* metadata) = 0;

  // The text of a document that lies outside of the catalog but at a location that it may use; kInvalid when
  // it is none.
  virtual Result<std::string> read_outside(const std::string& location) = 0;
  // The same, which must be a table's.
  virtual Result<std::shared_ptr<const iceberg::TableMetadata>> find_outside(const std::string& location) = 0;

  // All or nothing. Every file in `added` must be synced. kConflict when it cannot be rebased. kIo,
  // kInternal, kUnavailable and kTimeout leave in doubt whether it happened, so the files it named must stay;
  // any other error proves that it did not.
  virtual Result<CommitOutcome> commit(CommitRequest request) = 0;

  // What a request did when it was applied before, or nullopt. kInvalid: its key was used for something else.
  virtual Result<std::optional<CommitOutcome>> find_request(const RepeatableRequest& request) = 0;

  // The outcome of a token that was committed, or nullopt.
  virtual Result<std::optional<CommitOutcome>> find_token(const std::string& token) = 0;

  virtual Result<std::optional<std::string>> cursor(const std::string& source, const std::string& key) = 0;
};

// Who may see what. Asked on every look-up.
struct Principal {
  std::string name = "admin";
  bool admin = true;
};

class Visibility {
 public:
  virtual ~Visibility() = default;
  virtual bool can_see_schema(const Principal& who, std::string_view schema) = 0;
  virtual bool can_see(const Principal& who, const TableName& name) = 0;
};

}  // namespace tarn::engine
