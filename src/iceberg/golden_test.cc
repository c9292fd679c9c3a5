// Goal: what Iceberg's Java library writes is read whole. Method: files of a table of version 1 and one of
// version 2, written by golden/WriteGolden.java and kept as they were.
#include <gtest/gtest.h>

#include "base/env/file_system.h"
#include "iceberg/manifest.h"
#include "iceberg/metadata.h"

namespace tarn::iceberg {
namespace {

std::string bytes_of(const std::string& name) {
  auto bytes = real_file_system().read(std::string(TARN_GOLDEN) + "/" + name);
  EXPECT_TRUE(bytes) << name;
  return bytes ? *bytes : std::string();
}

std::vector<ManifestFile> list_of(const std::string& name) {
  auto list = read_manifest_list(bytes_of(name));
  EXPECT_TRUE(list) << (list ? "" : list.error().message);
  return list ? *list : std::vector<ManifestFile>();
}

std::vector<ManifestEntry> entries_of(const std::string& name, const ManifestFile& line) {
  auto entries = read_manifest(bytes_of(name), line);
  EXPECT_TRUE(entries) << (entries ? "" : entries.error().message);
  return entries ? *entries : std::vector<ManifestEntry>();
}

void expect_data_file(const DataFile& file, int number) {
  EXPECT_EQ(file.path, "file:///data/f" + std::to_string(number) + ".parquet");
  EXPECT_EQ(file.format, "PARQUET");
  EXPECT_EQ(file.record_count, 10);
  EXPECT_EQ(file.file_size_bytes, 1000 + number);
  ASSERT_EQ(file.partition.size(), 4U);
  EXPECT_EQ(file.partition[0], Value(int32_t{19000 + number}));
  EXPECT_EQ(file.partition[1], Value(Decimal{-number}));
  EXPECT_EQ(file.partition[2], Value(int32_t{number}));
  std::string uuid(16, '\0');
  uuid[7] = uuid[15] = static_cast<char>(number);
  EXPECT_EQ(file.partition[3], number == 2 ? Value() : Value(uuid));
  EXPECT_EQ(file.split_offsets, (std::vector<int64_t>{4, 500}));
  EXPECT_EQ(file.sort_order_id, 0);
}

TEST(GoldenTest, VersionTwo) {
  auto metadata = parse_table_metadata(bytes_of("v2.metadata.json"));
  ASSERT_TRUE(metadata) << metadata.error().message;
  EXPECT_EQ(metadata->snapshots.size(), 5U);
  EXPECT_EQ(metadata->spec().fields.at(2).transform.parameter, 8);
  EXPECT_TRUE(parse_table_metadata(to_json(*metadata)));
  auto list = list_of("v2-list.avro");
  ASSERT_EQ(list.size(), 4U);
  const auto& second = list.at(1);
  EXPECT_EQ(second.added_files, 1);
  EXPECT_EQ(second.added_rows, 10);
  EXPECT_EQ(second.sequence_number, 2);
  EXPECT_EQ(second.partitions.at(0).lower_bound,
            to_bytes({.kind = TypeKind::kDate, .fields = {}}, int32_t{19001}));
  auto data = entries_of("v2-data.avro", second);
  ASSERT_EQ(data.size(), 1U);
  expect_data_file(data.at(0).file, 1);
  EXPECT_EQ(data.at(0).sequence_number, 2);
  EXPECT_EQ(data.at(0).file.column_sizes, (std::map<int, int64_t>{{1, 50}, {4, 60}}));
  EXPECT_EQ(data.at(0).file.null_value_counts, (std::map<int, int64_t>{{1, 0}, {4, 2}}));
  EXPECT_EQ(data.at(0).file.nan_value_counts, (std::map<int, int64_t>{{4, 1}}));
  EXPECT_EQ(data.at(0).file.upper_bounds.at(1),
            to_bytes({.kind = TypeKind::kLong, .fields = {}}, int64_t{19}));
}

TEST(GoldenTest, VersionTwoRemovedAndDeletes) {
  auto list = list_of("v2-list.avro");
  ASSERT_EQ(list.size(), 4U);
  EXPECT_EQ(list.at(2).deleted_files, 1);
  auto removed = entries_of("v2-removed.avro", list.at(2));
  ASSERT_EQ(removed.size(), 1U);
  EXPECT_EQ(removed.at(0).status, EntryStatus::kDeleted);
  EXPECT_EQ(removed.at(0).sequence_number, 1);
  EXPECT_TRUE(list.at(3).deletes);
  auto deletes = entries_of("v2-deletes.avro", list.at(3));
  ASSERT_EQ(deletes.size(), 1U);
  EXPECT_EQ(deletes.at(0).file.content, Content::kPositionDeletes);
  EXPECT_EQ(deletes.at(0).file.referenced_data_file, "file:///data/f1.parquet");
  EXPECT_EQ(deletes.at(0).sequence_number, 3);
}

TEST(GoldenTest, VersionOne) {
  auto metadata = parse_table_metadata(bytes_of("v1.metadata.json"));
  ASSERT_TRUE(metadata) << metadata.error().message;
  EXPECT_EQ(metadata->format_version, 1);
  auto list = list_of("v1-list.avro");
  ASSERT_EQ(list.size(), 3U);
  EXPECT_TRUE(has_counts(list.at(2)));
  auto removed = entries_of("v1-removed.avro", list.at(2));
  ASSERT_EQ(removed.size(), 1U);
  EXPECT_EQ(removed.at(0).status, EntryStatus::kDeleted);
  EXPECT_EQ(removed.at(0).sequence_number, 0);
  expect_data_file(removed.at(0).file, 0);
}

}  // namespace
}  // namespace tarn::iceberg
