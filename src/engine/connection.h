// SQL on DuckDB, without DuckDB's headers: databases, connections, results.
// Nothing here checks what a statement may do: only `session` runs people's SQL.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/lake_catalog.h"
#include "engine/outside.h"
#include "engine/table_source.h"

struct ArrowArray;
struct ArrowSchema;

namespace tarn {
class FaultInjector;
}

namespace tarn::engine {

struct DatabaseOptions {
  LakeCatalog* lake = nullptr;                              // attached as `lake`; null: none
  Visibility* visibility = nullptr;                         // null: everybody sees everything
  std::vector<std::shared_ptr<TableSource>> system_tables;  // shown in schema `_tarn`
  std::vector<std::string> allowed_folders;  // absolute; the only places DuckDB may read and write
  std::string lake_folder;          // absolute; what is written below it is synced and never replaced
  bool external_access = false;     // true: any file and address; only for the admin's --unsafe
  FaultInjector* faults = nullptr;  // tests only: makes calls of lake_fs fail (layer "duckdb")
  OutsideOptions outside;           // databases of others, by name beside `lake`
  std::string spill_folder;         // absolute; empty: no spilling
  uint64_t memory_limit_bytes = 0;  // 0: DuckDB's default
  int threads = 0;                  // 0: all cores
  std::string time_zone = "UTC";
};

struct Column {
  std::string name;
  std::string type;  // DuckDB's name of the type, e.g. "DECIMAL(18,3)"
};

// Rows as text; a cell is null where `null` is set. Valid until the next call on its stream.
struct TextBatch {
  size_t rows = 0;
  struct Cells {
    std::vector<std::string> text;
    std::vector<bool> null;
  };
  std::vector<Cells> columns;
};

struct ArrowRelease {
  void operator()(ArrowArray* array) const;
};
using ArrowBatch = std::unique_ptr<ArrowArray, ArrowRelease>;

// An open result. One thread at a time; a second statement on the connection ends it, unless it was set
// aside.
class ResultStream {
 public:
  virtual ~ResultStream() = default;
  [[nodiscard]] virtual const std::vector<Column>& columns() const = 0;
  // Rows inserted or changed, for statements that return only a count.
  [[nodiscard]] virtual std::optional<int64_t> rows_changed() const = 0;
  // The next rows, nullopt at the end.
  virtual Result<std::optional<TextBatch>> next_text() = 0;
  // The next rows as Arrow C data, null at the end.
  virtual Result<ArrowBatch> next_arrow() = 0;
  virtual Status arrow_schema(ArrowSchema* schema) = 0;
  // Takes the rows that are still to come off the connection, into memory that spills to disk, so that
  // another statement may run; they are read as before. kExhausted when they are more than `bytes_max`.
  virtual Status set_aside(uint64_t bytes_max) = 0;
};

// A parameter of a prepared statement, as text of a DuckDB type; no text is null.
struct Parameter {
  std::optional<std::string> text;
  std::string type = "VARCHAR";
  std::string name = {};  // of $name, which the text may leave unused; empty: its place in the list, $1
  std::optional<std::vector<std::string>> list = {};  // a list of `type` instead of `text`
};

// What COMMIT hands to the catalog besides the changes; set before the transaction commits.
struct CommitNote {
  std::string token;
  std::vector<CursorChange> cursors;
  std::map<std::string, std::string> summary;  // into each snapshot summary
};

// One connection; one thread at a time, but interrupt() from any.
class Connection {
 public:
  virtual ~Connection() = default;

  // Runs one statement. `lake` is the default database of every connection that has one.
  virtual Result<std::unique_ptr<ResultStream>> query(std::string_view sql,
                                                      std::span<const Parameter> parameters = {}) = 0;
  // Runs all statements of the text and drops their rows; returns rows changed by the last.
  virtual Result<int64_t> execute(std::string_view sql) = 0;
  // Column names and types a SELECT would return, without running it.
  virtual Result<std::vector<Column>> describe(std::string_view sql) = 0;
  // The same with parameters, which may say what types the columns have. Such a text is planned: it should
  // end in LIMIT 0.
  virtual Result<std::vector<Column>> describe(std::string_view sql,
                                               std::span<const Parameter> parameters) = 0;

  virtual void interrupt() = 0;
  // From any thread, before a statement that does not stop is left to itself: from now on nothing of this
  // connection reaches the lake. False: a commit is under way, and only its outcome tells.
  virtual bool forbid_commits() = 0;
  [[nodiscard]] virtual bool in_transaction() const = 0;

  virtual void set_principal(Principal principal) = 0;
  // As-of for every table of the session's next transactions; nullopt: the newest version.
  virtual Status set_as_of(std::optional<Timestamp> time) = 0;
  // For the next COMMIT; inside a transaction a note with a token or cursors makes it a commit of the lake.
  // Also forgets last_commit().
  virtual Status set_commit_note(CommitNote note) = 0;
  // The outcome of the newest commit since set_commit_note() that wrote something to the lake.
  [[nodiscard]] virtual std::optional<CommitOutcome> last_commit() const = 0;

  // Inside a transaction: takes files out of a table (upsert, partition overwrite); visible to later
  // statements.
  virtual Status remove_files(const TableName& table, const std::vector<std::string>& paths) = 0;
  virtual Status remove_all_files(const TableName& table) = 0;
};

class Database {
 public:
  static Result<std::unique_ptr<Database>> open(DatabaseOptions options);
  virtual ~Database() = default;
  virtual Result<std::unique_ptr<Connection>> connect() = 0;
  // Paths of the data files that transactions which are not over have written. Any thread.
  virtual std::set<std::string> open_files() = 0;
  // What a database of others holds at this moment; opens it. Any thread.
  virtual Result<std::vector<OutsideTable>> outside_tables(const std::string& name) = 0;
};

}  // namespace tarn::engine
