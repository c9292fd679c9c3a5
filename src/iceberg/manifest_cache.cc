#include "iceberg/manifest_cache.h"

#include <fmt/format.h>

#include "iceberg/manifest.h"

namespace tarn::iceberg {
namespace {

// About what a decoded manifest takes; maps of bounds dominate.
size_t memory_of(const ManifestEntries& entries) {
  constexpr size_t kMapNode = 56;
  size_t bytes = sizeof(ManifestEntries);
  for (const auto& entry : entries) {
    const auto& file = entry.file;
    bytes += sizeof(ManifestEntry) + file.path.size() + file.partition.size() * sizeof(Value);
    size_t counts = file.column_sizes.size() + file.value_counts.size() + file.null_value_counts.size() +
                    file.nan_value_counts.size();
    size_t bounds = file.lower_bounds.size() + file.upper_bounds.size();
    bytes += counts * kMapNode + bounds * (kMapNode + 32);
  }
  return bytes;
}

size_t memory_of(const ManifestList& list) {
  size_t bytes = sizeof(ManifestList);
  for (const auto& line : list) {
    bytes += sizeof(ManifestFile) + line.path.size() + line.partitions.size() * (sizeof(FieldSummary) + 32);
  }
  return bytes;
}

}  // namespace

Result<std::string> local_path(const std::string& location) {
  std::string path = location;
  if (path.starts_with("file://")) {
    path = path.substr(7);
  } else if (path.starts_with("file:")) {
    path = path.substr(5);
  }
  if (!path.starts_with('/')) {
    return Error{Code::kUnsupported, fmt::format("'{}' is not a path on this machine (file:///…)", location)};
  }
  return path;
}

const ManifestCache::Item* ManifestCache::find(const std::string& path) {
  auto at = by_path_.find(path);
  if (at == by_path_.end()) {
    return nullptr;
  }
  items_.splice(items_.begin(), items_, at->second);
  return &items_.front();
}

void ManifestCache::keep(Item item) {
  std::lock_guard lock(mutex_);
  if (by_path_.contains(item.path) || item.bytes > bytes_max_) {
    return;
  }
  bytes_ += item.bytes;
  items_.push_front(std::move(item));
  by_path_[items_.front().path] = items_.begin();
  while (bytes_ > bytes_max_) {
    bytes_ -= items_.back().bytes;
    by_path_.erase(items_.back().path);
    items_.pop_back();
  }
}

size_t ManifestCache::bytes() const {
  std::lock_guard lock(mutex_);
  return bytes_;
}

Result<std::shared_ptr<const ManifestList>> ManifestCache::list(const Snapshot& snapshot) {
  if (snapshot.manifest_list.empty()) {
    return inline_list(snapshot);
  }
  {
    std::lock_guard lock(mutex_);
    if (const auto* item = find(snapshot.manifest_list); item != nullptr && item->list) {
      return item->list;
    }
  }
  TARN_TRY(auto path, local_path(snapshot.manifest_list));
  TARN_TRY(auto bytes, files_.read(path));
  auto manifests = read_manifest_list(bytes);
  if (!manifests) {
    return manifests.error().at(path);
  }
  for (auto& line : *manifests) {
    if (!has_counts(line)) {
      TARN_TRY(auto held, entries(line));
      fill_counts(line, *held);
    }
  }
  auto list = std::make_shared<const ManifestList>(std::move(*manifests));
  keep({.path = snapshot.manifest_list, .list = list, .entries = nullptr, .bytes = memory_of(*list)});
  return list;
}

// Oldest tables of format version 1: the snapshot names its manifests, and there is no list.
Result<std::shared_ptr<const ManifestList>> ManifestCache::inline_list(const Snapshot& snapshot) {
  ManifestList list;
  for (const auto& location : snapshot.manifests) {
    TARN_TRY(auto path, local_path(location));
    TARN_TRY(auto bytes, files_.read(path));
    TARN_TRY(auto line, manifest_line(bytes, location, snapshot.snapshot_id));
    list.push_back(std::move(line));
  }
  return std::make_shared<const ManifestList>(std::move(list));
}

Result<std::shared_ptr<const ManifestEntries>> ManifestCache::entries(const ManifestFile& manifest) {
  {
    std::lock_guard lock(mutex_);
    if (const auto* item = find(manifest.path); item != nullptr && item->entries) {
      return item->entries;
    }
  }
  TARN_TRY(auto path, local_path(manifest.path));
  TARN_TRY(auto bytes, files_.read(path));
  TARN_TRY(auto read, read_manifest(bytes, manifest));
  auto entries = std::make_shared<const ManifestEntries>(std::move(read));
  keep({.path = manifest.path, .list = nullptr, .entries = entries, .bytes = memory_of(*entries)});
  return entries;
}

}  // namespace tarn::iceberg
