#include "catalog/reach.h"

#include <set>
#include <string>
#include <vector>

#include "catalog/layout.h"
#include "catalog/table.h"
#include "iceberg/expiry.h"
#include "iceberg/manifest_cache.h"
#include "iceberg/metadata.h"

namespace tarn::catalog {
namespace {

constexpr size_t kCacheBytes = size_t{4} << 20;  // each list and manifest is read once

struct Row {
  std::string metadata_location;
  bool is_newest = false;
};

Result<std::vector<Row>> load_rows(store::Store& store, Timestamp expired_before) {
  return store.read([&](store::Connection& db) -> Result<std::vector<Row>> {
    TARN_TRY(
        auto rows,
        db.query("SELECT metadata_location, end_version IS NULL FROM lake_tables WHERE expired_at IS NULL "
                 "OR expired_at >= ? ORDER BY end_version IS NOT NULL, uuid, begin_version",
                 {expired_before}));
    std::vector<Row> all;
    while (true) {
      TARN_TRY(const bool more, rows.next());
      if (!more)
        return all;
      all.push_back({rows.text(0), rows.integer(1) != 0});
    }
  });
}

Result<std::vector<std::string>> load_view_files(store::Store& store) {
  return store.read([](store::Connection& db) -> Result<std::vector<std::string>> {
    TARN_TRY(auto rows, db.query("SELECT metadata_location FROM lake_views"));
    std::vector<std::string> all;
    while (true) {
      TARN_TRY(const bool more, rows.next());
      if (!more)
        return all;
      all.push_back(rows.text(0));
    }
  });
}

class Walker {
 public:
  explicit Walker(Env& env) : env_(env), manifests_(*env.files, kCacheBytes) {}

  // Newest versions come first: a table that was renamed has two of one document, and all of its snapshots
  // count.
  Status take(const Row& row) {
    add(row.metadata_location);
    if (!documents_.insert(row.metadata_location).second)
      return ok();
    TARN_TRY(const auto path, to_path(row.metadata_location));
    TARN_TRY(auto text, env_.files->read(path));
    auto metadata = parse_metadata(std::move(text));
    if (!metadata)
      return metadata.error().at(row.metadata_location);
    const auto gc = metadata->properties.find("gc.enabled");
    if (gc != metadata->properties.end() && gc->second == "false")
      keep_folder(metadata->location);
    for (const auto& file : iceberg::statistics_files(*metadata))
      add(file);
    if (row.is_newest) {
      for (const auto& entry : metadata->metadata_log)
        add(entry.metadata_file);
    }
    return take_snapshots(*metadata, row.is_newest);
  }

  // A file of another machine does not lie here.
  void add(const std::string& location) {
    if (const auto id = id_of(location))
      reach_.files.insert(*id);
  }

  Reach finish() { return std::move(reach_); }

 private:
  static std::optional<FileId> id_of(const std::string& location) {
    const auto path = iceberg::local_path(location);
    return path ? file_id_of(*path) : std::nullopt;
  }

  void keep_folder(const std::string& location) {
    if (const auto id = id_of(location))
      reach_.kept_folders.insert(*id);
  }

  // Of an older version only what is read at it: its current snapshot, and what its refs name.
  Status take_snapshots(const iceberg::TableMetadata& metadata, bool all) {
    std::set<int64_t> named;
    for (const auto& [name, ref] : metadata.refs)
      named.insert(ref.snapshot_id);
    if (metadata.current_snapshot_id)
      named.insert(*metadata.current_snapshot_id);
    for (const auto& snapshot : metadata.snapshots) {
      if (all || named.contains(snapshot.snapshot_id))
        TARN_CHECK(take_snapshot(snapshot));
    }
    return ok();
  }

  Status take_snapshot(const iceberg::Snapshot& snapshot) {
    // Of format version 1 a snapshot may have no list.
    if (!snapshot.manifest_list.empty()) {
      if (!lists_.insert(snapshot.manifest_list).second)
        return ok();
      add(snapshot.manifest_list);
    }
    TARN_TRY(const auto list, manifests_.list(snapshot));
    for (const auto& manifest : *list) {
      if (!lists_.insert(manifest.path).second)
        continue;
      add(manifest.path);
      TARN_TRY(const auto entries, manifests_.entries(manifest));
      for (const auto& entry : *entries) {
        if (entry.status != iceberg::EntryStatus::kDeleted)
          add(entry.file.path);
      }
    }
    return ok();
  }

  Env& env_;
  iceberg::ManifestCache manifests_;
  std::unordered_set<std::string> documents_, lists_;  // that were looked into: the latter manifests, too
  Reach reach_;
};

}  // namespace

Result<Reach> find_reach(Env& env, store::Store& store, Timestamp expired_before,
                         const std::function<bool()>& cancelled) {
  // A row that a commit adds in between names new files, and those of rows that are read here.
  TARN_TRY(const auto rows, load_rows(store, expired_before));
  TARN_TRY(const auto views, load_view_files(store));
  Walker walker(env);
  for (const auto& row : rows) {
    if (cancelled && cancelled())
      return Error{Code::kCancelled, "the look for unused files was cancelled; nothing was removed"};
    TARN_CHECK(walker.take(row));
  }
  for (const auto& view : views)
    walker.add(view);
  return walker.finish();
}

}  // namespace tarn::catalog
