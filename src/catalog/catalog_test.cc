#include "catalog/catalog.h"

#include <nlohmann/json.hpp>

#include "catalog/catalog_fixture.h"
#include "catalog/view_metadata.h"

namespace tarn::catalog {
namespace {

using Names = std::set<std::string>;
const TableName kOrders{"public", "Orders"};

class CatalogTest : public CatalogFixture {
 protected:
  void SetUp() override {
    CatalogFixture::SetUp();
    reopen();
  }

  // A request that changes the one table.
  CommitRequest request_for(TableChange change) {
    CommitRequest request;
    request.tables.push_back(std::move(change));
    return request;
  }
  CommitRequest request_for(engine::SchemaChange change) {
    CommitRequest request;
    request.schemas.push_back(std::move(change));
    return request;
  }
  CommitRequest request_for(engine::ViewChange change) {
    CommitRequest request;
    request.views.push_back(std::move(change));
    return request;
  }
};

TEST_F(CatalogTest, NewLakeHasItsSchemas) {
  auto head = catalog().head().value();
  EXPECT_EQ(head->number, 1);
  EXPECT_TRUE(head->schemas.contains("public"));
  EXPECT_TRUE(head->schemas.contains("_tarn"));
}

TEST_F(CatalogTest, CreateAppendAndRestart) {
  auto created = create(kOrders);
  ASSERT_TRUE(created) << created.error().message;
  EXPECT_EQ(created->lake_version, 2);
  auto appended = append({"PUBLIC", "orders"}, "a");
  ASSERT_TRUE(appended) << appended.error().message;
  EXPECT_EQ(appended->snapshot_ids.size(), 1U);
  EXPECT_EQ(live(kOrders), Names{"a"});
  reopen();
  EXPECT_EQ(catalog().head().value()->number, 3);
  EXPECT_EQ(live(kOrders), Names{"a"});
  auto table = find(*catalog().head().value(), kOrders).value();
  EXPECT_EQ(table->name(), kOrders);
  auto metadata = table->metadata().value();
  EXPECT_EQ(metadata->metadata_log.size(), 1U);
  EXPECT_EQ(metadata->current_snapshot()->summary.at("tarn.lake-version"), "3");
  EXPECT_NE(table->metadata_location().find("/metadata/00001-"), std::string::npos);
}

TEST_F(CatalogTest, OldMetadataStaysReadable) {
  ASSERT_TRUE(create(kOrders));
  auto before = find(*catalog().head().value(), kOrders).value();
  ASSERT_TRUE(append(kOrders, "a"));
  EXPECT_EQ(before->metadata().value()->current_snapshot(), nullptr);
  EXPECT_TRUE(std::filesystem::exists(before->metadata_location().substr(7)));
}

TEST_F(CatalogTest, AppendsAreRebased) {
  ASSERT_TRUE(create(kOrders));
  auto mine = change_of(catalog(), kOrders).value();
  mine.added.push_back(new_file(env_, catalog(), mine, "mine").value());
  ASSERT_TRUE(append(kOrders, "theirs"));
  auto done = catalog().commit(request_for(mine));
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(live(kOrders), (Names{"mine", "theirs"}));
}

TEST_F(CatalogTest, AppendAfterSchemaChangeConflicts) {  // checklist D.38
  ASSERT_TRUE(create(kOrders));
  auto mine = change_of(catalog(), kOrders).value();
  mine.added.push_back(new_file(env_, catalog(), mine, "mine").value());
  auto theirs = change_of(catalog(), kOrders).value();
  iceberg::Schema schema = theirs.base->schema();
  int last_id = theirs.base->last_column_id;
  ASSERT_TRUE(iceberg::add_field(schema, {}, field("more", iceberg::TypeKind::kDate), last_id));
  auto changed = iceberg::with_schema(*theirs.base, schema);
  ASSERT_TRUE(changed) << changed.error().message;
  theirs.changed = std::make_shared<const TableMetadata>(*changed);
  ASSERT_TRUE(catalog().commit(request_for(theirs)));
  auto done = catalog().commit(request_for(mine));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::kConflict);
  EXPECT_NE(done.error().message.find("40001"), std::string::npos);
  EXPECT_EQ(live(kOrders), Names{});
  auto schema_now = find(*catalog().head().value(), kOrders).value()->metadata().value()->schema();
  EXPECT_NE(schema_now.find("more"), nullptr);
}

TEST_F(CatalogTest, DefinitionAndFilesInOneCommit) {
  ASSERT_TRUE(create(kOrders));
  ASSERT_TRUE(append(kOrders, "old"));
  auto change = change_of(catalog(), kOrders).value();
  auto replaced = iceberg::with_replaced_schema(*change.base, {field("only", iceberg::TypeKind::kLong)}, {});
  ASSERT_TRUE(replaced) << replaced.error().message;
  change.changed = std::make_shared<const TableMetadata>(*replaced);
  change.remove_all = true;
  change.added.push_back(new_file(env_, catalog(), change, "new").value());
  auto done = catalog().commit(request_for(change));
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(live(kOrders), Names{"new"});
  auto metadata = find(*catalog().head().value(), kOrders).value()->metadata().value();
  EXPECT_EQ(metadata->table_uuid, change.uuid);
  EXPECT_EQ(metadata->schema().fields.size(), 1U);
  EXPECT_EQ(metadata->current_snapshot()->schema_id, metadata->current_schema_id);
}

TEST_F(CatalogTest, RemovingWhatIsGoneConflicts) {  // checklist D.38
  ASSERT_TRUE(create(kOrders));
  ASSERT_TRUE(append(kOrders, "a"));
  auto first = change_of(catalog(), kOrders).value();
  std::string path =
      "file://" + catalog().data_folder(kOrders, first.uuid, first.base.get()).value() + "/a.parquet";
  first.removed = {path};
  first.added.push_back(new_file(env_, catalog(), first, "b").value());
  auto second = first;
  second.added = {new_file(env_, catalog(), first, "c").value()};
  ASSERT_TRUE(catalog().commit(request_for(first)));
  auto done = catalog().commit(request_for(second));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::kConflict);
  EXPECT_NE(done.error().message.find("40001"), std::string::npos);
  EXPECT_EQ(live(kOrders), Names{"b"});
}

TEST_F(CatalogTest, ReplacingWhatWasWrittenMeanwhileConflicts) {  // checklist D.38
  ASSERT_TRUE(create(kOrders));
  auto replace = change_of(catalog(), kOrders).value();
  replace.remove_all = true;
  ASSERT_TRUE(append(kOrders, "a"));
  EXPECT_EQ(catalog().commit(request_for(replace)).error().code, Code::kConflict);
  auto again = change_of(catalog(), kOrders).value();
  again.remove_all = true;
  ASSERT_TRUE(catalog().commit(request_for(again)));
  EXPECT_EQ(live(kOrders), Names{});
}

TEST_F(CatalogTest, FailedCommitLeavesNoFiles) {
  ASSERT_TRUE(create(kOrders));
  auto mine = change_of(catalog(), kOrders).value();
  mine.added.push_back(new_file(env_, catalog(), mine, "mine").value());
  auto request = request_for(mine);
  request.schemas.push_back({engine::SchemaChange::Kind::kDrop, "public", {}});
  auto count = [&] {
    auto folder = std::filesystem::path(mine.base->location.substr(7)) / "metadata";
    return std::distance(std::filesystem::directory_iterator(folder), {});
  };
  auto before = count();
  EXPECT_FALSE(catalog().commit(request));
  EXPECT_EQ(count(), before);
}

TEST_F(CatalogTest, KnownTokenIsAnsweredAsBefore) {
  ASSERT_TRUE(create(kOrders));
  auto first = append(kOrders, "a", "run/task/1").value();
  EXPECT_FALSE(first.already_done);
  reopen();
  auto again = append(kOrders, "b", "run/task/1");
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->already_done);
  EXPECT_EQ(again->lake_version, first.lake_version);
  EXPECT_EQ(again->snapshot_ids, first.snapshot_ids);
  EXPECT_EQ(again->time, first.time);
  EXPECT_EQ(live(kOrders), Names{"a"});
  EXPECT_EQ(catalog().find_token("other").value(), std::nullopt);
  auto metadata = find(*catalog().head().value(), kOrders).value()->metadata().value();
  EXPECT_EQ(metadata->current_snapshot()->summary.at("tarn.commit-token"), "run/task/1");
}

TEST_F(CatalogTest, CursorsAreCommittedWithTheData) {
  CommitRequest request;
  request.token = "t";
  request.cursors = {{"weather", "utrecht", "\"2024-01-01\""}, {"weather", "", "1"}};
  auto done = catalog().commit(request);
  ASSERT_TRUE(done);
  EXPECT_EQ(done->lake_version, 1);  // nothing in the lake has changed
  reopen();
  EXPECT_EQ(catalog().cursor("weather", "utrecht").value(), "\"2024-01-01\"");
  EXPECT_EQ(catalog().cursor("weather", "delft").value(), std::nullopt);
  EXPECT_TRUE(catalog().find_token("t").value().has_value());
}

TEST_F(CatalogTest, TimeTravel) {
  Timestamp start = clock_.time;
  clock_.time += Duration(10);
  ASSERT_TRUE(create(kOrders));
  auto first = append(kOrders, "a").value();
  auto second = append(kOrders, "b").value();
  EXPECT_EQ(second.time, first.time + Duration(1));  // the clock stands still, versions do not
  auto names = [&](const LakeVersion& version) { return live(catalog(), version, kOrders).value(); };
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(names(*catalog().at_version(first.lake_version).value()), Names{"a"});
    EXPECT_EQ(names(*catalog().at_time(first.time).value()), Names{"a"});
    EXPECT_EQ(names(*catalog().at_time(second.time + Duration(5)).value()), (Names{"a", "b"}));
    EXPECT_FALSE(find(*catalog().at_time(start + Duration(9)).value(), kOrders));
    auto before = catalog().at_time(start - Duration(1));
    ASSERT_FALSE(before);
    EXPECT_NE(before.error().message.find("2023-11-14T22:13:20Z"), std::string::npos)
        << before.error().message;
    EXPECT_EQ(catalog().at_version(99).error().code, Code::kNotFound);
    reopen();
  }
}

TEST_F(CatalogTest, DropAndRenameKeepHistory) {
  ASSERT_TRUE(create(kOrders));
  auto filled = append(kOrders, "a").value();
  auto rename = change_of(catalog(), kOrders).value();
  rename.rename_to = TableName{"public", "Sales"};
  auto renamed = catalog().commit(request_for(rename));
  ASSERT_TRUE(renamed) << renamed.error().message;
  EXPECT_EQ(live({"public", "sales"}), Names{"a"});
  ASSERT_TRUE(append({"public", "Sales"}, "b"));
  auto drop = change_of(catalog(), {"public", "Sales"}).value();
  drop.kind = TableChange::Kind::kDrop;
  ASSERT_TRUE(catalog().commit(request_for(drop)));
  EXPECT_EQ(catalog().commit(request_for(drop)).error().code, Code::kConflict);
  reopen();
  auto head = catalog().head().value();
  EXPECT_TRUE(head->schemas.at("public")->tables.empty());
  EXPECT_EQ(live(catalog(), *catalog().at_version(filled.lake_version).value(), kOrders).value(), Names{"a"});
}

TEST_F(CatalogTest, NamesDifferByMoreThanCase) {
  ASSERT_TRUE(create(kOrders));
  EXPECT_EQ(create({"public", "ORDERS"}).error().code, Code::kConflict);
  EXPECT_EQ(create({"public", "a@b"}).error().code, Code::kInvalid);
  EXPECT_EQ(create({"public", ""}).error().code, Code::kInvalid);
  EXPECT_EQ(create({"nowhere", "t"}).error().code, Code::kNotFound);
  ASSERT_TRUE(create({"public", "../odd name/é"}));
  ASSERT_TRUE(append({"public", "../ODD name/É"}, "a"));
  EXPECT_FALSE(std::filesystem::exists(folder_ + "/lake/odd name"));
}

TEST_F(CatalogTest, TablesTradeNamesInOneCommit) {
  ASSERT_TRUE(create({"public", "a"}));
  ASSERT_TRUE(create({"public", "b"}));
  ASSERT_TRUE(append({"public", "a"}, "was_a"));
  auto a = change_of(catalog(), {"public", "a"}).value();
  auto b = change_of(catalog(), {"public", "b"}).value();
  a.rename_to = b.name;
  b.rename_to = a.name;
  CommitRequest request;
  request.tables = {a, b};
  ASSERT_TRUE(catalog().commit(request));
  reopen();
  EXPECT_EQ(live({"public", "b"}), Names{"was_a"});
  EXPECT_EQ(live({"public", "a"}), Names{});
}

TEST_F(CatalogTest, SchemasAreMadeChangedAndDropped) {
  using Kind = engine::SchemaChange::Kind;
  CommitRequest request;
  request.schemas.push_back({Kind::kCreate, "Mart.Daily", {{"comment", "x"}}});
  request.tables.push_back(creation(env_, {"Mart.Daily", "t"}));
  ASSERT_TRUE(catalog().commit(request));
  EXPECT_EQ(catalog().commit(request_for({Kind::kCreate, "mart.DAILY", {}})).error().code, Code::kConflict);
  EXPECT_EQ(catalog().commit(request_for({Kind::kCreate, "mart..x", {}})).error().code, Code::kInvalid);
  ASSERT_TRUE(catalog().commit(request_for({Kind::kUpdate, "Mart.Daily", {{"comment", "y"}}})));
  EXPECT_EQ(catalog().commit(request_for({Kind::kDrop, "Mart.Daily", {}})).error().code, Code::kConflict);
  reopen();
  EXPECT_EQ(catalog().head().value()->schemas.at("mart.daily")->properties.at("comment"), "y");
  auto drop = change_of(catalog(), {"Mart.Daily", "t"}).value();
  drop.kind = TableChange::Kind::kDrop;
  CommitRequest both = request_for(drop);
  both.schemas.push_back({Kind::kDrop, "Mart.Daily", {}});
  ASSERT_TRUE(catalog().commit(both));
  reopen();
  EXPECT_FALSE(catalog().head().value()->schemas.contains("mart.daily"));
}

TEST_F(CatalogTest, ViewsHaveHistoryAndAFile) {
  using Kind = engine::ViewChange::Kind;
  engine::LakeView view{
      {"public", "Daily"}, new_uuid(*env_.random), "SELECT 1 AS a", {{"a", "INTEGER", "one"}}, "c"};
  auto first = catalog().commit(request_for({Kind::kCreate, view, {}}));
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_EQ(create({"public", "DAILY"}).error().code, Code::kConflict);
  view.sql = "SELECT 2 AS a";
  ASSERT_TRUE(catalog().commit(request_for({Kind::kReplace, view, TableName{"public", "Weekly"}})));
  reopen();
  auto head = catalog().head().value();
  const auto& now = head->schemas.at("public")->views.at("weekly");
  EXPECT_EQ(now->sql, "SELECT 2 AS a");
  EXPECT_EQ(now->columns.at(0).type, "INTEGER");
  EXPECT_EQ(now->columns.at(0).comment, "one");
  EXPECT_EQ(catalog().at_version(first->lake_version).value()->schemas.at("public")->views.at("daily")->sql,
            "SELECT 1 AS a");
  int files = 0;
  for (const auto& each : std::filesystem::recursive_directory_iterator(folder_ + "/lake/public")) {
    files += each.path().string().ends_with(".metadata.json") ? 1 : 0;
  }
  EXPECT_EQ(files, 2);
  view.name = {"public", "Weekly"};
  ASSERT_TRUE(catalog().commit(request_for({Kind::kDrop, view, {}})));
  EXPECT_TRUE(catalog().head().value()->schemas.at("public")->views.empty());
}

TEST_F(CatalogTest, ViewDocumentHasIcebergTypes) {
  engine::LakeView view{{"a.b", "v"}, "u", "SELECT 1", {}, ""};
  view.columns = {{"l", "STRUCT(x INTEGER, \"y z\" DECIMAL(9,2))[]", ""},
                  {"m", "MAP(VARCHAR, TIMESTAMP WITH TIME ZONE)", ""},
                  {"u", "UBIGINT", ""},
                  {"q", "STRUCT(\"a \"\"b\"\", c\" DOUBLE)", ""}};
  auto document = nlohmann::json::parse(view_metadata_json(view, {"file:///x", 3, 5}), nullptr, false);
  const auto& fields = document["schemas"][0]["fields"];
  EXPECT_EQ(fields[0]["type"]["element"]["fields"][1]["name"], "y z");
  EXPECT_EQ(fields[0]["type"]["element"]["fields"][1]["type"], "decimal(9,2)");
  EXPECT_EQ(fields[1]["type"]["value"], "timestamptz");
  EXPECT_EQ(fields[2]["type"], "decimal(38,0)");
  EXPECT_EQ(fields[3]["type"]["fields"][0]["name"], "a \"b\", c");
  EXPECT_EQ(fields[3]["type"]["fields"][0]["type"], "double");
  EXPECT_EQ(document["versions"][0]["default-namespace"], (nlohmann::json{"a", "b"}));
}

TEST_F(CatalogTest, PinnedVersionDoesNotMove) {
  ASSERT_TRUE(create(kOrders));
  ASSERT_TRUE(append(kOrders, "a"));
  auto pinned = catalog().head().value();
  ASSERT_TRUE(append(kOrders, "b"));
  EXPECT_EQ(live(catalog(), *pinned, kOrders).value(), Names{"a"});
}

// Goal: no append of two threads is lost. Method: 50 appends each, every one against the head it has read.
TEST_F(CatalogTest, TwoThreadsAppend) {
  ASSERT_TRUE(create(kOrders));
  std::vector<std::thread> threads;
  for (int t = 0; t < 2; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 50; ++i) {
        auto done = append(kOrders, fmt::format("{}_{}", t, i));
        EXPECT_TRUE(done) << done.error().message;
      }
    });
  }
  for (auto& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(live(kOrders).size(), 100U);
  reopen();
  EXPECT_EQ(live(kOrders).size(), 100U);
  EXPECT_EQ(catalog().head().value()->number, 102);
}

// Goal: the document stays small and all history readable. Method: 400 appends, a minute from one to the
// next.
TEST_F(CatalogTest, SnapshotsAreThinnedButNotHistory) {
  ASSERT_TRUE(create(kOrders));
  for (int i = 0; i < 200; ++i) {
    clock_.time += std::chrono::minutes(5);
    ASSERT_TRUE(append(kOrders, std::to_string(i)));
  }
  auto metadata = find(*catalog().head().value(), kOrders).value()->metadata().value();
  EXPECT_LE(metadata->snapshots.size(), 150U);
  EXPECT_GE(metadata->snapshots.size(), 50U);
  for (const auto& entry : metadata->snapshot_log) {
    EXPECT_NE(metadata->snapshot(entry.snapshot_id), nullptr);
  }
  EXPECT_EQ(metadata->snapshot_log.back().snapshot_id, metadata->current_snapshot_id);
  EXPECT_EQ(live(kOrders).size(), 200U);
  reopen();
  for (int64_t number : {int64_t{3}, int64_t{102}, int64_t{202}}) {
    auto version = catalog().at_version(number).value();
    EXPECT_EQ(live(catalog(), *version, kOrders).value().size(), static_cast<size_t>(number - 2));
  }
}

class CatalogTimes : public CatalogFixture {
 protected:
  void SetUp() override { make_folder(testing::TempDir()); }  // on a disk
};

// Prints what a one-row commit costs in the catalog; asserts nothing about time.
TEST_F(CatalogTimes, OneRowCommits) {
  reopen();
  ASSERT_TRUE(create(kOrders));
  std::vector<double> ms;
  for (int i = 0; i < 160; ++i) {
    CommitRequest request;
    auto change = change_of(catalog(), kOrders).value();
    change.added.push_back(new_file(env_, catalog(), change, std::to_string(i)).value());
    request.tables.push_back(std::move(change));
    auto begin = real_env().clock->steady();
    ASSERT_TRUE(catalog().commit(std::move(request)));
    ms.push_back(static_cast<double>((real_env().clock->steady() - begin).count()) / 1000);
  }
  std::sort(ms.begin(), ms.end());
  size_t n = ms.size();
  std::printf("one-row commit in the catalog: p50 %.2f ms, p95 %.2f ms, max %.2f ms\n", ms[n / 2],
              ms[n * 95 / 100], ms[n - 1]);
}

}  // namespace
}  // namespace tarn::catalog
