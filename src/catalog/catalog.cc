#include "catalog/catalog.h"

#include <algorithm>

#include <fmt/format.h>

#include "catalog/commit.h"
#include "catalog/control_tables.h"
#include "catalog/layout.h"
#include "catalog/repeated_requests.h"
#include "catalog/table.h"
#include "iceberg/metadata_file.h"
#include "iceberg/planner.h"
#include "iceberg/table_commit.h"

namespace tarn::catalog {
namespace {

constexpr size_t kManifestBytesMax = size_t{32} << 20;
constexpr size_t kOldVersionsMax = 16;

using engine::LakeVersion;
using store::Connection;

// Whoever names a document that is none has made a mistake: nothing of the lake is damaged.
Error as_given(const Error& error, const std::string& location) {
  return Error{error.code == Code::kCorrupt ? Code::kInvalid : error.code, error.message}.at(location);
}

// An equal request may have been for tables that had these names before.
bool is_of_its_tables(const engine::CommitRequest& request, const engine::CommitOutcome& outcome) {
  return std::all_of(request.tables.begin(), request.tables.end(), [&](const engine::TableChange& change) {
    return change.outside == nullptr || change.kind != engine::TableChange::Kind::kUpdate ||
           outcome.metadata_locations.contains(change.uuid);
  });
}

}  // namespace

Catalog::Catalog(Env& env, store::Store& store, std::string lake_folder)
    : env_(env),
      store_(store),
      locations_{.lake = std::move(lake_folder)},
      manifests_(*env.files, kManifestBytesMax) {}

Result<std::unique_ptr<Catalog>> Catalog::open(Env& env, store::Store& store,
                                               const std::string& lake_folder) {
  std::unique_ptr<Catalog> catalog(new Catalog(env, store, lake_folder));
  TARN_CHECK(env.files->make_folders(lake_folder));
  TARN_CHECK(store.migrate(catalog_migrations()));
  TARN_CHECK(catalog->start());
  return catalog;
}

Status Catalog::start() {
  TARN_TRY(int64_t newest, store_.read([](Connection& c) { return newest_version(c); }));
  if (newest == 0) {
    RowChanges first;
    first.version = newest = 1;
    first.new_version = true;
    first.time = env_.clock->now();
    first.schemas = {{"public", {}}, {"_tarn", {{"comment", "Tarn's own records"}}}};
    TARN_CHECK(store_.write([&](Connection& c) { return write_rows(c, first); }));
  }
  TARN_TRY(head_, store_.read([&](Connection& c) { return load_version(c, env_, newest); }));
  return ok();
}

Result<std::shared_ptr<const LakeVersion>> Catalog::head() {
  std::lock_guard lock(mutex_);
  return head_;
}

Result<std::shared_ptr<const LakeVersion>> Catalog::at_version(int64_t number) {
  {
    std::lock_guard lock(mutex_);
    if (head_->number == number) {
      return head_;
    }
    auto it =
        std::find_if(old_.begin(), old_.end(), [&](const auto& each) { return each->number == number; });
    if (it != old_.end()) {
      old_.splice(old_.begin(), old_, it);
      return old_.front();
    }
  }
  TARN_TRY(auto version, store_.read([&](Connection& c) { return load_version(c, env_, number); }));
  std::lock_guard lock(mutex_);
  if (version == nullptr) {
    return Error{Code::kNotFound,
                 fmt::format("the lake has no version {}; the newest one is {}", number, head_->number)};
  }
  old_.push_front(version);
  if (old_.size() > kOldVersionsMax) {
    old_.pop_back();
  }
  return version;
}

Result<std::shared_ptr<const LakeVersion>> Catalog::at_time(Timestamp time) {
  TARN_TRY(auto newest, head());
  if (newest->time <= time) {
    return newest;
  }
  TARN_TRY(int64_t number, store_.read([&](Connection& c) { return version_at(c, time); }));
  return at_version(number);
}

Result<engine::ScanPlan> Catalog::plan(const iceberg::TableMetadata& metadata, int64_t snapshot_id,
                                       const iceberg::Filter& filter) {
  if (snapshot_id <= 0) {
    return engine::ScanPlan{};
  }
  TARN_TRY(auto found, iceberg::plan_scan(metadata, snapshot_id, filter, manifests_));
  engine::ScanPlan plan;
  plan.files_pruned = found.files_pruned;
  plan.files.reserve(found.files.size());
  for (auto& each : found.files) {
    plan.files.push_back({.file = std::move(each.file),
                          .sequence_number = each.sequence_number,
                          .snapshot_id = each.snapshot_id,
                          .deletes = std::move(each.deletes)});
  }
  return plan;
}

std::string Catalog::schema_location(const std::string& schema) const {
  return to_location(schema_folder(locations_.lake, schema));
}

Result<std::string> Catalog::data_folder(const engine::TableName& name, const std::string& uuid,
                                         const iceberg::TableMetadata* metadata) {
  std::string folder = object_folder(locations_.lake, name, uuid);
  if (metadata != nullptr && !metadata->location.empty()) {
    TARN_TRY(folder, to_path(metadata->location));
  }
  folder += "/data";
  {
    std::lock_guard lock(mutex_);
    if (folders_made_.contains(folder)) {
      return folder;
    }
  }
  TARN_CHECK(env_.files->make_folders(folder));
  std::lock_guard lock(mutex_);
  folders_made_.insert(folder);
  return folder;
}

// Syncing files of others takes its time, and needs nothing of what the commit's lock guards: files that were
// there once stay.
Status Catalog::check_outside(const engine::CommitRequest& request) {
  const OutsideFilesTools tools{env_, manifests_, syncs_, locations_};
  for (const auto& change : request.tables) {
    if (!change.registered_location.empty() && change.changed != nullptr) {
      TARN_CHECK(check_registered_files(tools, *change.changed));
      TARN_TRY(const auto path, locations_.allow(change.registered_location));
      TARN_CHECK(env_.files->sync_file(path));
      TARN_CHECK(env_.files->sync_dir(path.substr(0, path.rfind('/'))));
    } else if (change.outside != nullptr) {
      TARN_TRY(const auto newest, head());
      std::shared_ptr<const iceberg::TableMetadata> metadata;
      const auto schema = newest->schemas.find(engine::fold(change.name.schema));
      if (change.kind == engine::TableChange::Kind::kUpdate && schema != newest->schemas.end()) {
        const auto table = schema->second->tables.find(engine::fold(change.name.name));
        if (table != schema->second->tables.end()) {
          TARN_TRY(metadata, table->second->metadata());
        }
      }
      TARN_CHECK(check_outside_files(tools, *change.outside, metadata.get()));
    }
  }
  return ok();
}

Result<std::optional<engine::CommitOutcome>> Catalog::find_done(const engine::CommitRequest& request) {
  TARN_TRY(auto repeated, find_request(request.repeatable));
  if (repeated && is_of_its_tables(request, *repeated)) {
    return repeated;
  }
  return request.token.empty() ? Result<std::optional<engine::CommitOutcome>>(std::nullopt)
                               : find_token(request.token);
}

Result<engine::CommitOutcome> Catalog::commit(engine::CommitRequest request) {
  TARN_CHECK(check_outside(request));
  std::lock_guard one_commit(commit_mutex_);
  TARN_TRY(auto done, find_done(request));
  if (done) {
    return *done;
  }
  const bool adds =
      std::any_of(request.tables.begin(), request.tables.end(), [](const engine::TableChange& table) {
        return !table.added.empty() || table.outside != nullptr || !table.registered_location.empty();
      });
  if (adds && admit_) {
    TARN_CHECK(admit_());
  }
  TARN_TRY(auto base, head());
  CommitTools tools{env_, store_, manifests_, locations_};
  TARN_TRY(auto prepared, prepare_commit(tools, base, request));
  TARN_CHECK(publish(prepared));
  if (!prepared.rows.purged_tables.empty()) {
    std::lock_guard lock(mutex_);
    old_.clear();  // they do not know what has expired
  }
  return prepared.rows.outcome;
}

Status Catalog::publish(PreparedCommit& prepared) {
  auto written = prepared.files.write(syncs_);
  if (!written) {
    prepared.files.remove();
    return written.error().at("the commit failed and changed nothing");
  }
  store::Fate fate = store::Fate::kNotWritten;
  auto swapped = store_.write([&](Connection& c) { return write_rows(c, prepared.rows); }, &fate);
  if (!swapped) {
    // In doubt, a power cut now may still bring the commit to light: then its files must be there.
    Error failed = swapped.error().at("the commit failed");
    if (fate == store::Fate::kNotWritten) {
      prepared.files.remove();
    } else {
      failed.code = Code::kIo;  // a full disk, too, leaves it in doubt here: the data files must stay
    }
    return failed;
  }
  std::lock_guard lock(mutex_);
  head_ = prepared.next;
  return ok();
}

Result<Expiry> Catalog::expire(const HistoryPolicy& policy, bool dry_run) {
  std::lock_guard one_commit(commit_mutex_);
  TARN_TRY(const auto base, head());
  CommitTools tools{env_, store_, manifests_, locations_};
  TARN_TRY(auto prepared, prepare_expiry(tools, base, policy));
  if (dry_run || (prepared.commit.rows.expired.empty() && !prepared.commit.rows.new_version)) {
    return prepared.found;
  }
  TARN_CHECK(publish(prepared.commit));
  std::lock_guard lock(mutex_);
  old_.clear();  // they do not know what has expired
  return prepared.found;
}

// A commit that is under way has its files named, or none of them, when the sweep looks at what is named.
Result<Sweep> Catalog::sweep(const SweepRequest& request) {
  TARN_TRY(auto old, old_files(env_, locations_.lake, request));
  {
    const std::lock_guard wait(commit_mutex_);
  }
  return sweep_files(env_, store_, std::move(old), request);
}

Result<std::string> Catalog::read_outside(const std::string& location) {
  TARN_TRY(const auto path, locations_.allow(location));
  TARN_TRY(auto bytes, env_.files->read(path));
  auto text = iceberg::metadata_text(std::move(bytes));
  return text ? text : as_given(text.error(), location);
}

Result<std::shared_ptr<const iceberg::TableMetadata>> Catalog::find_outside(const std::string& location) {
  TARN_TRY(const auto text, read_outside(location));
  auto metadata = iceberg::parse_table_metadata(text);
  if (!metadata) {
    return as_given(metadata.error(), location);
  }
  if (metadata->table_uuid.empty()) {
    return Error{Code::kInvalid,
                 fmt::format("{} gives the table no UUID; write it anew with a newer Iceberg", location)};
  }
  return std::make_shared<const iceberg::TableMetadata>(std::move(*metadata));
}

Result<std::optional<engine::CommitOutcome>> Catalog::find_request(const engine::RepeatableRequest& request) {
  if (request.key.empty() && !request.by_body) {
    return std::optional<engine::CommitOutcome>();
  }
  return store_.read([&](Connection& c) { return find_repeated(c, request, env_.clock->now()); });
}

Result<std::optional<engine::CommitOutcome>> Catalog::find_token(const std::string& token) {
  return store_.read([&](Connection& c) { return load_token(c, token); });
}

Result<std::optional<std::string>> Catalog::cursor(const std::string& source, const std::string& key) {
  return store_.read([&](Connection& c) { return load_cursor(c, source, key); });
}

Result<std::vector<Catalog::TableChangeTime>> Catalog::history(const std::string& table_uuid, int limit) {
  return store_.read([&](Connection& c) -> Result<std::vector<TableChangeTime>> {
    TARN_TRY(auto rows, c.query("SELECT v.number, v.time_us, t.metadata_location FROM lake_tables t "
                                "JOIN lake_versions v ON v.number = t.begin_version "
                                "WHERE t.uuid = ? AND t.expired_at IS NULL ORDER BY v.number DESC LIMIT ?",
                                {table_uuid, limit}));
    std::vector<TableChangeTime> changes;
    while (true) {
      TARN_TRY(const bool more, rows.next());
      if (!more)
        return changes;
      changes.push_back({rows.integer(0), rows.time(1), rows.text(2)});
    }
  });
}

}  // namespace tarn::catalog
