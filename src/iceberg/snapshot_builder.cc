#include "iceberg/snapshot_builder.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <set>
#include <unordered_set>

#include <fmt/format.h>

#include "iceberg/manifest.h"
#include "iceberg/snapshot_summary.h"

namespace tarn::iceberg {
namespace {

// When so many manifests of a kind are smaller than the target, they become few. Names and defaults are
// Java's.
struct MergeRules {
  size_t merge_at = 100;
  int64_t target_bytes = 8 * 1024 * 1024;
};

int64_t number_of(const TableMetadata& metadata, const char* property, int64_t otherwise) {
  const auto at = metadata.properties.find(property);
  int64_t number = 0;
  if (at == metadata.properties.end()) {
    return otherwise;
  }
  const auto& digits = at->second;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return read.ec == std::errc() && number > 0 ? number : otherwise;
}

MergeRules merge_rules(const TableMetadata& metadata) {
  MergeRules rules;
  rules.target_bytes = number_of(metadata, "commit.manifest.target-size-bytes", rules.target_bytes);
  rules.merge_at = static_cast<size_t>(
      number_of(metadata, "commit.manifest.min-count-to-merge", static_cast<int64_t>(rules.merge_at)));
  const auto enabled = metadata.properties.find("commit.manifest-merge.enabled");
  if (enabled != metadata.properties.end() && enabled->second == "false") {
    rules.merge_at = std::numeric_limits<size_t>::max();
  }
  return rules;
}

// About 8 MB of entries of a table with a dozen columns.
constexpr size_t kEntriesPerManifest = 20'000;

// A manifest of the next snapshot: one that is there already, or entries to be written.
struct Piece {
  int spec_id = 0;
  bool deletes = false;
  std::optional<ManifestFile> existing;
  std::vector<ManifestEntry> entries;

  [[nodiscard]] bool same_kind(const Piece& other) const {
    return spec_id == other.spec_id && deletes == other.deletes;
  }
  [[nodiscard]] bool small(int64_t target_bytes) const {
    return !existing || existing->length_bytes < target_bytes;
  }
};

void drop_statistics(DataFile& file) {
  file.column_sizes.clear();
  file.value_counts.clear();
  file.null_value_counts.clear();
  file.nan_value_counts.clear();
  file.lower_bounds.clear();
  file.upper_bounds.clear();
}

class Builder {
 public:
  Builder(const TableMetadata& base, const SnapshotChange& change, ManifestReader& manifests)
      : base_(base),
        change_(change),
        manifests_(manifests),
        rules_(merge_rules(base)),
        missing_(change.removed.begin(), change.removed.end()) {
    snapshot_.snapshot_id = change.snapshot_id;
    snapshot_.parent_snapshot_id = base.current_snapshot_id;
    snapshot_.sequence_number = base.last_sequence_number + 1;
    snapshot_.timestamp_ms = std::max(change.timestamp_ms, base.last_updated_ms);
    for (const auto& entry : base.snapshot_log) {
      snapshot_.timestamp_ms = std::max(snapshot_.timestamp_ms, entry.timestamp_ms);
    }
    snapshot_.schema_id = base.current_schema_id;
    folder_ = change.metadata_folder.empty() ? base.location + "/metadata" : change.metadata_folder;
    snapshot_.manifest_list =
        fmt::format("{}/snap-{}-1-{}.avro", folder_, change.snapshot_id, change.file_id);
  }

  Result<NewSnapshot> build() {
    TARN_CHECK(check());
    TARN_CHECK(keep_and_remove());
    TARN_CHECK(add());
    TARN_CHECK(merge());
    TARN_TRY(auto list, write_pieces());
    TARN_TRY(auto bytes, write_manifest_list(snapshot_, list));
    result_.files.push_back({.path = snapshot_.manifest_list, .bytes = std::move(bytes)});
    snapshot_.summary = summary_.text(base_.current_snapshot(), change_);
    result_.metadata = base_;
    TARN_CHECK(give_lists(result_.metadata));
    put_snapshot(result_.metadata);
    return std::move(result_);
  }

 private:
  [[nodiscard]] Status check() const {
    if (change_.snapshot_id <= 0 || base_.snapshot(change_.snapshot_id) != nullptr) {
      return Error{Code::kInternal,
                   fmt::format("the snapshot id {} is not new and positive", change_.snapshot_id)};
    }
    std::set<std::string_view> paths;
    for (const auto& file : change_.added) {
      if (!paths.insert(file.path).second) {
        return Error{Code::kInvalid, fmt::format("the file {} is added twice by one commit", file.path)};
      }
      if (base_.spec(file.spec_id) == nullptr) {
        return Error{Code::kInvalid,
                     fmt::format("the file {} has the unknown partition spec {}", file.path, file.spec_id)};
      }
    }
    return ok();
  }

  [[nodiscard]] bool is_removed(const DataFile& file) const {
    if (change_.remove_all || removed_.contains(file.path)) {
      return true;
    }
    return file.content != Content::kData && file.referenced_data_file &&
           removed_.contains(*file.referenced_data_file);
  }

  Status keep_and_remove() {
    removed_ = missing_;
    const auto* current = base_.current_snapshot();
    if (current != nullptr) {
      TARN_TRY(auto list, manifests_.list(*current));
      for (const auto& manifest : *list) {
        if (manifest.added_files + manifest.existing_files == 0) {
          continue;  // tells only what an older snapshot removed
        }
        if (change_.remove_all || !removed_.empty()) {
          TARN_CHECK(filter(manifest));
        } else {
          pieces_.push_back({.spec_id = manifest.spec_id,
                             .deletes = manifest.deletes,
                             .existing = manifest,
                             .entries = {}});
        }
      }
    }
    if (!missing_.empty()) {
      return Error{Code::kConflict,
                   fmt::format("the file {} is not in the table any more: another commit replaced it; "
                               "run the transaction again",
                               *missing_.begin())};
    }
    return ok();
  }

  // Keeps the manifest as it is when nothing of it is removed, else writes it anew.
  Status filter(const ManifestFile& manifest) {
    TARN_TRY(auto entries, manifests_.entries(manifest));
    bool touched = std::any_of(entries->begin(), entries->end(), [&](const ManifestEntry& entry) {
      return entry.status != EntryStatus::kDeleted && is_removed(entry.file);
    });
    Piece piece{.spec_id = manifest.spec_id, .deletes = manifest.deletes, .existing = {}, .entries = {}};
    if (!touched) {
      piece.existing = manifest;
      pieces_.push_back(std::move(piece));
      return ok();
    }
    for (const auto& entry : *entries) {
      if (entry.status == EntryStatus::kDeleted) {
        continue;
      }
      auto next = entry;
      next.status = EntryStatus::kExisting;
      if (is_removed(entry.file)) {
        next.status = EntryStatus::kDeleted;
        next.snapshot_id = change_.snapshot_id;
        drop_statistics(next.file);
        missing_.erase(entry.file.path);
        result_.removed.push_back(entry.file.path);
        summary_.remove(entry.file);
      }
      piece.entries.push_back(std::move(next));
    }
    pieces_.push_back(std::move(piece));
    return ok();
  }

  Status add() {
    std::vector<Piece> added;
    for (const auto& file : change_.added) {
      bool deletes = file.content != Content::kData;
      auto at = std::find_if(added.begin(), added.end(), [&](const Piece& piece) {
        return piece.spec_id == file.spec_id && piece.deletes == deletes &&
               piece.entries.size() < kEntriesPerManifest;
      });
      if (at == added.end()) {
        at = added.insert(added.end(),
                          {.spec_id = file.spec_id, .deletes = deletes, .existing = {}, .entries = {}});
      }
      summary_.add(file);
      at->entries.push_back({.status = EntryStatus::kAdded,
                             .snapshot_id = change_.snapshot_id,
                             .sequence_number = std::nullopt,
                             .file_sequence_number = std::nullopt,
                             .file = file});
    }
    pieces_.insert(pieces_.begin(), std::make_move_iterator(added.begin()),
                   std::make_move_iterator(added.end()));
    return ok();
  }

  // Entries of a piece as the next snapshot shows them.
  Result<std::vector<ManifestEntry>> entries_of(Piece& piece) {
    if (!piece.existing) {
      return std::move(piece.entries);
    }
    TARN_TRY(auto entries, manifests_.entries(*piece.existing));
    std::vector<ManifestEntry> live;
    for (const auto& entry : *entries) {
      if (entry.status != EntryStatus::kDeleted) {
        live.push_back(entry);
        live.back().status = EntryStatus::kExisting;
      }
    }
    return live;
  }

  Status merge() {
    std::vector<Piece> merged;
    while (!pieces_.empty()) {
      Piece kind{.spec_id = pieces_[0].spec_id, .deletes = pieces_[0].deletes, .existing = {}, .entries = {}};
      std::vector<Piece> same;
      std::vector<Piece> others;
      for (auto& piece : pieces_) {
        (piece.same_kind(kind) ? same : others).push_back(std::move(piece));
      }
      pieces_ = std::move(others);
      auto small = static_cast<size_t>(std::count_if(
          same.begin(), same.end(), [&](const Piece& p) { return p.small(rules_.target_bytes); }));
      if (small >= rules_.merge_at) {
        TARN_TRY(same, merged_pieces(kind, std::move(same)));
      }
      merged.insert(merged.end(), std::make_move_iterator(same.begin()), std::make_move_iterator(same.end()));
    }
    pieces_ = std::move(merged);
    return ok();
  }

  Result<std::vector<Piece>> merged_pieces(const Piece& kind, std::vector<Piece> pieces) {
    std::vector<Piece> result;
    Piece open = kind;
    int64_t open_bytes = 0;
    for (auto& piece : pieces) {
      if (!piece.small(rules_.target_bytes)) {
        result.push_back(std::move(piece));
        continue;
      }
      int64_t bytes = piece.existing ? piece.existing->length_bytes : 0;
      if (open_bytes + bytes > rules_.target_bytes || open.entries.size() >= kEntriesPerManifest) {
        result.push_back(std::move(open));
        open = kind;
        open_bytes = 0;
      }
      TARN_TRY(auto entries, entries_of(piece));
      open_bytes += bytes;
      open.entries.insert(open.entries.end(), std::make_move_iterator(entries.begin()),
                          std::make_move_iterator(entries.end()));
    }
    if (!open.entries.empty()) {
      result.push_back(std::move(open));
    }
    return result;
  }

  Result<ManifestList> write_pieces() {
    ManifestList list;
    for (const auto& piece : pieces_) {
      if (piece.existing) {
        list.push_back(*piece.existing);
        continue;
      }
      ManifestOptions options{
          .path = fmt::format("{}/{}-m{}.avro", folder_, change_.file_id, result_.files.size()),
          .spec_id = piece.spec_id,
          .deletes = piece.deletes,
          .snapshot_id = change_.snapshot_id,
          .sequence_number = snapshot_.sequence_number};
      TARN_TRY(auto written, write_manifest(base_, options, piece.entries));
      result_.files.push_back({.path = options.path, .bytes = std::move(written.bytes)});
      list.push_back(std::move(written.file));
    }
    return list;
  }

  // Snapshots of the oldest tables of version 1 name their manifests themselves, which version 2 does not
  // know.
  Status give_lists(TableMetadata& metadata) {
    for (auto& snapshot : metadata.snapshots) {
      if (!snapshot.manifest_list.empty()) {
        continue;
      }
      TARN_TRY(auto list, manifests_.list(snapshot));
      snapshot.manifest_list =
          fmt::format("{}/snap-{}-1-{}.avro", folder_, snapshot.snapshot_id, change_.file_id);
      snapshot.manifests.clear();
      TARN_TRY(auto bytes, write_manifest_list(snapshot, *list));
      result_.files.push_back({.path = snapshot.manifest_list, .bytes = std::move(bytes)});
    }
    return ok();
  }

  void put_snapshot(TableMetadata& metadata) const {
    metadata.format_version = 2;
    metadata.last_sequence_number = snapshot_.sequence_number;
    metadata.last_updated_ms = snapshot_.timestamp_ms;
    metadata.current_snapshot_id = snapshot_.snapshot_id;
    metadata.refs["main"].snapshot_id = snapshot_.snapshot_id;
    metadata.snapshot_log.push_back(
        {.timestamp_ms = snapshot_.timestamp_ms, .snapshot_id = snapshot_.snapshot_id});
    metadata.snapshots.push_back(snapshot_);
  }

  const TableMetadata& base_;
  const SnapshotChange& change_;
  ManifestReader& manifests_;
  const MergeRules rules_;
  std::unordered_set<std::string> removed_;
  std::unordered_set<std::string> missing_;  // of removed_: not yet met
  std::string folder_;
  Snapshot snapshot_;
  std::vector<Piece> pieces_;
  SnapshotSummary summary_;
  NewSnapshot result_;
};

}  // namespace

Result<NewSnapshot> build_snapshot(const TableMetadata& base, const SnapshotChange& change,
                                   ManifestReader& manifests) {
  return Builder(base, change, manifests).build();
}

}  // namespace tarn::iceberg
