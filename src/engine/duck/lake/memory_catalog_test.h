// A catalog service in memory, for tests of the lake inside DuckDB: real Parquet files in a temporary folder,
// metadata and lists of live files in maps. It keeps the contract of engine/lake_catalog.h: versions,
// conflicts, tokens.
#pragma once

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "engine/lake_catalog.h"
#include "iceberg/pruning.h"

namespace tarn::engine {

class MemoryTable : public LakeTable {
 public:
  MemoryTable(TableName name, std::shared_ptr<const iceberg::TableMetadata> metadata, std::string location)
      : name_(std::move(name)), metadata_(std::move(metadata)), location_(std::move(location)) {}
  [[nodiscard]] const TableName& name() const override { return name_; }
  [[nodiscard]] const std::string& uuid() const override { return metadata_->table_uuid; }
  [[nodiscard]] const std::string& metadata_location() const override { return location_; }
  [[nodiscard]] Result<std::shared_ptr<const iceberg::TableMetadata>> metadata() const override {
    return metadata_;
  }

 private:
  TableName name_;
  std::shared_ptr<const iceberg::TableMetadata> metadata_;
  std::string location_;
};

class MemoryCatalog : public LakeCatalog {
 public:
  explicit MemoryCatalog(std::string folder) : folder_(std::move(folder)) {
    auto first = std::make_shared<LakeVersion>();
    first->number = 1;
    first->time = Timestamp(std::chrono::seconds(1'700'000'000));
    auto schema = std::make_shared<LakeSchema>();
    schema->name = "public";
    first->schemas["public"] = schema;
    versions_.push_back(first);
  }

  Result<std::shared_ptr<const LakeVersion>> head() override {
    const std::lock_guard lock(mutex_);
    return versions_.back();
  }

  Result<std::shared_ptr<const LakeVersion>> at_version(int64_t number) override {
    const std::lock_guard lock(mutex_);
    if (number < 1 || number > static_cast<int64_t>(versions_.size())) {
      return Error{Code::kNotFound, fmt::format("there is no lake version {}", number)};
    }
    return versions_[static_cast<size_t>(number - 1)];
  }

  Result<std::shared_ptr<const LakeVersion>> at_time(Timestamp time) override {
    const std::lock_guard lock(mutex_);
    for (auto version = versions_.rbegin(); version != versions_.rend(); ++version) {
      if ((*version)->time <= time) {
        return *version;
      }
    }
    return Error{Code::kNotFound, "the lake did not exist yet: its first version is 1"};
  }

  [[nodiscard]] std::string schema_location(const std::string& schema) const override {
    return "file://" + folder_ + "/" + schema;
  }

  Result<ScanPlan> plan(const iceberg::TableMetadata& metadata, int64_t snapshot_id,
                        const iceberg::Filter& filter) override {
    const std::lock_guard lock(mutex_);
    ScanPlan plan;
    for (const auto& file : snapshots_.at(snapshot_id)) {
      if (file.content != iceberg::Content::kData) {
        continue;
      }
      if (!iceberg::may_match(metadata, file, filter)) {
        ++plan.files_pruned;
        continue;
      }
      ScanFile scan{.file = file};
      if (const auto found = deletes_.find(file.path); found != deletes_.end()) {
        scan.deletes = found->second;
      }
      for (const auto& deletes : snapshots_.at(snapshot_id)) {
        if (deletes.referenced_data_file == file.path) {
          scan.deletes.push_back(deletes);
        }
      }
      plan.files.push_back(std::move(scan));
    }
    last_plan_ = {static_cast<int64_t>(plan.files.size()), plan.files_pruned};
    return plan;
  }

  Result<std::string> data_folder(const TableName& name, const std::string& uuid,
                                  const iceberg::TableMetadata*) override {
    std::string path = fmt::format("{}/{}/{}-{}/data", folder_, name.schema, name.name, uuid.substr(0, 8));
    std::filesystem::create_directories(path);
    return path;
  }

  Result<CommitOutcome> commit(CommitRequest request) override;

  Result<std::string> read_outside(const std::string& location) override {
    return Error{Code::kNotFound, location};
  }
  Result<std::shared_ptr<const iceberg::TableMetadata>> find_outside(const std::string& location) override {
    return Error{Code::kNotFound, location};
  }
  Result<std::optional<CommitOutcome>> find_request(const RepeatableRequest& /*request*/) override {
    return std::optional<CommitOutcome>();
  }
  Result<std::optional<CommitOutcome>> find_token(const std::string& token) override {
    const std::lock_guard lock(mutex_);
    const auto found = tokens_.find(token);
    return found == tokens_.end() ? std::nullopt : std::optional(found->second);
  }

  Result<std::optional<std::string>> cursor(const std::string& source, const std::string& key) override {
    const std::lock_guard lock(mutex_);
    const auto found = cursors_.find({source, key});
    return found == cursors_.end() ? std::nullopt : std::optional(found->second);
  }

  // Deletes as another writer would leave them.
  void add_deletes(const std::string& data_path, const std::string& delete_path,
                   std::vector<int> equality_ids = {}) {
    const std::lock_guard lock(mutex_);
    iceberg::DataFile file;
    file.content =
        equality_ids.empty() ? iceberg::Content::kPositionDeletes : iceberg::Content::kEqualityDeletes;
    file.equality_ids = std::move(equality_ids);
    file.path = delete_path;
    deletes_[data_path].push_back(file);
  }

  struct Counts {
    int64_t read = 0, pruned = 0;
  };
  Counts last_plan() {
    const std::lock_guard lock(mutex_);
    return last_plan_;
  }
  void fail_next_commit(Error error) {
    const std::lock_guard lock(mutex_);
    next_error_ = std::move(error);
  }
  // Called inside each commit.
  void on_commit(std::function<void()> callback) {
    const std::lock_guard lock(mutex_);
    on_commit_ = std::move(callback);
  }
  CommitRequest last_request() {
    const std::lock_guard lock(mutex_);
    return last_request_;
  }

 private:
  Status apply(const TableChange& change, LakeVersion& next, CommitOutcome& outcome);
  Status apply(const ViewChange& change, LakeVersion& next);
  static LakeSchema& edit(LakeVersion& version, const std::string& name) {
    auto& slot = version.schemas.at(fold(name));
    auto copy = std::make_shared<LakeSchema>(*slot);
    slot = copy;
    return *copy;
  }

  std::string folder_;
  std::mutex mutex_;
  std::vector<std::shared_ptr<const LakeVersion>> versions_;
  std::map<int64_t, std::vector<iceberg::DataFile>> snapshots_;
  std::map<std::string, std::vector<iceberg::DataFile>> deletes_;
  std::map<std::string, CommitOutcome> tokens_;
  std::map<std::pair<std::string, std::string>, std::string> cursors_;
  std::function<void()> on_commit_;
  std::optional<Error> next_error_;
  CommitRequest last_request_;
  Counts last_plan_;
  int64_t documents_ = 0;
};

inline Status MemoryCatalog::apply(const TableChange& change, LakeVersion& next, CommitOutcome& outcome) {
  if (!next.schemas.contains(fold(change.name.schema))) {
    return Error{Code::kConflict, "40001: the schema is gone"};
  }
  auto& schema = edit(next, change.name.schema);
  const auto key = fold(change.name.name);
  const auto found = schema.tables.find(key);
  const bool create = change.kind == TableChange::Kind::kCreate;
  if (create && found != schema.tables.end()) {
    return Error{Code::kConflict, "40001: the table was made in between"};
  }
  if (!create && (found == schema.tables.end() || found->second->uuid() != change.uuid)) {
    return Error{Code::kConflict, "40001: the table is gone"};
  }
  if (change.kind == TableChange::Kind::kDrop) {
    schema.tables.erase(key);
    return ok();
  }
  iceberg::TableMetadata metadata = create ? *change.changed : **found->second->metadata();
  if (!create && change.changed) {
    if (metadata.current_schema_id != change.base->current_schema_id) {
      return Error{Code::kConflict, "40001: the table's definition changed in between"};
    }
    const auto head = metadata;
    metadata = *change.changed;
    metadata.snapshots = head.snapshots;
    metadata.current_snapshot_id = head.current_snapshot_id;
  }
  if (change.writes_files()) {
    std::vector<iceberg::DataFile> files;
    if (!change.remove_all && metadata.current_snapshot_id) {
      files = snapshots_.at(*metadata.current_snapshot_id);
    }
    const auto before = files;
    for (const auto& path : change.removed) {
      const auto names = [&](const auto& file) { return file.path == path; };
      if (std::erase_if(files, names) == 0) {
        return Error{Code::kConflict, "40001: a file to be removed is gone: " + path};
      }
    }
    for (const auto& file : change.added) {
      if (!std::filesystem::exists(file.path.substr(7))) {
        return Error{Code::kInternal, "a file to be added does not exist: " + file.path};
      }
      files.push_back(file);
    }
    for (const auto& [path, deletes] : change.touched) {
      const bool gone =
          std::find(change.removed.begin(), change.removed.end(), path) == change.removed.end() &&
          std::none_of(files.begin(), files.end(), [&](const auto& f) { return f.path == path; });
      std::set<std::string> now;
      for (const auto& file : before) {
        if (file.referenced_data_file == path) {
          now.insert(file.path);
        }
      }
      for (const auto& file : deletes_[path]) {
        now.insert(file.path);
      }
      if (gone || now != std::set<std::string>(deletes.begin(), deletes.end())) {
        return Error{Code::kConflict, "40001: a file whose rows were deleted is gone: " + path};
      }
    }
    int64_t rows = 0;
    for (const auto& file : files) {
      rows += file.content == iceberg::Content::kData ? file.record_count : 0;
    }
    const int64_t id = static_cast<int64_t>(snapshots_.size()) + 100;
    snapshots_[id] = std::move(files);
    iceberg::Snapshot snapshot{.snapshot_id = id};
    snapshot.summary["total-records"] = std::to_string(rows);
    snapshot.summary["total-data-files"] = std::to_string(snapshots_[id].size());
    metadata.snapshots.push_back(std::move(snapshot));
    metadata.current_snapshot_id = id;
    outcome.snapshot_ids[change.uuid] = id;
  }
  const TableName name = change.rename_to.value_or(change.name);
  auto document = std::make_shared<const iceberg::TableMetadata>(std::move(metadata));
  schema.tables.erase(key);
  edit(next, name.schema).tables[fold(name.name)] =
      std::make_shared<MemoryTable>(name, std::move(document), fmt::format("memory:{}", ++documents_));
  return ok();
}

inline Status MemoryCatalog::apply(const ViewChange& change, LakeVersion& next) {
  auto& schema = edit(next, change.view.name.schema);
  const auto key = fold(change.view.name.name);
  if (change.kind == ViewChange::Kind::kCreate &&
      (schema.views.contains(key) || schema.tables.contains(key))) {
    return Error{Code::kConflict, "40001: the name was taken in between"};
  }
  schema.views.erase(key);
  if (change.kind != ViewChange::Kind::kDrop) {
    auto view = change.view;
    view.name = change.rename_to.value_or(view.name);
    schema.views[fold(view.name.name)] = std::make_shared<const LakeView>(view);
  }
  return ok();
}

inline Result<CommitOutcome> MemoryCatalog::commit(CommitRequest request) {
  const std::lock_guard lock(mutex_);
  last_request_ = request;
  if (on_commit_) {
    on_commit_();
  }
  if (next_error_) {
    Error error = *next_error_;
    next_error_.reset();
    return error;
  }
  if (const auto known = tokens_.find(request.token); !request.token.empty() && known != tokens_.end()) {
    auto outcome = known->second;
    outcome.already_done = true;
    return outcome;
  }
  auto next = std::make_shared<LakeVersion>(*versions_.back());
  next->number += 1;
  next->time += std::chrono::seconds(10);
  CommitOutcome outcome{.lake_version = next->number, .time = next->time};
  for (const auto& change : request.schemas) {
    if (change.kind == SchemaChange::Kind::kDrop) {
      continue;
    }
    auto& slot = next->schemas[fold(change.name)];
    auto schema = slot ? std::make_shared<LakeSchema>(*slot) : std::make_shared<LakeSchema>();
    schema->name = change.name;
    schema->properties = change.properties;
    slot = schema;
  }
  for (const auto& change : request.tables) {
    TARN_CHECK(apply(change, *next, outcome));
  }
  for (const auto& change : request.views) {
    TARN_CHECK(apply(change, *next));
  }
  for (const auto& change : request.schemas) {
    if (change.kind == SchemaChange::Kind::kDrop) {
      next->schemas.erase(fold(change.name));
    }
  }
  for (const auto& change : request.cursors) {
    cursors_[{change.source, change.key}] = change.value;
  }
  if (!request.token.empty()) {
    tokens_[request.token] = outcome;
  }
  versions_.push_back(next);
  return outcome;
}

}  // namespace tarn::engine
