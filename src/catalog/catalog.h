// The catalog service: which tables and views there are, in which version, and commits in order.
// A commit writes files, syncs them, and then swaps all pointers in one SQLite transaction: what commit() has
// answered with success survives a power cut, and before that swap only files that nothing names are left.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "base/env/env.h"
#include "base/env/worker_pool.h"
#include "catalog/history.h"
#include "catalog/outside_files.h"
#include "catalog/sweep.h"
#include "engine/lake_catalog.h"
#include "iceberg/manifest_cache.h"
#include "store/store.h"

namespace tarn::catalog {

// Any thread. `env` and `store` must outlive it.
class Catalog : public engine::LakeCatalog {
 public:
  // `lake_folder` is absolute and is made when it is not there. A new lake has the schemas `public` and
  // `_tarn`.
  static Result<std::unique_ptr<Catalog>> open(Env& env, store::Store& store, const std::string& lake_folder);

  Result<std::shared_ptr<const engine::LakeVersion>> head() override;
  Result<std::shared_ptr<const engine::LakeVersion>> at_version(int64_t number) override;
  Result<std::shared_ptr<const engine::LakeVersion>> at_time(Timestamp time) override;
  Result<engine::ScanPlan> plan(const iceberg::TableMetadata& metadata, int64_t snapshot_id,
                                const iceberg::Filter& filter) override;
  [[nodiscard]] std::string schema_location(const std::string& schema) const override;
  Result<std::string> data_folder(const engine::TableName& name, const std::string& uuid,
                                  const iceberg::TableMetadata* metadata) override;
  Result<std::string> read_outside(const std::string& location) override;
  Result<std::shared_ptr<const iceberg::TableMetadata>> find_outside(const std::string& location) override;
  Result<engine::CommitOutcome> commit(engine::CommitRequest request) override;
  Result<std::optional<engine::CommitOutcome>> find_request(
      const engine::RepeatableRequest& request) override;
  Result<std::optional<engine::CommitOutcome>> find_token(const std::string& token) override;
  Result<std::optional<std::string>> cursor(const std::string& source, const std::string& key) override;

  // Asked before a commit that adds files; its error refuses it. Set before anybody commits.
  void set_admission(std::function<Status()> admit) { admit_ = std::move(admit); }

  // Further folders (absolute) in which tables of other writers may lie, and whether the data files that they
  // name are looked at. Set before anybody commits.
  void set_locations(std::vector<std::string> folders, bool check_data_files) {
    locations_.others = std::move(folders);
    locations_.check_data_files = check_data_files;
  }

  // The newest `limit` lake versions in which this table changed, newest first.
  struct TableChangeTime {
    int64_t lake_version = 0;
    Timestamp time;
    std::string metadata_location;
  };
  Result<std::vector<TableChangeTime>> history(const std::string& table_uuid, int limit);

  // Lets versions of tables expire; see history.h. Their files stay until a sweep finds them.
  Result<Expiry> expire(const HistoryPolicy& policy, bool dry_run);
  // Removes files of the lake that no version needs; see sweep.h.
  Result<Sweep> sweep(const SweepRequest& request);

  [[nodiscard]] const std::string& lake_folder() const { return locations_.lake; }

 private:
  Catalog(Env& env, store::Store& store, std::string lake_folder);
  Status start();
  Status check_outside(const engine::CommitRequest& request);
  Result<std::optional<engine::CommitOutcome>> find_done(const engine::CommitRequest& request);
  // Files first, then the rows; one commit at a time.
  Status publish(PreparedCommit& commit);

  Env& env_;
  store::Store& store_;
  Locations locations_;
  std::function<Status()> admit_;
  iceberg::ManifestCache manifests_;

  WorkerPool syncs_{3};

  std::mutex commit_mutex_;  // held by the one commit that runs
  std::mutex mutex_;         // guards all below; never held while reading or writing files
  std::shared_ptr<const engine::LakeVersion> head_;
  std::list<std::shared_ptr<const engine::LakeVersion>> old_;  // last used first
  std::set<std::string> folders_made_;
};

}  // namespace tarn::catalog
