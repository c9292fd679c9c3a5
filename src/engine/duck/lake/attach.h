// Where engine/duck (databases, connections) and engine/duck/lake (the catalog `lake`) meet.
// Only for engine/duck: needs DuckDB's headers.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "duckdb.hpp"
#include "duckdb/main/client_context_state.hpp"
#include "duckdb/storage/storage_extension.hpp"
#include "engine/connection.h"

namespace tarn {
class FaultInjector;
}

namespace tarn::engine::lake {
struct ScanSource;
}  // namespace tarn::engine::lake

namespace tarn::engine {

namespace lake {
class WrittenFiles;
}

inline constexpr const char* kLakeDatabase = "lake";  // ATTACH '' AS lake (TYPE tarn)
inline constexpr const char* kLakeExtension = "tarn";

// What the storage extension knows; lives as long as the database.
struct LakeAttachment : public duckdb::StorageExtensionInfo {
  LakeCatalog* catalog = nullptr;
  Visibility* visibility = nullptr;  // null: everybody sees everything
  std::vector<std::shared_ptr<TableSource>> system_tables;
  std::string folder;               // absolute; the only place lake_fs writes to; empty: no lake_fs
  FaultInjector* faults = nullptr;  // tests only: makes calls of lake_fs fail
  std::shared_ptr<lake::WrittenFiles> written;  // made by register_lake
};

// Before the database opens: makes ATTACH ... (TYPE tarn) known.
void register_lake(duckdb::DBConfig& config, const duckdb::shared_ptr<LakeAttachment>& attachment);

// After it opened: the functions that show a lake table's snapshots and files.
void register_lake_functions(duckdb::DatabaseInstance& instance);

// After it opened, before the first connection: puts lake_fs in front of the files below `folder`.
void register_lake_files(duckdb::DatabaseInstance& instance, const LakeAttachment& attachment);

// See Database::open_files.
std::set<std::string> open_lake_files(const LakeAttachment& attachment);

// Decides between a commit and the one who no longer waits for it: only one of them comes first.
class CommitGate {
 public:
  // False: commits are forbidden. Every enter() that succeeded is followed by leave().
  bool enter() { return move(kOpen, kInside); }
  void leave() { state_.store(kOpen); }
  // False: a commit is under way.
  bool forbid() { return move(kOpen, kForbidden) || state_.load() == kForbidden; }

 private:
  enum State { kOpen, kInside, kForbidden };
  bool move(State from, State to) { return state_.compare_exchange_strong(from, to); }
  std::atomic<State> state_{kOpen};
};

// What a connection tells the lake and hears from it. One thread at a time, as the connection.
struct LakeClientState : public duckdb::ClientContextState {
  static constexpr const char* kKey = "tarn_lake";

  CommitGate commits;  // from any thread

  Principal principal;
  std::optional<Timestamp> as_of;            // of the next transactions; those refuse to write
  CommitNote note;                           // taken (and emptied) by the next commit; emptied by a rollback
  std::optional<CommitOutcome> last_commit;  // of the newest commit that wrote something

  // What lake_rows(0), lake_rows(1), … give; of connections that the lake itself opens.
  std::vector<std::shared_ptr<const lake::ScanSource>> rows;

  // Made at the first call.
  static duckdb::shared_ptr<LakeClientState> of(duckdb::ClientContext& context);
};

// Inside a transaction that is open on this context: see engine::Connection.
Status remove_files(duckdb::ClientContext& context, const TableName& table,
                    const std::vector<std::string>& paths);
Status remove_all_files(duckdb::ClientContext& context, const TableName& table);

}  // namespace tarn::engine
