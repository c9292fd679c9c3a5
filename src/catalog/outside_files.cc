#include "catalog/outside_files.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include <fmt/format.h>

namespace tarn::catalog {
namespace {

using iceberg::ManifestFile;
using iceberg::Snapshot;

constexpr size_t kJobsAtOnce = 256;

bool lies_below(const std::string& path, const std::string& folder) {
  return path.size() > folder.size() && path.starts_with(folder) && path[folder.size()] == '/';
}

class Checker {
 public:
  Checker(const OutsideFilesTools& tools, const iceberg::TableMetadata* head) : tools_(tools), head_(head) {
    if (head_ != nullptr && head_->current_snapshot() != nullptr) {
      know(*head_->current_snapshot());
    }
  }

  Status snapshot(const Snapshot& snapshot) {
    if (head_ != nullptr && snapshot.parent_snapshot_id) {
      if (const auto* parent = head_->snapshot(*snapshot.parent_snapshot_id)) {
        know(*parent);
      }
    }
    if (!snapshot.manifest_list.empty()) {
      TARN_CHECK(file(snapshot.manifest_list, -1));
    }
    for (const auto& path : snapshot.manifests) {
      TARN_CHECK(file(path, -1));
    }
    auto list = tools_.manifests.list(snapshot);
    if (!list) {
      return unreadable(snapshot.manifest_list, list.error());
    }
    for (const auto& line : **list) {
      if (known_.insert(line.path).second) {
        TARN_CHECK(manifest(line));
      }
    }
    return ok();
  }

  // `bytes` below 0: not known.
  Status file(const std::string& location, int64_t bytes) {
    TARN_TRY(auto path, tools_.locations.allow(location));
    const auto size = tools_.env.files->size(path);
    if (!size) {
      return size.error().code == Code::kNotFound
                 ? Error{Code::kInvalid,
                         fmt::format(
                             "the commit names {}, which is not there: write a file before the commit "
                             "that names it",
                             location)}
                 : size.error();
    }
    if (bytes >= 0 && *size != static_cast<uint64_t>(bytes)) {
      return Error{Code::kInvalid, fmt::format("the commit says that {} has {} bytes, but it has {}",
                                               location, bytes, *size)};
    }
    if (files_.insert(path).second) {
      note_folders(path);
    }
    return ok();
  }

  // Everything that was checked becomes durable: bytes, then names.
  Status sync() {
    TARN_CHECK(run(files_, [this](const std::string& path) { return tools_.env.files->sync_file(path); }));
    return run(folders_, [this](const std::string& path) { return tools_.env.files->sync_dir(path); });
  }

 private:
  static Error unreadable(const std::string& location, const Error& error) {
    return {error.code == Code::kIo ? Code::kIo : Code::kInvalid,
            fmt::format("{} cannot be read: {}", location, error.message)};
  }

  // What is in the table already was checked when it came.
  void know(const Snapshot& snapshot) {
    if (auto list = tools_.manifests.list(snapshot)) {
      for (const auto& line : **list) {
        known_.insert(line.path);
      }
    }
  }

  Status manifest(const ManifestFile& line) {
    TARN_CHECK(file(line.path, line.length_bytes > 0 ? line.length_bytes : -1));
    auto entries = tools_.manifests.entries(line);
    if (!entries) {
      return unreadable(line.path, entries.error());
    }
    if (!tools_.locations.check_data_files) {
      return ok();
    }
    for (const auto& entry : **entries) {
      if (entry.status == iceberg::EntryStatus::kAdded) {
        TARN_CHECK(file(entry.file.path, entry.file.file_size_bytes));
      } else if (entry.status == iceberg::EntryStatus::kExisting) {
        TARN_TRY([[maybe_unused]] const auto path, tools_.locations.allow(entry.file.path));
      }
    }
    return ok();
  }

  // The writer may have made the folders, too.
  void note_folders(const std::string& path) {
    std::vector<std::string> roots = tools_.locations.others;
    roots.push_back(tools_.locations.lake);
    auto folder = std::filesystem::path(path).parent_path();
    while (folders_.insert(folder.string()).second &&
           std::any_of(roots.begin(), roots.end(),
                       [&](const auto& root) { return lies_below(folder.string(), root); })) {
      folder = folder.parent_path();
    }
  }

  Status run(const std::set<std::string>& paths, const std::function<Status(const std::string&)>& work) {
    std::vector<WorkerPool::Job> jobs;
    for (const auto& path : paths) {
      jobs.emplace_back([&work, &path] { return work(path); });
      if (jobs.size() == kJobsAtOnce) {
        TARN_CHECK(tools_.pool.run_all(std::exchange(jobs, {})));
      }
    }
    return jobs.empty() ? ok() : tools_.pool.run_all(std::move(jobs));
  }

  const OutsideFilesTools& tools_;
  const iceberg::TableMetadata* head_;
  std::set<std::string> known_;  // manifests
  std::set<std::string> files_, folders_;
};

}  // namespace

Result<std::string> Locations::allow(const std::string& location) const {
  TARN_TRY(auto path, iceberg::local_path(location));
  const std::filesystem::path plain = path;
  std::error_code error;
  const auto real = std::filesystem::weakly_canonical(plain, error).string();
  const auto is_below = [&](const std::string& folder) {
    std::error_code ignored;
    return lies_below(path, folder) &&
           lies_below(real, std::filesystem::weakly_canonical(folder, ignored).string());
  };
  const bool is_plain = plain.lexically_normal() == plain && !error;
  if (is_plain && (is_below(lake) || std::any_of(others.begin(), others.end(), is_below))) {
    return path;
  }
  return Error{
      Code::kDenied,
      fmt::format("{} does not lie in the lake's folder, {}, nor in one that 'iceberg: locations' of "
                  "tarn.yml names",
                  location, lake)};
}

Status check_outside_files(const OutsideFilesTools& tools, const iceberg::TableCommit& commit,
                           const iceberg::TableMetadata* head) {
  Checker checker(tools, head);
  for (const auto& update : commit.updates) {
    if (const auto* added = std::get_if<iceberg::AddSnapshot>(&update)) {
      TARN_CHECK(checker.snapshot(added->snapshot));
    } else if (const auto* statistics = std::get_if<iceberg::SetStatistics>(&update)) {
      TARN_CHECK(checker.file(statistics->path, statistics->bytes));
    }
  }
  return checker.sync();
}

Status check_registered_files(const OutsideFilesTools& tools, const iceberg::TableMetadata& metadata) {
  Checker checker(tools, nullptr);
  for (const auto& snapshot : metadata.snapshots) {
    TARN_CHECK(checker.snapshot(snapshot));
  }
  return checker.sync();
}

}  // namespace tarn::catalog
