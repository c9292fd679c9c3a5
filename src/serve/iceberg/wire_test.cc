// Goal: paths, names, bodies and pages of Iceberg's REST protocol are read as the specification says. Method:
// requests as clients send them.
#include "serve/iceberg/wire.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serve/iceberg/answer.h"

namespace tarn::serve::rest {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(IcebergWireTest, PathsAreOperations) {
  auto route = route_of("GET", "/v1/namespaces/a%1Fb/tables/My+Table%2Fx");
  ASSERT_TRUE(route) << route.error().message;
  EXPECT_EQ(route->operation, Operation::kLoadTable);
  EXPECT_EQ(route->space, "a.b");
  EXPECT_EQ(route->name, "My Table/x");
  EXPECT_EQ(route_of("POST", "/v1/lake/transactions/commit")->operation, Operation::kCommitTransaction);
  EXPECT_EQ(route_of("GET", "/v1/config")->operation, Operation::kConfig);
  EXPECT_EQ(route_of("HEAD", "/v1/namespaces/a/views/v")->operation, Operation::kViewExists);
  EXPECT_EQ(route_of("PUT", "/v1/namespaces").error().code, Code::kUnsupported);
  for (const char* path :
       {"", "/", "/v2/namespaces", "/v1", "/v1/other/namespaces", "/v1/namespaces/a/b/c/d"})
    EXPECT_EQ(route_of("GET", path).error().code, Code::kNotFound) << path;
  for (const char* path : {"/v1/namespaces/a.b", "/v1/namespaces/a%1F", "/v1/namespaces/%2",
                           "/v1/namespaces/%zz", "/v1/namespaces/a/tables/", "/v1/namespaces/"})
    EXPECT_EQ(route_of("GET", path).error().code, Code::kInvalid) << path;
}

TEST(IcebergWireTest, EveryOperationIsAdvertised) {
  EXPECT_THAT(endpoints(), testing::Contains("POST /v1/{prefix}/namespaces/{namespace}/tables/{table}"));
  EXPECT_EQ(endpoints().size(), 26U);
}

TEST(IcebergWireTest, ANewTableGetsIdsOfItsOwn) {  // checklist D.1
  auto body = object_of(R"({"name":"t","schema":{"type":"struct","identifier-field-ids":[30],"fields":[
    {"id":30,"name":"id","required":true,"type":"int"},
    {"id":0,"name":"s","required":false,"type":{"type":"struct","fields":[
      {"id":9,"name":"x","required":false,"type":"string"}]}}]},
    "partition-spec":{"fields":[{"source-id":9,"field-id":1000,"name":"x","transform":"bucket[2]"}]},
    "write-order":{"order-id":1,"fields":[{"source-id":30,"transform":"identity","direction":"asc",
      "null-order":"nulls-first"}]},"properties":{"format-version":"1","a":"b"}})");
  ASSERT_TRUE(body);
  auto asked = new_table_of(*body);
  ASSERT_TRUE(asked) << asked.error().message;
  asked->updates.emplace_back(iceberg::SetLocation{"file:///lake/t"});
  auto made = iceberg::apply_updates(nullptr, asked->updates, 1);
  ASSERT_TRUE(made) << made.error().message;
  const auto& table = **made;
  EXPECT_EQ(table.format_version, 1);
  EXPECT_EQ(table.schema().fields[0].id, 1);
  EXPECT_EQ(table.schema().fields[1].id, 2);
  EXPECT_EQ(table.schema().fields[1].type.fields[0].id, 3);
  EXPECT_THAT(table.schema().identifier_field_ids, ElementsAre(1));
  EXPECT_EQ(table.spec().fields[0].source_id, 3);
  EXPECT_EQ(table.sort_orders[0].fields[0].source_id, 1);
  EXPECT_EQ(table.properties, (std::map<std::string, std::string>{{"a", "b"}}));
}

TEST(IcebergWireTest, LocationsOfThisMachineHaveOneForm) {  // checklist D.34
  EXPECT_EQ(plain_location("file:/a/b"), "file:///a/b");
  EXPECT_EQ(plain_location("/a/b"), "file:///a/b");
  EXPECT_EQ(plain_location("file:///a/b"), "file:///a/b");
  EXPECT_EQ(plain_location("s3://a/b"), "s3://a/b");
  EXPECT_EQ(plain_location("a/b"), "a/b");
}

TEST(IcebergWireTest, NamesThatComeAndGoMoveNoOtherToAnotherPage) {
  auto first = page_of({"a", "b", "c"}, {{"pageSize", "2"}, {"pageToken", ""}});
  ASSERT_TRUE(first);
  EXPECT_THAT(first->names, ElementsAre("a", "b"));
  auto second = page_of({"c", "d"}, {{"pageSize", "2"}, {"pageToken", first->next}});
  ASSERT_TRUE(second);
  EXPECT_THAT(second->names, ElementsAre("c", "d"));
  EXPECT_EQ(second->next, "");
  EXPECT_EQ(page_of({"a", "b", "c"}, {{"pageSize", "2"}})->names.size(), 3U);  // knows of no pages
  for (const char* size : {"0", "-1", "x", "2x"})
    EXPECT_FALSE(page_of({"a"}, {{"pageSize", size}, {"pageToken", ""}})) << size;
}

TEST(IcebergWireTest, AKeyIsNotBothSetAndRemoved) {
  auto update = namespace_update_of(Json::parse(R"({"removals":["a","a"],"updates":{"b":"1"}})"));
  ASSERT_TRUE(update);
  EXPECT_THAT(update->removals, ElementsAre("a"));
  auto wrong = namespace_update_of(Json::parse(R"({"removals":["a"],"updates":{"a":"1"}})"));
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().code, Code::kFailed);
}

TEST(IcebergAnswerTest, OnlyWhatMayHaveHappenedIsUnknown) {
  const auto type_of = [](Code code) {
    const auto answer = answer_error(Error{code, "40001: x"}, Subject::kTable);
    const auto error = Json::parse(answer.body)["error"];
    EXPECT_EQ(error["code"], answer.status);
    EXPECT_EQ(error["message"], "x");
    return std::to_string(answer.status) + " " + error["type"].get<std::string>();
  };
  EXPECT_EQ(type_of(Code::kConflict), "409 CommitFailedException");
  EXPECT_EQ(type_of(Code::kIo), "500 CommitStateUnknownException");
  EXPECT_EQ(type_of(Code::kNotFound), "404 NoSuchTableException");
  EXPECT_EQ(type_of(Code::kDiskFull), "507 ServiceFailureException");
  EXPECT_TRUE(is_final(409));
  EXPECT_FALSE(is_final(503));
  EXPECT_FALSE(is_final(401));
}

}  // namespace
}  // namespace tarn::serve::rest
