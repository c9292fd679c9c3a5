#include "lake/lake.h"

#include <unistd.h>

namespace tarn::lake {
namespace {

uint64_t half_of_memory() {
  auto pages = static_cast<uint64_t>(sysconf(_SC_PHYS_PAGES));
  auto page_bytes = static_cast<uint64_t>(sysconf(_SC_PAGE_SIZE));
  return pages * page_bytes / 2;
}

}  // namespace

Result<std::unique_ptr<Lake>> Lake::open(Env& env, LakeOptions options) {
  std::unique_ptr<Lake> lake(new Lake());
  TARN_TRY(lake->folder_, store::DataFolder::open(env, options.data_folder));
  const auto& folder = *lake->folder_;
  TARN_TRY(lake->store_, store::Store::open({.path = folder.control(), .faults = options.faults}));
  lake->reserve_ = std::make_unique<store::DiskReserve>(env, folder.path(), options.disk_reserve_bytes);
  TARN_TRY(lake->catalog_, catalog::Catalog::open(env, *lake->store_, folder.lake()));
  lake->catalog_->set_admission([reserve = lake->reserve_.get()] { return reserve->check(); });
  lake->catalog_->set_locations(options.table_folders, options.check_outside_files);
  engine::DatabaseOptions database;
  database.lake = lake->catalog_.get();
  database.visibility = options.visibility;
  if (options.system_tables) {
    TARN_TRY(database.system_tables, options.system_tables(*lake->store_, *lake->catalog_));
  }
  database.allowed_folders = {folder.path()};
  database.allowed_folders.insert(database.allowed_folders.end(), options.table_folders.begin(),
                                  options.table_folders.end());
  database.lake_folder = folder.lake();
  database.spill_folder = folder.spill();
  database.external_access = options.external_access;
  database.memory_limit_bytes =
      options.memory_limit_bytes > 0 ? options.memory_limit_bytes : half_of_memory();
  database.threads = options.threads;
  database.time_zone = options.time_zone;
  database.outside = std::move(options.outside);
  database.faults = options.faults;
  TARN_TRY(lake->database_, engine::Database::open(std::move(database)));
  return lake;
}

}  // namespace tarn::lake
