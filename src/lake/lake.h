// Everything below the session, opened in the right order: the data folder's lock, control records, the
// catalog, the SQL engine with the catalog attached as `lake`. Sessions are made on top:
// session::make_session_service.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/env/env.h"
#include "base/result.h"
#include "catalog/catalog.h"
#include "engine/connection.h"
#include "engine/table_source.h"
#include "store/data_folder.h"
#include "store/disk_reserve.h"
#include "store/store.h"

namespace tarn {
class FaultInjector;
}

namespace tarn::lake {

using SystemTables = std::vector<std::shared_ptr<engine::TableSource>>;

struct LakeOptions {
  std::string data_folder;          // absolute; made when it is not there
  uint64_t memory_limit_bytes = 0;  // 0: half of the machine's memory
  int threads = 0;                  // 0: all cores
  std::string time_zone = "UTC";
  bool external_access = false;  // true: SQL may reach any file and address; only for the admin's --unsafe
  engine::Visibility* visibility = nullptr;
  // Makes the tables of schema `_tarn`, which read the control records; called once, before SQL opens.
  std::function<Result<SystemTables>(store::Store& store, engine::LakeCatalog& catalog)> system_tables;
  std::vector<std::string> table_folders;      // absolute: where tables of other writers may lie, too
  bool check_outside_files = true;             // see catalog/outside_files.h
  std::optional<uint64_t> disk_reserve_bytes;  // see store/disk_reserve.h
  engine::OutsideOptions outside;              // databases of others, read where they are
  FaultInjector* faults = nullptr;             // tests only: layers "sqlite" and "duckdb"
};

// Thread-safe where its parts are. `env` must outlive it.
class Lake {
 public:
  static Result<std::unique_ptr<Lake>> open(Env& env, LakeOptions options);

  store::DataFolder& folder() { return *folder_; }
  store::DiskReserve& reserve() { return *reserve_; }
  store::Store& store() { return *store_; }
  catalog::Catalog& catalog() { return *catalog_; }
  engine::Database& database() { return *database_; }

 private:
  Lake() = default;

  // In the order of opening; closed in the opposite one.
  std::unique_ptr<store::DataFolder> folder_;
  std::unique_ptr<store::DiskReserve> reserve_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<catalog::Catalog> catalog_;
  std::unique_ptr<engine::Database> database_;
};

}  // namespace tarn::lake
