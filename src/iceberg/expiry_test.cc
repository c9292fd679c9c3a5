// Goal: what expires is what Iceberg's rules say and nothing else: never the current snapshot, what refs
// keep, nor anything of a table with gc.enabled=false. Method: documents made by hand, a snapshot a day.
#include "iceberg/expiry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tarn::iceberg {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr int64_t kDayMs = 86'400'000;
constexpr int64_t kNow = 1'000 * kDayMs;

// Snapshots 1 to `count`, a day apart, each the parent of the next; the newest is an hour old.
TableMetadata table_of(int count) {
  TableMetadata metadata;
  for (int id = 1; id <= count; ++id) {
    Snapshot snapshot{.snapshot_id = id};
    snapshot.timestamp_ms = kNow - (count - id) * kDayMs - 3'600'000;
    if (id > 1)
      snapshot.parent_snapshot_id = id - 1;
    metadata.snapshot_log.push_back({snapshot.timestamp_ms, id});
    metadata.snapshots.push_back(std::move(snapshot));
  }
  metadata.current_snapshot_id = count;
  metadata.refs["main"] = {.snapshot_id = count};
  return metadata;
}

Expired expired(const TableMetadata& metadata, std::optional<int64_t> days = 3) {
  const auto age_ms = days ? std::optional(*days * kDayMs) : std::nullopt;
  return find_expired(metadata, history_rules(metadata, age_ms), kNow);
}

std::vector<int64_t> ids(const TableMetadata& metadata) {
  std::vector<int64_t> all;
  for (const auto& snapshot : metadata.snapshots)
    all.push_back(snapshot.snapshot_id);
  return all;
}

TEST(ExpiryTest, OlderSnapshotsGoAndTheCurrentOneStays) {  // checklist D.39
  const auto table = table_of(6);
  EXPECT_THAT(expired(table).snapshots, ElementsAre(1, 2, 3));
  EXPECT_THAT(ids(without(table, expired(table))), ElementsAre(4, 5, 6));
  EXPECT_THAT(without(table, expired(table)).snapshot_log.front().snapshot_id, 4);
  EXPECT_THAT(find_expired(table, history_rules(table, kDayMs), kNow + 900 * kDayMs).snapshots,
              ElementsAre(1, 2, 3, 4, 5));
}

TEST(ExpiryTest, ForeverKeepsEverything) {
  EXPECT_TRUE(expired(table_of(6), std::nullopt).empty());
}

TEST(ExpiryTest, PropertiesOfTheTableWin) {  // checklist D.39
  auto table = table_of(6);
  table.properties["history.expire.max-snapshot-age-ms"] = std::to_string(kDayMs);
  EXPECT_THAT(expired(table).snapshots, ElementsAre(1, 2, 3, 4, 5));
  EXPECT_THAT(expired(table, std::nullopt).snapshots, ElementsAre(1, 2, 3, 4, 5));
  table.properties["history.expire.min-snapshots-to-keep"] = "4";
  EXPECT_THAT(expired(table).snapshots, ElementsAre(1, 2));
  table.properties["gc.enabled"] = "false";
  EXPECT_TRUE(expired(table).empty());
}

TEST(ExpiryTest, AWordThatIsNoNumberIsNoRule) {
  auto table = table_of(6);
  table.properties["history.expire.max-snapshot-age-ms"] = "soon";
  table.properties["history.expire.min-snapshots-to-keep"] = "-3";
  EXPECT_THAT(expired(table).snapshots, ElementsAre(1, 2, 3));
}

TEST(ExpiryTest, TagsAndBranchesKeepWhatTheyName) {
  auto table = table_of(6);
  table.refs["audit"] = {.snapshot_id = 2, .type = "tag"};
  EXPECT_THAT(expired(table).snapshots, ElementsAre(1, 3));
  table.refs["old"] = {.snapshot_id = 3, .type = "branch", .min_snapshots_to_keep = 3};
  EXPECT_TRUE(expired(table).snapshots.empty());
  EXPECT_TRUE(expired(table).refs.empty());
}

TEST(ExpiryTest, RefsThatAreOlderThanTheyMayBecomeGo) {
  auto table = table_of(6);
  table.refs["audit"] = {.snapshot_id = 2, .type = "tag", .max_ref_age_ms = 2 * kDayMs};
  table.refs["lost"] = {.snapshot_id = 77, .type = "tag"};
  table.refs["main"].max_ref_age_ms = 1;
  const auto gone = expired(table);
  EXPECT_THAT(gone.refs, ElementsAre("audit", "lost"));
  EXPECT_THAT(gone.snapshots, ElementsAre(1, 2, 3));
  EXPECT_THAT(without(table, gone).refs, testing::SizeIs(1));
}

TEST(ExpiryTest, SnapshotsOutsideOfBranchesGoByAge) {
  auto table = table_of(6);
  table.snapshots[4].parent_snapshot_id = std::nullopt;  // 5 has lost its parent: 1 to 4 hang in the air
  EXPECT_THAT(expired(table).snapshots, ElementsAre(1, 2, 3));
  table.snapshots[1].parent_snapshot_id = 4;  // a circle
  table.refs["main"].snapshot_id = 4;
  EXPECT_THAT(expired(table).snapshots, ElementsAre(1, 2, 3));
}

TEST(ExpiryTest, StatisticsGoWithTheirSnapshot) {  // checklist D.33, D.39
  auto table = table_of(3);
  table.other_json = R"({"statistics": [{"snapshot-id": 1, "statistics-path": "file:///a"}, )"
                     R"({"snapshot-id": 3, "statistics-path": "file:///b"}], "x": 1, )"
                     R"("partition-statistics": [{"snapshot-id": 1, "statistics-path": "file:///c"}]})";
  EXPECT_THAT(statistics_files(table), ElementsAre("file:///a", "file:///b", "file:///c"));
  const auto next = without(table, {.snapshots = {1}, .refs = {}});
  EXPECT_THAT(statistics_files(next), ElementsAre("file:///b"));
  EXPECT_EQ(next.other_json, R"({"statistics":[{"snapshot-id":3,"statistics-path":"file:///b"}],"x":1})");
  EXPECT_THAT(statistics_files(table_of(1)), IsEmpty());
}

}  // namespace
}  // namespace tarn::iceberg
