// Goal: metadata documents survive reading and writing, and wrong ones are refused with the member's name.
// Method: documents in the form of Java's writer, changed one member at a time.
#include "iceberg/metadata.h"

#include <gtest/gtest.h>

#include "iceberg/json.h"
#include "iceberg/metadata_update.h"

namespace tarn::iceberg {
namespace {

constexpr const char* kDocument = R"({
  "format-version": 2, "table-uuid": "9c12d441-03fe-4693-9a96-a0705ddf69c1", "location": "file:///lake/t/",
  "last-sequence-number": 34, "last-updated-ms": 1602638573590, "last-column-id": 3,
  "current-schema-id": 1,
  "schemas": [
    {"type": "struct", "schema-id": 0, "fields": [{"id": 1, "name": "x", "required": true, "type": "long"}]},
    {"type": "struct", "schema-id": 1, "identifier-field-ids": [1], "fields": [
      {"id": 1, "name": "x", "required": true, "type": "long"},
      {"id": 2, "name": "y", "required": true, "type": "long", "doc": "comment"},
      {"id": 3, "name": "z", "required": false, "type": "timestamptz"}]}],
  "default-spec-id": 0,
  "partition-specs": [{"spec-id": 0, "fields": [
    {"name": "x", "transform": "identity", "source-id": 1, "field-id": 1000}]}],
  "last-partition-id": 1000, "default-sort-order-id": 3,
  "sort-orders": [{"order-id": 3, "fields": [
    {"transform": "identity", "source-id": 2, "direction": "asc", "null-order": "nulls-first"},
    {"transform": "bucket[4]", "source-id": 3, "direction": "desc", "null-order": "nulls-last"}]}],
  "properties": {"read.split.target.size": "134217728"},
  "current-snapshot-id": 3055729675574597004,
  "snapshots": [
    {"snapshot-id": 3051729675574597004, "timestamp-ms": 1515100955770, "sequence-number": 0,
     "summary": {"operation": "append"}, "manifest-list": "file:///a/b/1.avro"},
    {"snapshot-id": 3055729675574597004, "parent-snapshot-id": 3051729675574597004,
     "timestamp-ms": 1555100955770, "sequence-number": 1, "summary": {"operation": "append"},
     "manifest-list": "file:///a/b/2.avro",
     "schema-id": 1,
     "key-id": "k1"}],
  "snapshot-log": [{"snapshot-id": 3051729675574597004, "timestamp-ms": 1515100955770},
                   {"snapshot-id": 3055729675574597004, "timestamp-ms": 1555100955770}],
  "metadata-log": [{"timestamp-ms": 1515100955770, "metadata-file": "file:///m/1.metadata.json"}],
  "refs": {"main": {"snapshot-id": 3055729675574597004, "type": "branch"},
           "t1": {"snapshot-id": 3051729675574597004, "type": "tag", "max-ref-age-ms": 10000000}},
  "statistics": [{"snapshot-id": 3055729675574597004, "statistics-path": "s.puffin"}],
  "something-new": {"a": [1, 2]}
})";

TableMetadata parse_ok(std::string_view json) {
  auto metadata = parse_table_metadata(json);
  EXPECT_TRUE(metadata) << (metadata ? "" : metadata.error().message);
  return metadata ? *metadata : TableMetadata{};
}

// The document with one top-level member replaced (or removed, when `value` is empty).
std::string with_member(const char* name, const char* value) {
  auto json = Json::parse(kDocument);
  if (*value == '\0') {
    json.erase(name);
  } else {
    json[name] = Json::parse(value);
  }
  return json.dump();
}

std::string error_of(const std::string& document) {
  auto metadata = parse_table_metadata(document);
  EXPECT_FALSE(metadata);
  return metadata ? "" : metadata.error().message;
}

TEST(MetadataTest, EverythingIsRead) {  // checklist D.22
  auto metadata = parse_ok(kDocument);
  EXPECT_EQ(metadata.location, "file:///lake/t");
  EXPECT_EQ(metadata.schema().fields.size(), 3U);
  EXPECT_EQ(metadata.spec().fields.at(0).name, "x");
  EXPECT_EQ(metadata.current_snapshot()->snapshot_id, 3055729675574597004);
  EXPECT_EQ(metadata.refs.at("t1").max_ref_age_ms, 10000000);
  EXPECT_EQ(metadata.sort_orders.at(0).fields.at(1).transform.parameter, 4);
  EXPECT_EQ(metadata.snapshots.at(1).summary_value("operation"), "append");
}

TEST(MetadataTest, WritingKeepsEverythingAndIsStable) {  // checklist D.22
  auto once = to_json(parse_ok(kDocument));
  EXPECT_EQ(to_json(parse_ok(once)), once);
  auto before = Json::parse(kDocument);
  auto after = Json::parse(once);
  before["location"] = "file:///lake/t";
  before["partition-statistics"] = Json::array();
  EXPECT_EQ(before, after);
}

TEST(MetadataTest, VersionOneIsReadAndWrittenAsTwo) {
  auto metadata = parse_ok(R"({"format-version": 1, "table-uuid": "d20125c8-7284-442c-9aea-15fee620737c",
    "location": "s3://bucket/test/location", "last-updated-ms": 1602638573874, "last-column-id": 3,
    "schema": {"type": "struct", "fields": [{"id": 1, "name": "x", "required": true, "type": "long"},
      {"id": 2, "name": "y", "required": true, "type": "long"},
      {"id": 3, "name": "z", "required": true, "type": "long"}]},
    "partition-spec": [{"name": "x", "transform": "identity", "source-id": 1, "field-id": 1000}],
    "properties": {}, "current-snapshot-id": -1, "snapshots": []})");
  EXPECT_FALSE(metadata.current_snapshot_id);
  EXPECT_EQ(metadata.last_partition_id, 1000);
  EXPECT_EQ(metadata.sort_orders.size(), 1U);
  auto again = parse_ok(to_json(metadata));
  EXPECT_EQ(again.format_version, 1);
  EXPECT_TRUE(same_definition(metadata, again));
}

TEST(MetadataTest, MistakesNameTheMember) {
  EXPECT_EQ(error_of(with_member("location", "")), "table metadata: the member 'location' is missing");
  EXPECT_EQ(error_of(with_member("last-column-id", "\"3\"")),
            "table metadata: the member 'last-column-id' is not a whole number of 64 bits");
  EXPECT_EQ(error_of(with_member("last-column-id", "2")),
            "table metadata: 'last-column-id' is 2, but schema 1 has the field id 3");
  EXPECT_EQ(error_of(with_member("current-schema-id", "9")),
            "table metadata: 'current-schema-id' is 9, which is not in 'schemas'");
  EXPECT_EQ(error_of(with_member("default-spec-id", "9")),
            "table metadata: 'default-spec-id' is 9, which is not in 'partition-specs'");
  EXPECT_EQ(error_of(with_member("current-snapshot-id", "9")),
            "table metadata: 'current-snapshot-id' is 9, which is not in 'snapshots'");
  EXPECT_EQ(error_of(with_member("snapshots", "[{\"snapshot-id\": 1}]")),
            "table metadata: snapshots[0]: the member 'timestamp-ms' is missing");
  EXPECT_EQ(error_of(with_member("snapshots", "[7]")),
            "table metadata: snapshots[0]: the member 'snapshot-id' is missing");
  EXPECT_EQ(error_of(with_member("properties", "{\"a\": 1}")),
            "table metadata: the member 'a' of 'properties' is not a string");
  EXPECT_EQ(error_of(with_member("last-sequence-number", "18446744073709551615")),
            "table metadata: the member 'last-sequence-number' is not a whole number of 64 bits");
  EXPECT_EQ(error_of(with_member("last-sequence-number", "9223372036854775807")),
            "table metadata: 'last-sequence-number' is 9223372036854775807, which is out of range");
  EXPECT_EQ(error_of(with_member("last-partition-id", "2147483647")),
            "table metadata: 'last-partition-id' is 2147483647, which is out of range");
  EXPECT_EQ(error_of("{\"a\":"), "table metadata: the text is not valid JSON (5 bytes)");
  EXPECT_EQ(error_of("[]"), "table metadata: the document is not a JSON object");
  EXPECT_EQ(parse_table_metadata(with_member("format-version", "3")).error().code, Code::kUnsupported);
  EXPECT_EQ(parse_table_metadata(std::string(1000000, '[')).error().code, Code::kCorrupt);
}

Field column(const char* name, const char* type) {
  return {.id = 0,
          .name = name,
          .required = false,
          .type = *parse_type(type),
          .doc = {},
          .initial_default = {},
          .write_default = {}};
}

TableMetadata small_table() {
  NewTable request;
  request.uuid = "u";
  request.location = "file:///t";
  request.fields = {column("id", "int"), column("at", "timestamptz"), column("name", "string")};
  Type list{.kind = TypeKind::kList, .fields = {column("element", "int")}};
  request.fields.push_back({.id = 0,
                            .name = "tags",
                            .required = false,
                            .type = list,
                            .doc = {},
                            .initial_default = {},
                            .write_default = {}});
  request.partitions = {{.column = "at", .transform = *parse_transform("day"), .name = {}}};
  auto metadata = new_table(request);
  EXPECT_TRUE(metadata) << (metadata ? "" : metadata.error().message);
  return *metadata;
}

TEST(MetadataUpdateTest, NewTableGivesIdsAndSurvives) {  // checklist D.1
  auto metadata = small_table();
  EXPECT_EQ(metadata.last_column_id, 5);
  EXPECT_EQ(metadata.schema().find("tags")->type.fields.at(0).id, 5);
  EXPECT_EQ(metadata.spec().fields.at(0).name, "at_day");
  EXPECT_EQ(metadata.spec().fields.at(0).field_id, 1000);
  EXPECT_EQ(metadata.last_partition_id, 1000);
  auto again = parse_ok(to_json(metadata));
  EXPECT_TRUE(same_definition(metadata, again));
}

TEST(MetadataUpdateTest, AlterationsKeepIds) {  // checklist D.1
  auto base = small_table();
  auto schema = base.schema();
  int last = base.last_column_id;
  ASSERT_TRUE(add_field(schema, {}, column("extra", "double"), last));
  ASSERT_TRUE(rename_field(schema, {"name"}, "label"));
  ASSERT_TRUE(widen_field(schema, {"id"}, *parse_type("long")));
  ASSERT_TRUE(widen_field(schema, {"tags", "element"}, *parse_type("long")));
  EXPECT_FALSE(widen_field(schema, {"id"}, *parse_type("int")));
  EXPECT_EQ(rename_field(schema, {"label"}, "id").error().code, Code::kExists);
  EXPECT_EQ(drop_field(schema, {"nothing"}).error().code, Code::kNotFound);
  EXPECT_FALSE(drop_field(schema, {"tags", "element"}));
  auto next = with_schema(base, schema);
  ASSERT_TRUE(next) << next.error().message;
  EXPECT_EQ(next->current_schema_id, 1);
  EXPECT_EQ(next->last_column_id, 6);
  EXPECT_EQ(next->schema().find("label")->id, 3);
  EXPECT_EQ(next->schema().find("extra")->id, 6);
  EXPECT_EQ(with_schema(*next, base.schema()).error().code, Code::kInvalid);  // long back to int
  auto without_day = next->schema();
  ASSERT_TRUE(drop_field(without_day, {"at"}));
  EXPECT_FALSE(with_schema(*next, without_day));
}

TEST(MetadataUpdateTest, ReplacingByTheSameColumnsAddsNoSchema) {
  auto base = small_table();
  auto fields = base.schema().fields;
  auto same = with_replaced_schema(base, fields, {});
  ASSERT_TRUE(same);
  EXPECT_EQ(same->schemas.size(), 1U);
  EXPECT_TRUE(same->spec().is_unpartitioned());
  fields[0].type = *parse_type("string");
  auto other = with_replaced_schema(base, fields, {});
  ASSERT_TRUE(other);
  EXPECT_EQ(other->schema().find("id")->id, 6);
  EXPECT_EQ(other->schema().find("name")->id, 3);
  auto back = with_partitions(*other, {{.column = "at", .transform = *parse_transform("day"), .name = {}}});
  ASSERT_TRUE(back);
  EXPECT_EQ(back->default_spec_id, 0);
  EXPECT_TRUE(parse_table_metadata(to_json(*back)));
}

TEST(MetadataUpdateTest, DefinitionIsPutOnANewerHead) {
  auto base = small_table();
  auto changed = with_properties(base, {{"owner", "ann"}}, {});
  auto head = base;
  head.last_sequence_number = 5;
  auto next = with_definition_of(head, changed);
  EXPECT_EQ(next.last_sequence_number, 5);
  EXPECT_EQ(next.properties.at("owner"), "ann");
  finish_version(next, &head, "file:///t/metadata/1.json", head.last_updated_ms - 5);
  EXPECT_EQ(next.last_updated_ms, head.last_updated_ms);
  EXPECT_EQ(next.metadata_log.size(), 1U);
}

}  // namespace
}  // namespace tarn::iceberg
