// For tests: a table in a temporary folder whose snapshots are built and written as the catalog does it.
#pragma once

#include <filesystem>
#include <string>

#include <gtest/gtest.h>

#include "base/env/file_system.h"
#include "iceberg/bounds.h"
#include "iceberg/manifest_cache.h"
#include "iceberg/metadata_update.h"
#include "iceberg/planner.h"
#include "iceberg/snapshot_builder.h"

namespace tarn::iceberg {

inline Field test_column(const char* name, const char* type) {
  Field field;
  field.name = name;
  field.type = *parse_type(type);
  return field;
}

class TestTable {
 public:
  explicit TestTable(std::vector<Field> fields, std::vector<PartitionRequest> partitions = {})
      : folder_(make_folder()), cache_(real_file_system(), size_t{1} << 20) {
    NewTable request;
    request.uuid = "0ee91f8c-5a1b-4d6a-9f3c-6f0f5d3a2b11";
    request.location = "file://" + folder_;
    request.fields = std::move(fields);
    request.partitions = std::move(partitions);
    request.now_ms = 1'700'000'000'000;
    auto created = new_table(request);
    EXPECT_TRUE(created) << (created ? "" : created.error().message);
    metadata = std::move(*created);
  }
  TestTable(const TestTable&) = delete;
  TestTable& operator=(const TestTable&) = delete;
  ~TestTable() { std::filesystem::remove_all(folder_); }

  // Builds the snapshot, writes its files, makes it the head.
  Status commit(SnapshotChange change) {
    change.snapshot_id = ++last_snapshot_;
    change.timestamp_ms = metadata.last_updated_ms + 1000;
    change.file_id = "commit-" + std::to_string(last_snapshot_);
    TARN_TRY(auto next, build_snapshot(metadata, change, cache_));
    for (const auto& file : next.files) {
      TARN_TRY(auto path, local_path(file.path));
      TARN_CHECK(write_durable(real_file_system(), path, file.bytes));
    }
    TARN_TRY(metadata, parse_table_metadata(to_json(next.metadata)));
    removed = next.removed;
    return ok();
  }

  // A data file without bounds.
  [[nodiscard]] DataFile file(const std::string& name, std::vector<Value> partition = {}) const {
    DataFile file;
    file.path = "file://" + folder_ + "/data/" + name;
    file.spec_id = metadata.default_spec_id;
    file.partition = std::move(partition);
    file.record_count = 10;
    file.file_size_bytes = 100;
    return file;
  }

  // Names of the files that a scan reads, sorted.
  std::vector<std::string> scan(const Filter& filter = {}) {
    auto plan = plan_scan(metadata, *metadata.current_snapshot_id, filter, cache_);
    EXPECT_TRUE(plan) << (plan ? "" : plan.error().message);
    std::vector<std::string> names;
    for (const auto& planned : plan->files) {
      names.push_back(planned.file.path.substr(planned.file.path.rfind('/') + 1));
    }
    std::sort(names.begin(), names.end());
    return names;
  }

  [[nodiscard]] ManifestList manifests() { return **cache_.list(*metadata.current_snapshot()); }
  ManifestCache& cache() { return cache_; }
  [[nodiscard]] const std::string& folder() const { return folder_; }

  TableMetadata metadata;
  std::vector<std::string> removed;

 private:
  static std::string make_folder() {
    std::string name = std::filesystem::temp_directory_path() / "tarn-iceberg-XXXXXX";
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    std::filesystem::create_directory(name + "/metadata");
    return name;
  }

  std::string folder_;
  ManifestCache cache_;
  int64_t last_snapshot_ = 0;
};

}  // namespace tarn::iceberg
