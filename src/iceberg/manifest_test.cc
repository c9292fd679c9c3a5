// Goal: what is written into manifests and lists is read back whole, and damaged files give one clear error.
// Method: round trips of files that use every member, then cuts and flips at every byte.
#include "iceberg/manifest.h"

#include <gtest/gtest.h>

#include "iceberg/avro_file.h"
#include "iceberg/json.h"
#include "iceberg/test_table.h"

namespace tarn::iceberg {
namespace {

std::vector<PartitionRequest> every_partition() {
  std::vector<PartitionRequest> requests;
  for (const char* name :
       {"b", "i", "l", "f", "d", "dec", "date", "time", "ts", "tz", "s", "u", "fix", "bin"}) {
    requests.push_back({.column = name, .transform = *parse_transform("identity"), .name = {}});
  }
  requests.push_back({.column = "tz", .transform = *parse_transform("day"), .name = "day of é"});
  requests.push_back({.column = "s", .transform = *parse_transform("bucket[4]"), .name = {}});
  requests.push_back({.column = "dec2", .transform = *parse_transform("identity"), .name = {}});
  return requests;
}

TableMetadata every_type() {
  NewTable request;
  request.uuid = "u";
  request.location = "file:///t";
  for (const auto& [name, type] :
       std::initializer_list<std::pair<const char*, const char*>>{{"b", "boolean"},
                                                                  {"i", "int"},
                                                                  {"l", "long"},
                                                                  {"f", "float"},
                                                                  {"d", "double"},
                                                                  {"dec", "decimal(9,2)"},
                                                                  {"date", "date"},
                                                                  {"time", "time"},
                                                                  {"ts", "timestamp"},
                                                                  {"tz", "timestamptz"},
                                                                  {"s", "string"},
                                                                  {"u", "uuid"},
                                                                  {"fix", "fixed[3]"},
                                                                  {"bin", "binary"},
                                                                  {"dec2", "decimal(9,2)"}}) {
    request.fields.push_back(test_column(name, type));
  }
  request.partitions = every_partition();
  auto metadata = new_table(request);
  EXPECT_TRUE(metadata) << (metadata ? "" : metadata.error().message);
  return *metadata;
}

std::vector<Value> every_value() {
  return {true,
          int32_t{-5},
          int64_t{1} << 40,
          1.5F,
          -2.5,
          Decimal{-12345},
          int32_t{19000},
          int64_t{1},
          int64_t{2},
          int64_t{3},
          std::string("t\u00e9xt"),
          std::string("0123456789abcdef"),
          std::string("xyz"),
          std::string("\0\xFF", 2),
          int32_t{-1},
          int32_t{3},
          Decimal{7}};
}

DataFile full_file() {
  DataFile file;
  file.path = "file:///t/data/a.parquet";
  file.partition = every_value();
  file.record_count = 12;
  file.file_size_bytes = 3'000'000'000;
  file.column_sizes = {{1, 10}, {2, 20}};
  file.value_counts = {{1, 12}};
  file.null_value_counts = {{1, 0}};
  file.nan_value_counts = {{4, 1}};
  file.lower_bounds = {{1, std::string(1, '\0')}, {11, "abc"}};
  file.upper_bounds = {{1, std::string(1, '\1')}, {11, std::string("\xFF\0", 2)}};
  file.split_offsets = {4, 1000};
  file.sort_order_id = 0;
  file.referenced_data_file = "file:///t/data/b.parquet";
  return file;
}

void expect_same(const DataFile& a, const DataFile& b) {
  EXPECT_EQ(a.content, b.content);
  EXPECT_EQ(a.path, b.path);
  EXPECT_EQ(a.format, b.format);
  EXPECT_EQ(a.spec_id, b.spec_id);
  EXPECT_EQ(a.partition, b.partition);
  EXPECT_EQ(a.record_count, b.record_count);
  EXPECT_EQ(a.file_size_bytes, b.file_size_bytes);
  EXPECT_EQ(a.column_sizes, b.column_sizes);
  EXPECT_EQ(a.value_counts, b.value_counts);
  EXPECT_EQ(a.null_value_counts, b.null_value_counts);
  EXPECT_EQ(a.nan_value_counts, b.nan_value_counts);
  EXPECT_EQ(a.lower_bounds, b.lower_bounds);
  EXPECT_EQ(a.upper_bounds, b.upper_bounds);
  EXPECT_EQ(a.split_offsets, b.split_offsets);
  EXPECT_EQ(a.equality_ids, b.equality_ids);
  EXPECT_EQ(a.sort_order_id, b.sort_order_id);
  EXPECT_EQ(a.referenced_data_file, b.referenced_data_file);
}

ManifestEntry entry_of(EntryStatus status, DataFile file, std::optional<int64_t> sequence) {
  return {.status = status,
          .snapshot_id = 7,
          .sequence_number = sequence,
          .file_sequence_number = sequence,
          .file = std::move(file)};
}

const ManifestOptions kOptions{.path = "file:///t/metadata/m.avro",
                               .spec_id = 0,
                               .deletes = false,
                               .snapshot_id = 9,
                               .sequence_number = 5};

WrittenManifest written_manifest() {
  auto empty_partition = full_file();
  empty_partition.partition.assign(empty_partition.partition.size(), Value());
  empty_partition.path += "2";
  std::vector<ManifestEntry> entries = {entry_of(EntryStatus::kAdded, full_file(), std::nullopt),
                                        entry_of(EntryStatus::kExisting, empty_partition, 3),
                                        entry_of(EntryStatus::kDeleted, full_file(), 2)};
  entries[0].snapshot_id.reset();
  auto written = write_manifest(every_type(), kOptions, entries);
  EXPECT_TRUE(written) << (written ? "" : written.error().message);
  return *written;
}

TEST(ManifestTest, EveryMemberComesBack) {  // checklist D.13
  auto written = written_manifest();
  auto entries = read_manifest(written.bytes, written.file);
  ASSERT_TRUE(entries) << entries.error().message;
  ASSERT_EQ(entries->size(), 3U);
  expect_same(entries->at(0).file, full_file());
  expect_same(entries->at(2).file, full_file());
  EXPECT_TRUE(is_null(entries->at(1).file.partition.at(3)));
  EXPECT_EQ(entries->at(0).status, EntryStatus::kAdded);
  EXPECT_EQ(entries->at(0).sequence_number, 5);  // inherited
  EXPECT_EQ(entries->at(0).file_sequence_number, 5);
  EXPECT_EQ(entries->at(0).snapshot_id, 9);
  EXPECT_EQ(entries->at(1).sequence_number, 3);
  EXPECT_EQ(entries->at(1).snapshot_id, 7);
  EXPECT_EQ(written.file.added_files, 1);
  EXPECT_EQ(written.file.existing_rows, 12);
  EXPECT_EQ(written.file.deleted_files, 1);
  EXPECT_EQ(written.file.min_sequence_number, 3);  // deleted entries do not count
  EXPECT_TRUE(written.file.partitions.at(0).contains_null);
  EXPECT_EQ(written.file.partitions.at(10).lower_bound, "t\u00e9xt");
}

TEST(ManifestTest, HeaderSaysWhatReadersNeed) {  // checklist D.12
  auto written = written_manifest();
  auto header = read_avro(written.bytes, [](const AvroHeader& head, AvroDecoder& in) {
    in.skip(head.schema.root);
    return ok();
  });
  ASSERT_TRUE(header) << header.error().message;
  EXPECT_EQ(header->metadata.at("schema"), to_json(every_type().schema()));
  EXPECT_EQ(header->metadata.at("schema-id"), "0");
  EXPECT_EQ(header->metadata.at("partition-spec-id"), "0");
  EXPECT_EQ(header->metadata.at("content"), "data");
  EXPECT_EQ(header->metadata.at("format-version"), "2");
  EXPECT_TRUE(Json::parse(header->metadata.at("partition-spec")).is_array());
  auto schema = Json::parse(header->metadata.at("avro.schema"));
  EXPECT_EQ(schema["name"], "manifest_entry");
  EXPECT_EQ(schema["fields"][4]["type"]["name"], "r2");
  EXPECT_EQ(schema["fields"][4]["type"]["fields"][3]["type"]["name"], "r102");
}

TEST(ManifestTest, ListComesBack) {  // checklist D.15
  Snapshot snapshot;
  snapshot.snapshot_id = 9;
  snapshot.sequence_number = 5;
  snapshot.manifest_list = "file:///t/metadata/snap.avro";
  auto line = written_manifest().file;
  auto other = line;
  other.path = "file:///t/metadata/n.avro";
  other.deletes = true;
  other.partitions.clear();
  auto bytes = write_manifest_list(snapshot, std::vector<ManifestFile>{line, other});
  ASSERT_TRUE(bytes);
  auto list = read_manifest_list(*bytes);
  ASSERT_TRUE(list) << list.error().message;
  ASSERT_EQ(list->size(), 2U);
  EXPECT_EQ(list->at(0).path, line.path);
  EXPECT_EQ(list->at(0).length_bytes, line.length_bytes);
  EXPECT_EQ(list->at(0).min_sequence_number, 3);
  EXPECT_EQ(list->at(0).partitions.size(), 17U);
  EXPECT_EQ(list->at(0).partitions.at(10).upper_bound, "t\u00e9xt");
  EXPECT_EQ(list->at(0).partitions.at(3).contains_nan, false);
  EXPECT_TRUE(list->at(1).deletes);
  EXPECT_TRUE(has_counts(list->at(1)));
}

TEST(ManifestTest, ManyEntriesMakeManyBlocks) {
  std::vector<ManifestEntry> entries;
  for (int i = 0; i < 5000; ++i) {
    auto file = full_file();
    file.path += std::to_string(i);
    entries.push_back(entry_of(EntryStatus::kAdded, std::move(file), std::nullopt));
  }
  auto written = write_manifest(every_type(), kOptions, entries);
  ASSERT_TRUE(written);
  auto read = read_manifest(written->bytes, written->file);
  ASSERT_TRUE(read) << read.error().message;
  ASSERT_EQ(read->size(), 5000U);
  EXPECT_EQ(read->at(4999).file.path, "file:///t/data/a.parquet4999");
}

TEST(ManifestTest, DamageIsFoundOrHarmless) {
  auto written = written_manifest();
  for (size_t at = 0; at < written.bytes.size(); ++at) {
    auto cut = read_manifest(std::string_view(written.bytes).substr(0, at), written.file);
    if (at < written.bytes.size() - 1 && cut) {
      EXPECT_TRUE(cut->empty()) << at;  // the header alone is a file without blocks
    }
    auto flipped = written.bytes;
    flipped[at] = static_cast<char>(flipped[at] ^ 0x55);
    auto read = read_manifest(flipped, written.file);
    if (!read) {
      EXPECT_TRUE(read.error().code == Code::kCorrupt || read.error().code == Code::kUnsupported);
      EXPECT_TRUE(read.error().message.starts_with("manifest file:///t/metadata/m.avro: "))
          << read.error().message;
    }
  }
}

TEST(ManifestTest, WrongPartitionIsRefused) {
  auto file = full_file();
  file.partition.pop_back();
  auto short_one =
      write_manifest(every_type(), kOptions, std::vector{entry_of(EntryStatus::kAdded, file, {})});
  EXPECT_FALSE(short_one);
  file = full_file();
  file.partition[0] = std::string("yes");
  EXPECT_FALSE(write_manifest(every_type(), kOptions, std::vector{entry_of(EntryStatus::kAdded, file, {})}));
}

TEST(AvroTest, NumbersGoBothWays) {
  AvroEncoder out;
  std::vector<int64_t> numbers = {0, -1, 1, 63, 64, -64, -65, INT32_MAX, INT64_MAX, INT64_MIN};
  for (auto number : numbers) {
    out.write_long(number);
  }
  AvroSchema schema;
  AvroDecoder in(schema, out.buffer());
  for (auto number : numbers) {
    EXPECT_EQ(in.read_long(), number);
  }
  EXPECT_TRUE(in.status());
  in.read_long();
  EXPECT_EQ(in.status().error().message, "the data ends too early");
}

TEST(AvroTest, HostileSchemasEndSoon) {
  // Each record holds the one before twice: 2^60 fields that take no bytes.
  std::string json = R"({"type":"record","name":"a0","fields":[]})";
  for (int i = 1; i < 30; ++i) {
    json = R"({"type":"record","name":"a)" + std::to_string(i) + R"(","fields":[{"name":"x","type":)" + json +
           R"(},{"name":"y","type":"a)" + std::to_string(i - 1) + R"("}]})";
  }
  auto schema = parse_avro_schema(json);
  ASSERT_TRUE(schema) << schema.error().message;
  AvroDecoder in(*schema, "abc");
  in.skip(schema->root);
  EXPECT_FALSE(in.status());
  EXPECT_FALSE(parse_avro_schema(R"({"type":"record","name":"a","fields":[{"name":"x","type":"b"}]})"));
  EXPECT_FALSE(parse_avro_schema("7"));
}

}  // namespace
}  // namespace tarn::iceberg
