// What the catalog's tests share: a lake in a temporary folder, tables and data files in it.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <set>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/env/fault_file_system.h"
#include "base/ids.h"
#include "catalog/catalog.h"
#include "iceberg/metadata_update.h"

namespace tarn::catalog {

using engine::CommitRequest;
using engine::LakeVersion;
using engine::TableChange;
using engine::TableName;
using iceberg::TableMetadata;

class SetClock : public Clock {
 public:
  Timestamp now() override { return time; }
  Duration steady() override { return time.time_since_epoch(); }
  void sleep_for(Duration duration) override { time += duration; }

  Timestamp time{Duration(1'700'000'000'000'000)};
};

// One process's view of the lake; drop it and make another to restart.
struct OpenLake {
  std::unique_ptr<store::Store> store;
  std::unique_ptr<Catalog> catalog;
};

inline Result<OpenLake> open_lake(Env& env, const std::string& folder, FaultInjector* faults = nullptr) {
  OpenLake lake;
  TARN_TRY(lake.store, store::Store::open({.path = folder + "/control.sqlite", .faults = faults}));
  TARN_TRY(lake.catalog, Catalog::open(env, *lake.store, folder + "/lake"));
  return lake;
}

inline iceberg::Field field(const std::string& name, iceberg::TypeKind kind) {
  iceberg::Field made;
  made.name = name;
  made.type.kind = kind;
  return made;
}

class CatalogFixture : public testing::Test {
 protected:
  // In memory where that is possible: what a power cut takes is decided by the ledger, not by the disk.
  void SetUp() override {
    make_folder(std::filesystem::is_directory("/dev/shm") ? "/dev/shm" : testing::TempDir());
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  void make_folder(const std::string& parent) {
    std::string pattern = parent + "/catalog-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
  }

  void reopen() {
    lake_ = {};
    auto opened = open_lake(env_, folder_);
    ASSERT_TRUE(opened) << opened.error().message;
    lake_ = std::move(*opened);
  }
  Catalog& catalog() { return *lake_.catalog; }

  static TableChange creation(Env& env, const TableName& name) {
    TableChange change;
    change.kind = TableChange::Kind::kCreate;
    change.name = name;
    change.uuid = new_uuid(*env.random);
    iceberg::NewTable wanted;
    wanted.uuid = change.uuid;
    wanted.fields = {field("id", iceberg::TypeKind::kLong), field("text", iceberg::TypeKind::kString)};
    wanted.now_ms = 1;
    auto made = iceberg::new_table(wanted);
    EXPECT_TRUE(made) << made.error().message;
    change.changed = std::make_shared<const TableMetadata>(std::move(*made));
    return change;
  }

  // A change of the table as the newest version has it.
  static Result<TableChange> change_of(Catalog& catalog, const TableName& name) {
    TARN_TRY(auto head, catalog.head());
    TARN_TRY(auto table, find(*head, name));
    TableChange change;
    change.name = name;
    change.uuid = table->uuid();
    TARN_TRY(change.base, table->metadata());
    return change;
  }

  static Result<std::shared_ptr<const engine::LakeTable>> find(const LakeVersion& version,
                                                               const TableName& name) {
    auto schema = version.schemas.find(engine::fold(name.schema));
    if (schema != version.schemas.end()) {
      auto table = schema->second->tables.find(engine::fold(name.name));
      if (table != schema->second->tables.end()) {
        return table->second;
      }
    }
    return Error{Code::kNotFound, name.schema + "." + name.name};
  }

  // A durable file in the table's folder; what it holds is nothing to the catalog.
  static Result<iceberg::DataFile> new_file(Env& env, Catalog& catalog, const TableChange& change,
                                            const std::string& file_name) {
    const auto* metadata = change.base != nullptr ? change.base.get() : change.changed.get();
    TARN_TRY(std::string folder, catalog.data_folder(change.name, change.uuid, metadata));
    std::string path = folder + "/" + file_name + ".parquet";
    TARN_CHECK(write_durable(*env.files, path, "PAR1"));
    iceberg::DataFile file;
    file.path = "file://" + path;
    file.record_count = 1;
    file.file_size_bytes = 4;
    return file;
  }

  // Names of the live data files, without folder and ending.
  static Result<std::set<std::string>> live(Catalog& catalog, const LakeVersion& version,
                                            const TableName& name) {
    TARN_TRY(auto table, find(version, name));
    TARN_TRY(auto metadata, table->metadata());
    TARN_TRY(auto plan, catalog.plan(*metadata, metadata->current_snapshot_id.value_or(-1), {}));
    std::set<std::string> names;
    for (const auto& each : plan.files) {
      std::filesystem::path path = each.file.path.substr(7);
      if (!std::filesystem::exists(path)) {
        return Error{Code::kCorrupt, "not there: " + each.file.path};
      }
      names.insert(path.stem().string());
    }
    return names;
  }
  std::set<std::string> live(const TableName& name) {
    auto names = live(catalog(), *catalog().head().value(), name);
    EXPECT_TRUE(names) << names.error().message;
    return names.value_or(std::set<std::string>{});
  }

  Result<engine::CommitOutcome> create(const TableName& name) {
    CommitRequest request;
    request.tables.push_back(creation(env_, name));
    return catalog().commit(std::move(request));
  }

  Result<engine::CommitOutcome> append(const TableName& name, const std::string& file,
                                       std::string token = "") {
    CommitRequest request;
    request.token = std::move(token);
    TARN_TRY(auto change, change_of(catalog(), name));
    TARN_TRY(auto added, new_file(env_, catalog(), change, file));
    change.added.push_back(std::move(added));
    request.tables.push_back(std::move(change));
    return catalog().commit(std::move(request));
  }

  SetClock clock_;
  Env env_{&real_file_system(), &clock_, real_env().random};
  std::string folder_;
  OpenLake lake_;
};

}  // namespace tarn::catalog
