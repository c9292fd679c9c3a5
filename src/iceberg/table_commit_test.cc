// Goal: requirements and updates do what the REST specification says, and nothing else gets through.
// Method: commits as JSON, as clients send them, applied to a table in memory.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "iceberg/metadata_update.h"
#include "iceberg/table_commit_json.h"

namespace tarn::iceberg {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr int64_t kNow = 1'700'000'000'000;

TableMetadata a_table() {
  NewTable wanted;
  wanted.uuid = "0ee91f8c-5a1b-4d6a-9f3c-6f0f5d3a2b11";
  wanted.location = "file:///lake/t";
  wanted.now_ms = kNow;
  for (const char* name : {"id", "name"}) {
    Field field;
    field.name = name;
    field.type = *parse_type(std::string(name) == "id" ? "long" : "string");
    wanted.fields.push_back(field);
  }
  return new_table(wanted).value();
}

TableCommit commit_of(const std::string& requirements, const std::string& updates) {
  auto json = parse_json("{\"requirements\":[" + requirements + "],\"updates\":[" + updates + "]}");
  EXPECT_TRUE(json);
  auto commit = table_commit_from(*json);
  EXPECT_TRUE(commit) << commit.error().message;
  return commit.value_or(TableCommit());
}

Result<TableMetadata> applied(const TableMetadata* base, const std::string& updates) {
  TARN_TRY(auto next, apply_updates(base, commit_of("", updates).updates, kNow));
  return next ? std::move(*next) : Result<TableMetadata>(Error{Code::kNotFound, "nothing changes"});
}

std::string refusal(const TableMetadata& base, const std::string& updates) {
  auto next = applied(&base, updates);
  return next ? "" : std::string(name_of(next.error().code)) + ": " + next.error().message;
}

std::string parse_refusal(const std::string& text) {
  auto json = parse_json(text);
  auto commit = table_commit_from(*json);
  return commit ? "" : std::string(name_of(commit.error().code)) + ": " + commit.error().message;
}

std::string snapshot(int64_t id, int64_t sequence, const std::string& more = "") {
  return R"({"action":"add-snapshot","snapshot":{"snapshot-id":)" + std::to_string(id) +
         R"(,"sequence-number":)" + std::to_string(sequence) + R"(,"timestamp-ms":)" +
         std::to_string(kNow + id) + R"(,"manifest-list":"file:///lake/t/metadata/)" + std::to_string(id) +
         R"(.avro","summary":{"operation":"append"},"schema-id":0)" + more + "}}";
}

std::string set_main(int64_t id) {
  return R"({"action":"set-snapshot-ref","ref-name":"main","type":"branch","snapshot-id":)" +
         std::to_string(id) + "}";
}

TableMetadata with_snapshots() {
  auto table = a_table();
  auto next = applied(&table, snapshot(1, 1) + "," + set_main(1));
  EXPECT_TRUE(next) << next.error().message;
  auto then = applied(&*next, snapshot(2, 2, R"(,"parent-snapshot-id":1)") + "," + set_main(2));
  EXPECT_TRUE(then) << then.error().message;
  return *then;
}

TEST(TableRequirementTest, EachIsChecked) {  // checklist D.37
  const auto table = with_snapshots();
  struct Case {
    const char* holds;
    const char* fails;
    const char* says;
  };
  const Case cases[] = {
      {R"({"type":"assert-table-uuid","uuid":"0EE91f8c-5a1b-4d6a-9f3c-6f0f5d3a2b11"})",
       R"({"type":"assert-table-uuid","uuid":"1ee91f8c-5a1b-4d6a-9f3c-6f0f5d3a2b11"})",
       "UUID does not match"},
      {R"({"type":"assert-ref-snapshot-id","ref":"main","snapshot-id":2})",
       R"({"type":"assert-ref-snapshot-id","ref":"main","snapshot-id":1})", "branch main has changed"},
      {R"({"type":"assert-ref-snapshot-id","ref":"x","snapshot-id":null})",
       R"({"type":"assert-ref-snapshot-id","ref":"main"})", "branch main was created concurrently"},
      {R"({"type":"assert-ref-snapshot-id","ref":"x"})",
       R"({"type":"assert-ref-snapshot-id","ref":"x","snapshot-id":1})", "branch or tag x is missing"},
      {R"({"type":"assert-last-assigned-field-id","last-assigned-field-id":2})",
       R"({"type":"assert-last-assigned-field-id","last-assigned-field-id":3})",
       "last assigned field id changed"},
      {R"({"type":"assert-current-schema-id","current-schema-id":0})",
       R"({"type":"assert-current-schema-id","current-schema-id":1})", "current schema changed"},
      {R"({"type":"assert-last-assigned-partition-id","last-assigned-partition-id":999})",
       R"({"type":"assert-last-assigned-partition-id","last-assigned-partition-id":1000})",
       "last assigned partition id changed"},
      {R"({"type":"assert-default-spec-id","default-spec-id":0})",
       R"({"type":"assert-default-spec-id","default-spec-id":1})", "default partition spec changed"},
      {R"({"type":"assert-default-sort-order-id","default-sort-order-id":0})",
       R"({"type":"assert-default-sort-order-id","default-sort-order-id":1})", "default sort order changed"},
  };
  for (const auto& one : cases) {
    EXPECT_TRUE(check_requirements(commit_of(one.holds, "").requirements, &table)) << one.holds;
    auto failed = check_requirements(commit_of(one.fails, "").requirements, &table);
    ASSERT_FALSE(failed) << one.fails;
    EXPECT_EQ(failed.error().code, Code::kConflict);
    EXPECT_THAT(failed.error().message, StartsWith("Requirement failed: "));
    EXPECT_THAT(failed.error().message, HasSubstr(one.says));
  }
  const auto create = commit_of(R"({"type":"assert-create"})", "");
  EXPECT_TRUE(create.creates());
  EXPECT_TRUE(check_requirements(create.requirements, nullptr));
  EXPECT_FALSE(check_requirements(create.requirements, &table));
  EXPECT_EQ(check_requirements(commit_of(cases[0].holds, "").requirements, nullptr).error().code,
            Code::kInvalid);
}

TEST(TableUpdateTest, WhatIsNotKnownIsRefused) {
  EXPECT_THAT(parse_refusal(R"({"updates":[{"action":"make-tea"}]})"), HasSubstr("'make-tea' is not known"));
  EXPECT_THAT(parse_refusal(R"({"requirements":[{"type":"assert-tea"}]})"), StartsWith("invalid: "));
  EXPECT_THAT(parse_refusal(R"({"updates":[{"action":"add-encryption-key"}]})"), StartsWith("unsupported: "));
  EXPECT_THAT(parse_refusal(R"({"updates":[{"action":"set-current-schema"}]})"),
              HasSubstr("updates[0]: the member 'schema-id' is missing"));
  EXPECT_THAT(parse_refusal(R"({"updates":{}})"), StartsWith("invalid: "));
  EXPECT_THAT(parse_refusal(R"({"updates":[{"action":"remove-snapshots","snapshot-ids":[1.5]}]})"),
              StartsWith("invalid: "));
}

TEST(TableUpdateTest, SnapshotsMoveMainAndTheLog) {  // checklist D.20, D.22
  const auto table = with_snapshots();
  EXPECT_EQ(table.current_snapshot_id, 2);
  EXPECT_EQ(table.last_sequence_number, 2);
  ASSERT_EQ(table.snapshot_log.size(), 2U);
  EXPECT_EQ(table.snapshot_log[1].timestamp_ms, kNow + 2);
  // Two snapshots in one commit: the first was current for nobody.
  auto base = a_table();
  auto two = applied(&base, snapshot(1, 1) + "," + set_main(1) + "," +
                                snapshot(2, 2, R"(,"parent-snapshot-id":1)") + "," + set_main(2));
  ASSERT_TRUE(two) << two.error().message;
  EXPECT_EQ(two->snapshots.size(), 2U);
  ASSERT_EQ(two->snapshot_log.size(), 1U);
  EXPECT_EQ(two->snapshot_log[0].snapshot_id, 2);
  // Going back is a change of now.
  auto back = applied(&table, set_main(1));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->current_snapshot_id, 1);
  EXPECT_EQ(back->snapshot_log.back().timestamp_ms, kNow);
  auto none = applied(&table, R"({"action":"remove-snapshot-ref","ref-name":"main"})");
  ASSERT_TRUE(none);
  EXPECT_FALSE(none->current_snapshot_id);
  EXPECT_TRUE(parse_table_metadata(to_json(*none)));
}

TEST(TableUpdateTest, SnapshotsAreChecked) {  // checklist D.20
  const auto table = with_snapshots();
  EXPECT_THAT(refusal(table, snapshot(1, 3)), HasSubstr("Snapshot already exists"));
  EXPECT_THAT(refusal(table, snapshot(3, 2, R"(,"parent-snapshot-id":2)")),
              StartsWith("conflict: Validation"));
  EXPECT_EQ(refusal(table, snapshot(3, 3, R"(,"parent-snapshot-id":2)")), "");
  EXPECT_THAT(refusal(table, set_main(7)), HasSubstr("unknown snapshot: 7"));
  EXPECT_THAT(
      refusal(table, R"({"action":"set-snapshot-ref","ref-name":"main","type":"tag","snapshot-id":1})"),
      HasSubstr("must be a branch"));
  EXPECT_THAT(refusal(table, R"({"action":"add-snapshot","snapshot":{"snapshot-id":9,"sequence-number":9,
    "timestamp-ms":1,"manifests":[],"summary":{"operation":"append"}}})"),
              HasSubstr("manifest-list"));
}

TEST(TableUpdateTest, RemovingSnapshotsLeavesNoGap) {
  const auto table = with_snapshots();
  auto next = applied(&table, R"({"action":"remove-snapshots","snapshot-ids":[1]})");
  ASSERT_TRUE(next);
  EXPECT_EQ(next->snapshots.size(), 1U);
  ASSERT_EQ(next->snapshot_log.size(), 1U);
  EXPECT_EQ(next->snapshot_log[0].snapshot_id, 2);
  auto all = applied(&table, R"({"action":"remove-snapshots","snapshot-ids":[2]})");
  ASSERT_TRUE(all);
  EXPECT_TRUE(all->refs.empty());
  EXPECT_FALSE(all->current_snapshot_id);
  EXPECT_TRUE(parse_table_metadata(to_json(*all)));
}

TEST(TableUpdateTest, SchemasGetIdsAndAreFoundAgain) {  // checklist D.1, D.3
  const auto table = a_table();
  const std::string wider =
      R"({"action":"add-schema","schema":{"type":"struct","schema-id":7,"fields":[
        {"id":1,"name":"id","required":false,"type":"long"},
        {"id":2,"name":"name","required":false,"type":"string"},
        {"id":3,"name":"more","required":false,"type":{"type":"list","element-id":4,"element":"int",
         "element-required":false}}]}},{"action":"set-current-schema","schema-id":-1})";
  auto next = applied(&table, wider);
  ASSERT_TRUE(next) << next.error().message;
  EXPECT_EQ(next->current_schema_id, 1);
  EXPECT_EQ(next->last_column_id, 4);
  EXPECT_EQ(refusal(*next, wider), "not_found: nothing changes");
  EXPECT_THAT(refusal(table, R"({"action":"set-current-schema","schema-id":-1})"), HasSubstr("no schema"));
  EXPECT_THAT(refusal(table, R"({"action":"set-current-schema","schema-id":9})"),
              HasSubstr("unknown schema: 9"));
  EXPECT_THAT(refusal(*next, R"({"action":"remove-schemas","schema-ids":[1]})"), HasSubstr("current schema"));
  auto removed = applied(&*next, R"({"action":"remove-schemas","schema-ids":[0]})");
  ASSERT_TRUE(removed);
  EXPECT_EQ(removed->schemas.size(), 1U);
  EXPECT_THAT(refusal(table, R"({"action":"add-schema","schema":{"type":"struct","fields":[
    {"id":5,"name":"t","required":false,"type":"timestamp_ns"}]}})"),
              StartsWith("unsupported: "));
}

TEST(TableUpdateTest, SpecsKeepTheirFieldIds) {  // checklist D.6
  const auto table = a_table();
  auto next = applied(&table, R"({"action":"add-spec","spec":{"spec-id":0,"fields":[
    {"source-id":1,"name":"id_bucket","transform":"bucket[4]"}]}},
    {"action":"set-default-spec","spec-id":-1})");
  ASSERT_TRUE(next) << next.error().message;
  EXPECT_EQ(next->default_spec_id, 1);
  EXPECT_EQ(next->spec().fields[0].field_id, 1000);
  EXPECT_EQ(next->last_partition_id, 1000);
  EXPECT_THAT(refusal(*next, R"({"action":"add-spec","spec":{"fields":[
    {"source-id":2,"field-id":1000,"name":"other","transform":"identity"}]}})"),
              HasSubstr("given out before"));
  EXPECT_THAT(refusal(*next, R"({"action":"add-spec","spec":{"fields":[
    {"source-id":9,"name":"x","transform":"identity"}]}})"),
              HasSubstr("source column for id 9"));
  EXPECT_THAT(refusal(*next, R"({"action":"add-spec","spec":{"fields":[
    {"source-id":2,"name":"x","transform":"hour"}]}})"),
              StartsWith("invalid: "));
  EXPECT_THAT(refusal(*next, R"({"action":"add-spec","spec":{"fields":[
    {"source-id":1,"name":"name","transform":"bucket[2]"}]}})"),
              HasSubstr("exists in schema"));
  EXPECT_THAT(refusal(*next, R"({"action":"remove-partition-specs","spec-ids":[1]})"), HasSubstr("default"));
  // A column that the default spec uses stays.
  EXPECT_THAT(refusal(*next, R"({"action":"add-schema","schema":{"type":"struct","fields":[
    {"id":2,"name":"name","required":false,"type":"string"}]}},
    {"action":"set-current-schema","schema-id":-1})"),
              HasSubstr("source column for id 1"));
}

TEST(TableUpdateTest, SortOrdersPropertiesLocationStatistics) {  // checklist D.32, D.33
  const auto table = with_snapshots();
  auto next = applied(&table,
                      R"({"action":"add-sort-order","sort-order":{"order-id":5,"fields":[
      {"source-id":1,"transform":"identity",
      "direction":"asc","null-order":"nulls-first"}]}},{"action":"set-default-sort-order","sort-order-id":-1},
      {"action":"set-properties","updates":{"a":"1","b":"2"}},{"action":"remove-properties","removals":["a"]},
      {"action":"set-location","location":"file:///lake/u/"},
      {"action":"set-statistics","snapshot-id":2,"statistics":{"snapshot-id":2,
       "statistics-path":"file:///lake/t/s",
       "file-size-in-bytes":3,"file-footer-size-in-bytes":1,"blob-metadata":[]}})");
  ASSERT_TRUE(next) << next.error().message;
  EXPECT_EQ(next->default_sort_order_id, 1);
  EXPECT_EQ(next->properties, (std::map<std::string, std::string>{{"b", "2"}}));
  EXPECT_EQ(next->location, "file:///lake/u");
  EXPECT_THAT(to_json(*next), HasSubstr("\"statistics-path\":\"file:///lake/t/s\""));
  auto gone = applied(&*next, R"({"action":"remove-snapshots","snapshot-ids":[2]})");
  ASSERT_TRUE(gone);
  EXPECT_THAT(to_json(*gone), HasSubstr("\"statistics\":[]"));
  EXPECT_THAT(refusal(table, R"({"action":"set-default-sort-order","sort-order-id":3})"),
              HasSubstr("unknown"));
}

TEST(TableUpdateTest, FormatVersionsGoUpToTwo) {
  auto table = a_table();
  EXPECT_THAT(refusal(table, R"({"action":"upgrade-format-version","format-version":1})"),
              HasSubstr("Cannot downgrade"));
  EXPECT_THAT(refusal(table, R"({"action":"upgrade-format-version","format-version":3})"),
              StartsWith("unsupported: "));
  table.format_version = 1;
  auto next = applied(&table, R"({"action":"upgrade-format-version","format-version":2})");
  ASSERT_TRUE(next);
  EXPECT_EQ(next->format_version, 2);
  EXPECT_THAT(refusal(table, R"({"action":"assign-uuid","uuid":"2ee91f8c-5a1b-4d6a-9f3c-6f0f5d3a2b11"})"),
              HasSubstr("Cannot reassign uuid"));
}

TEST(TableUpdateTest, ANewTableIsMadeOfUpdates) {
  const std::string updates =
      R"({"action":"assign-uuid","uuid":"0ee91f8c-5a1b-4d6a-9f3c-6f0f5d3a2b11"},
      {"action":"upgrade-format-version","format-version":1},
      {"action":"add-schema","schema":{"type":"struct","schema-id":0,"fields":[
        {"id":1,"name":"id","required":true,"type":"long"}],"identifier-field-ids":[1]}},
      {"action":"set-current-schema","schema-id":-1},{"action":"set-location","location":"file:///lake/t"})";
  auto made = applied(nullptr, updates);
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(made->format_version, 1);
  auto again = parse_table_metadata(to_json(*made));
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(to_json(*again), to_json(*made));
  EXPECT_FALSE(applied(nullptr, R"({"action":"set-location","location":"file:///lake/t"})"));
  // DuckDB adds specs before it says which schema is current: the first one is, until then.
  auto early = applied(nullptr, R"({"action":"assign-uuid","uuid":"0ee91f8c-5a1b-4d6a-9f3c-6f0f5d3a2b11"},
    {"action":"add-schema","schema":{"type":"struct","fields":[
      {"id":1,"name":"id","required":false,"type":"long"}]}},
    {"action":"add-spec","spec":{"fields":[]}},{"action":"set-default-spec","spec-id":-1},
    {"action":"set-current-schema","schema-id":0},{"action":"set-location","location":"file:///lake/t"})");
  EXPECT_TRUE(early) << early.error().message;
}

TEST(TableUpdateTest, ALostAnswerIsFoundByItsSnapshots) {
  const auto table = with_snapshots();
  EXPECT_TRUE(is_applied(commit_of("", snapshot(2, 2) + "," + set_main(2)), table));
  EXPECT_FALSE(is_applied(commit_of("", snapshot(2, 2) + "," + snapshot(3, 3)), table));
  EXPECT_FALSE(is_applied(commit_of("", set_main(2)), table));
}

}  // namespace
}  // namespace tarn::iceberg
