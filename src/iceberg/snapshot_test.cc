// Goal: snapshots built one upon another list exactly the live files, with the numbers that readers need.
// Method: a table in a real folder; every commit is written, read back and scanned.
#include <gtest/gtest.h>

#include "iceberg/test_table.h"

namespace tarn::iceberg {
namespace {

using Names = std::vector<std::string>;

SnapshotChange adding(std::vector<DataFile> files) {
  SnapshotChange change;
  change.added = std::move(files);
  return change;
}

TEST(SnapshotTest, AppendsAddManifests) {  // checklist D.16
  TestTable table({test_column("id", "long")});
  ASSERT_TRUE(table.commit(adding({table.file("a"), table.file("b")})));
  ASSERT_TRUE(table.commit(adding({table.file("c")})));
  EXPECT_EQ(table.scan(), (Names{"a", "b", "c"}));
  EXPECT_EQ(table.manifests().size(), 2U);
  const auto& snapshot = *table.metadata.current_snapshot();
  EXPECT_EQ(snapshot.sequence_number, 2);
  EXPECT_EQ(snapshot.parent_snapshot_id, 1);
  EXPECT_EQ(snapshot.summary_value("operation"), "append");
  EXPECT_EQ(snapshot.summary_value("added-records"), "10");
  EXPECT_EQ(snapshot.summary_value("total-records"), "30");
  EXPECT_EQ(snapshot.summary_value("total-data-files"), "3");
  EXPECT_EQ(snapshot.summary_value("total-files-size"), "300");
  EXPECT_EQ(snapshot.summary_value("total-delete-files"), "0");
  EXPECT_EQ(table.metadata.snapshot_log.size(), 2U);
  EXPECT_EQ(table.metadata.refs.at("main").snapshot_id, 2);
  EXPECT_EQ(table.metadata.last_sequence_number, 2);
}

TEST(SnapshotTest, OverwriteRewritesOnlyWhatItTouches) {  // checklist D.13, D.21
  TestTable table({test_column("id", "long")});
  ASSERT_TRUE(table.commit(adding({table.file("a"), table.file("b")})));
  ASSERT_TRUE(table.commit(adding({table.file("c")})));
  auto before = table.manifests();
  auto change = adding({table.file("a2")});
  change.removed = {table.file("a").path};
  ASSERT_TRUE(table.commit(change));
  EXPECT_EQ(table.scan(), (Names{"a2", "b", "c"}));
  EXPECT_EQ(table.removed, Names{table.file("a").path});
  auto after = table.manifests();
  ASSERT_EQ(after.size(), 3U);
  EXPECT_EQ(after.at(1).path, before.at(0).path);  // the one with c is as it was
  auto rewritten = **table.cache().entries(after.at(2));
  ASSERT_EQ(rewritten.size(), 2U);
  EXPECT_EQ(rewritten.at(0).status, EntryStatus::kDeleted);
  EXPECT_EQ(rewritten.at(0).snapshot_id, 3);
  EXPECT_EQ(rewritten.at(0).sequence_number, 1);
  EXPECT_EQ(rewritten.at(1).status, EntryStatus::kExisting);
  EXPECT_EQ(rewritten.at(1).snapshot_id, 1);
  EXPECT_EQ(rewritten.at(1).sequence_number, 1);
  EXPECT_EQ(rewritten.at(1).file_sequence_number, 1);
  EXPECT_EQ(table.metadata.current_snapshot()->summary_value("operation"), "overwrite");
  EXPECT_EQ(table.metadata.current_snapshot()->summary_value("total-records"), "30");
  EXPECT_EQ(table.metadata.current_snapshot()->summary_value("deleted-data-files"), "1");
}

TEST(SnapshotTest, RemovingAllKeepsTheTrace) {
  TestTable table({test_column("id", "long")});
  ASSERT_TRUE(table.commit(adding({table.file("a"), table.file("b")})));
  SnapshotChange all;
  all.remove_all = true;
  ASSERT_TRUE(table.commit(all));
  EXPECT_EQ(table.scan(), Names{});
  EXPECT_EQ(table.metadata.current_snapshot()->summary_value("operation"), "delete");
  EXPECT_EQ(table.metadata.current_snapshot()->summary_value("total-data-files"), "0");
  ASSERT_EQ(table.manifests().size(), 1U);
  EXPECT_EQ(table.manifests().at(0).deleted_files, 2);
  ASSERT_TRUE(table.commit(adding({table.file("c")})));
  EXPECT_EQ(table.manifests().size(),
            1U);  // a manifest of deleted entries alone is dropped by the next commit
  EXPECT_EQ(table.scan(), Names{"c"});
}

TEST(SnapshotTest, RemovedTwiceIsAConflict) {  // checklist D.38
  TestTable table({test_column("id", "long")});
  ASSERT_TRUE(table.commit(adding({table.file("a")})));
  SnapshotChange change;
  change.removed = {table.file("a").path};
  ASSERT_TRUE(table.commit(change));
  auto again = table.commit(change);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Code::kConflict);
  EXPECT_EQ(table.commit(adding({table.file("x"), table.file("x")})).error().code, Code::kInvalid);
}

TEST(SnapshotTest, ManyAppendsAreMerged) {  // checklist D.16, D.40
  TestTable table({test_column("id", "long")});
  Names expected;
  for (int i = 1000; i < 1250; ++i) {
    expected.push_back(std::to_string(i));
    ASSERT_TRUE(table.commit(adding({table.file(expected.back())})));
    ASSERT_LE(table.manifests().size(), 100U);
  }
  EXPECT_EQ(table.scan(), expected);
  auto plan = plan_scan(table.metadata, 250, {}, table.cache());
  for (const auto& file : plan->files) {  // merging keeps each file's number
    auto name = file.file.path.substr(file.file.path.rfind('/') + 1);
    EXPECT_EQ(file.sequence_number, std::stoi(name) - 999) << name;
  }
  auto old = plan_scan(table.metadata, 100, {}, table.cache());
  EXPECT_EQ(old->files.size(), 100U);
  EXPECT_EQ(table.metadata.current_snapshot()->summary_value("total-data-files"), "250");
}

TEST(SnapshotTest, PropertiesSayHowManifestsAreMerged) {
  TestTable table({test_column("id", "long")});
  table.metadata.properties["commit.manifest.min-count-to-merge"] = "3";
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(table.commit(adding({table.file("few" + std::to_string(i))})));
    EXPECT_LE(table.manifests().size(), 2U);
  }
  table.metadata.properties["commit.manifest-merge.enabled"] = "false";
  const auto before = table.manifests().size();
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(table.commit(adding({table.file("many" + std::to_string(i))})));
  }
  EXPECT_EQ(table.manifests().size(), before + 5);
  table.metadata.properties.erase("commit.manifest-merge.enabled");
  table.metadata.properties["commit.manifest.target-size-bytes"] = "1";  // each is large enough
  ASSERT_TRUE(table.commit(adding({table.file("last")})));
  EXPECT_EQ(table.manifests().size(), before + 6);
}

TEST(SnapshotTest, SpecsHaveManifestsOfTheirOwn) {  // checklist D.6
  TestTable table({test_column("id", "long")},
                  {{.column = "id", .transform = *parse_transform("bucket[4]"), .name = {}}});
  ASSERT_TRUE(table.commit(adding({table.file("old", {int32_t{2}})})));
  auto changed = with_partitions(table.metadata, {});
  ASSERT_TRUE(changed);
  table.metadata = *changed;
  ASSERT_TRUE(table.commit(adding({table.file("new")})));
  EXPECT_EQ(table.scan(), (Names{"new", "old"}));
  SnapshotChange change;
  change.removed = {table.file("old").path};
  ASSERT_TRUE(table.commit(change));
  for (const auto& manifest : table.manifests()) {
    EXPECT_EQ(manifest.spec_id, manifest.deleted_files > 0 ? 0 : 1);
  }
}

TEST(SnapshotTest, DroppedPartitionColumnCanStillBeRewritten) {
  TestTable table({test_column("id", "int"), test_column("x", "string")},
                  {{.column = "id", .transform = *parse_transform("identity"), .name = {}}});
  ASSERT_TRUE(table.commit(adding({table.file("a", {int32_t{1}}), table.file("b", {int32_t{2}})})));
  table.metadata = *with_partitions(table.metadata, {});
  auto schema = table.metadata.schema();
  ASSERT_TRUE(widen_field(schema, {"id"}, *parse_type("long")));
  table.metadata = *with_schema(table.metadata, schema);
  ASSERT_TRUE(drop_field(schema, {"id"}));
  table.metadata = *with_schema(table.metadata, schema);
  SnapshotChange change;
  change.removed = {table.file("a").path};
  auto status = table.commit(change);
  ASSERT_TRUE(status) << status.error().message;
  auto entries = **table.cache().entries(table.manifests().at(0));
  EXPECT_EQ(compare(entries.at(1).file.partition.at(0), int64_t{2}), 0);
}

TEST(SnapshotTest, DeletesOfARemovedFileGoWithIt) {  // checklist D.31
  TestTable table({test_column("id", "long")});
  ASSERT_TRUE(table.commit(adding({table.file("a"), table.file("b")})));
  auto deletes = table.file("d");
  deletes.content = Content::kPositionDeletes;
  deletes.referenced_data_file = table.file("a").path;
  ASSERT_TRUE(table.commit(adding({deletes})));
  EXPECT_EQ(table.metadata.current_snapshot()->summary_value("operation"), "delete");
  EXPECT_EQ(table.metadata.current_snapshot()->summary_value("total-position-deletes"), "10");
  auto plan = plan_scan(table.metadata, 2, {}, table.cache());
  ASSERT_EQ(plan->files.size(), 2U);
  EXPECT_EQ(plan->files.at(0).deletes.size(), 1U);
  EXPECT_EQ(plan->files.at(1).deletes.size(), 0U);
  SnapshotChange change;
  change.removed = {table.file("a").path};
  ASSERT_TRUE(table.commit(change));
  EXPECT_EQ(table.metadata.current_snapshot()->summary_value("total-delete-files"), "0");
  EXPECT_EQ(table.removed.size(), 2U);
}

TEST(ManifestCacheTest, StaysWithinItsLimit) {
  TestTable table({test_column("id", "long")});
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(table.commit(adding({table.file(std::to_string(i))})));
  }
  ManifestCache small(real_file_system(), 4000);
  auto plan = plan_scan(table.metadata, 20, {}, small);
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->files.size(), 20U);
  EXPECT_LE(small.bytes(), 4000U);
  EXPECT_GT(small.bytes(), 0U);
  EXPECT_EQ(local_path("s3://b/x").error().code, Code::kUnsupported);
  EXPECT_EQ(*local_path("file:/x"), "/x");
}

}  // namespace
}  // namespace tarn::iceberg
