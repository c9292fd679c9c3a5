// Goal: commits from outside are as safe as our own, though their writers sync nothing, and what such a
// commit may not name is refused. Method: a writer that builds snapshots as others do, without a sync, and
// commits them in Iceberg's words; call 1, 2, ... of a layer fails or cuts the power.
#include <gmock/gmock.h>

#include "catalog/catalog_fixture.h"
#include "catalog/layout.h"
#include "iceberg/snapshot_builder.h"
#include "iceberg/table_commit.h"

namespace tarn::catalog {
namespace {

using iceberg::TableCommit;
using testing::HasSubstr;

const TableName kTable{"public", "t"};
constexpr int kSteps = 3;

class OutsideCommitTest : public CatalogFixture {
 protected:
  // As another process writes: no sync, of nothing.
  static Status write(Env& env, const std::string& location, const std::string& bytes) {
    TARN_TRY(const auto path, to_path(location));
    TARN_TRY(const bool exists, env.files->exists(path));
    if (exists) {  // of an attempt that failed
      TARN_CHECK(env.files->remove(path));
    }
    TARN_TRY(auto file, env.files->create(path));
    TARN_CHECK(file->append(bytes));
    return file->close();
  }

  // The files of an append, written, and the commit that names them. Snapshot and file are named by the step.
  static Result<TableCommit> prepare(Env& env, const TableMetadata& base, int step) {
    iceberg::DataFile file;
    file.path = fmt::format("{}/data/f{}.parquet", base.location, step);
    file.record_count = 1;
    file.file_size_bytes = 4;
    TARN_TRY(const auto folder, to_path(base.location + "/data"));
    TARN_CHECK(env.files->make_folders(folder));
    TARN_CHECK(write(env, file.path, "PAR1"));
    iceberg::ManifestCache manifests(*env.files, 1U << 20U);
    iceberg::SnapshotChange change;
    change.added = {file};
    change.snapshot_id = 1000 + step;
    change.timestamp_ms = base.last_updated_ms + 1;
    change.file_id = new_uuid(*env.random);
    TARN_TRY(auto built, iceberg::build_snapshot(base, change, manifests));
    for (const auto& each : built.files) {
      TARN_CHECK(write(env, each.path, each.bytes));
    }
    TableCommit commit;
    commit.requirements.push_back({.kind = iceberg::TableRequirement::Kind::kRefSnapshot,
                                   .text = "main",
                                   .number = base.current_snapshot_id});
    commit.updates.emplace_back(iceberg::AddSnapshot{built.metadata.snapshots.back()});
    commit.updates.emplace_back(iceberg::SetRef{"main", {.snapshot_id = change.snapshot_id}});
    return commit;
  }

  static CommitRequest request_of(const engine::LakeTable& table, TableCommit commit) {
    TableChange change{.kind = TableChange::Kind::kUpdate, .name = table.name(), .uuid = table.uuid()};
    change.outside = std::make_shared<const TableCommit>(std::move(commit));
    CommitRequest request;
    request.tables.push_back(std::move(change));
    return request;
  }

  // Sends the same commit once more when the first answer leaves it open.
  static Status step(Env& env, Catalog& catalog, int number, bool& in_doubt) {
    TARN_TRY(auto head, catalog.head());
    TARN_TRY(auto table, find(*head, kTable));
    TARN_TRY(auto base, table->metadata());
    if (base->snapshot(1000 + number) != nullptr) {
      return ok();  // of an earlier run
    }
    TARN_TRY(auto commit, prepare(env, *base, number));
    Status outcome;
    for (int attempt = 0; attempt < 2; ++attempt) {
      auto done = catalog.commit(request_of(*table, commit));
      if (done) {
        return ok();
      }
      in_doubt = done.error().code == Code::kIo || done.error().code == Code::kInternal;
      outcome = done.error();
    }
    return outcome;
  }

  static int run(Env& env, const std::string& folder, FaultInjector* faults, bool& in_doubt) {
    auto lake = open_lake(env, folder, faults);
    if (!lake) {
      return -1;
    }
    auto head = lake->catalog->head();
    if (!head || !find(**head, kTable)) {
      CommitRequest request;
      request.tables.push_back(creation(env, kTable));
      if (!lake->catalog->commit(std::move(request))) {
        return -1;
      }
    }
    int answered = 0;
    for (int number = 1; number <= kSteps; ++number) {
      in_doubt = false;
      if (!step(env, *lake->catalog, number, in_doubt)) {
        break;
      }
      answered = number;
    }
    return answered;
  }

  // The files of a prefix of the steps are there, whole: all that was answered, and at most one more.
  void check(int answered, bool in_doubt, const std::string& what) {
    auto lake = open_lake(env_, folder_);
    ASSERT_TRUE(lake) << what << ": " << lake.error().message;
    auto head = lake->catalog->head().value();
    if (find(*head, kTable)) {
      auto names = live(*lake->catalog, *head, kTable);
      ASSERT_TRUE(names) << what << ": " << names.error().message;
      const auto count = static_cast<int>(names->size());
      ASSERT_TRUE(count == std::max(answered, 0) || (in_doubt && count == answered + 1))
          << what << ": " << count << " files, answered " << answered;
      for (int number = 1; number <= count; ++number) {
        EXPECT_TRUE(names->contains(fmt::format("f{}", number))) << what;
      }
      auto table = find(*head, kTable).value();
      const auto data = table->metadata().value()->location.substr(7) + "/data/";
      for (const auto& name : *names) {
        EXPECT_EQ(env_.files->read(data + name + ".parquet").value_or(""), "PAR1") << what;
      }
    } else {
      ASSERT_LT(answered, 1) << what;
    }
    lake = OpenLake{};
    bool ignored = false;
    EXPECT_EQ(run(env_, folder_, nullptr, ignored), kSteps) << what;
  }

  void every_call(const std::string& layer, FaultMode mode, bool for_ever) {
    for (int n = 1;; ++n) {
      std::filesystem::remove_all(folder_);
      std::filesystem::create_directory(folder_);
      FaultInjector injector({.layer = layer, .fail_call = n, .mode = mode, .for_ever = for_ever});
      FaultFileSystem files(real_file_system(), injector);
      Env env{&files, &clock_, env_.random};
      bool in_doubt = false;
      const int answered = run(env, folder_, &injector, in_doubt);
      check(answered, in_doubt, fmt::format("{} call {}", layer, n));
      if (HasFatalFailure() || !injector.fired()) {
        EXPECT_EQ(answered, kSteps);
        EXPECT_GT(n, 20);
        return;
      }
    }
  }

  // A table with one commit prepared and not sent.
  TableCommit ready() {
    reopen();
    EXPECT_TRUE(create(kTable));
    table_ = find(*catalog().head().value(), kTable).value();
    auto commit = prepare(env_, *table_->metadata().value(), 1);
    EXPECT_TRUE(commit) << commit.error().message;
    return *commit;
  }
  std::string refusal(TableCommit commit) {
    auto done = catalog().commit(request_of(*table_, std::move(commit)));
    return done ? "" : std::string(name_of(done.error().code)) + ": " + done.error().message;
  }
  static iceberg::Snapshot& snapshot_of(TableCommit& commit) {
    return std::get<iceberg::AddSnapshot>(commit.updates[0]).snapshot;
  }

  std::shared_ptr<const engine::LakeTable> table_;
};

TEST_F(OutsideCommitTest, PowerCuts) {
  every_call("files", FaultMode::kCrash, false);
  every_call("sqlite", FaultMode::kCrash, false);
}

TEST_F(OutsideCommitTest, CallsFail) {
  every_call("files", FaultMode::kError, false);
  every_call("files", FaultMode::kFull, true);
  every_call("sqlite", FaultMode::kError, true);
}

TEST_F(OutsideCommitTest, ALostAnswerIsGivenAgainAndNothingIsDoubled) {
  auto commit = ready();
  auto request = request_of(*table_, commit);
  request.repeatable = {.key = "", .body = "a body", .by_body = true};
  auto first = catalog().commit(request);
  ASSERT_TRUE(first) << first.error().message;
  auto again = catalog().commit(request);
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->already_done);
  EXPECT_EQ(again->metadata_locations, first->metadata_locations);
  // Something else was committed meanwhile: its snapshot tells that it was applied.
  ASSERT_TRUE(append(kTable, "ours"));
  auto late = catalog().commit(request);
  ASSERT_TRUE(late) << late.error().message;
  EXPECT_NE(late->metadata_locations, first->metadata_locations);
  EXPECT_EQ(live(kTable), (std::set<std::string>{"f1", "ours"}));
}

TEST_F(OutsideCommitTest, ARequirementThatDoesNotHoldChangesNothing) {
  auto commit = ready();
  ASSERT_TRUE(append(kTable, "ours"));
  const auto before = catalog().head().value()->number;
  EXPECT_THAT(refusal(commit), HasSubstr("conflict: Requirement failed: branch main"));
  EXPECT_EQ(catalog().head().value()->number, before);
  EXPECT_EQ(live(kTable), (std::set<std::string>{"ours"}));
}

TEST_F(OutsideCommitTest, NamesAreLookedAt) {
  const auto commit = ready();
  const auto location = table_->metadata().value()->location;
  for (const std::string& place :
       {std::string("file:///etc/passwd"), location + "/../../../../x.avro", std::string("file:///")}) {
    auto wrong = commit;
    snapshot_of(wrong).manifest_list = place;
    EXPECT_THAT(refusal(wrong), HasSubstr("denied: ")) << place;
  }
  auto missing = commit;
  snapshot_of(missing).manifest_list = location + "/metadata/none.avro";
  EXPECT_THAT(refusal(missing), HasSubstr("not there"));
  auto moved = commit;
  moved.updates.emplace_back(iceberg::SetLocation{"file:///etc/t"});
  EXPECT_THAT(refusal(moved), HasSubstr("denied: "));
  const auto data = location.substr(7) + "/data/f1.parquet";
  std::filesystem::resize_file(data, 5);
  EXPECT_THAT(refusal(commit), HasSubstr("has 4 bytes, but it has 5"));
  std::filesystem::remove(data);
  // A link out of the lake is the place that it leads to.
  std::filesystem::create_symlink("/etc/hostname", data);
  EXPECT_THAT(refusal(commit), HasSubstr("denied: "));
  std::filesystem::remove(data);
  ASSERT_TRUE(write(env_, "file://" + data, "PAR1"));
  EXPECT_EQ(refusal(commit), "");
  EXPECT_EQ(live(kTable), (std::set<std::string>{"f1"}));
}

TEST_F(OutsideCommitTest, AKeyIsForOneRequest) {
  ready();
  CommitRequest request;
  request.repeatable = {.key = "k", .body = "one"};
  request.schemas.push_back({.name = "s"});
  ASSERT_TRUE(catalog().commit(request));
  auto again = catalog().commit(request);
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->already_done);
  request.repeatable.body = "two";
  auto other = catalog().commit(request);
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, Code::kInvalid);
  clock_.time += std::chrono::hours{25};  // after a day it is forgotten
  auto late = catalog().commit(request);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Code::kConflict);
}

}  // namespace
}  // namespace tarn::catalog
