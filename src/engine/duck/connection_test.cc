// Goal: statements, results and errors cross the engine's border right. Method: a database without a lake.
#include "engine/connection.h"

#include <gtest/gtest.h>

#include "duckdb/common/arrow/arrow.hpp"

namespace tarn::engine {
namespace {

class ConnectionTest : public testing::Test {
 protected:
  void SetUp() override {
    auto database = Database::open({.time_zone = "Europe/Amsterdam"});
    ASSERT_TRUE(database) << database.error().message;
    database_ = std::move(*database);
    auto connection = database_->connect();
    ASSERT_TRUE(connection) << connection.error().message;
    connection_ = std::move(*connection);
  }

  // All cells, columns parted by '|', rows by '\n', null as NULL; or "code: message".
  std::string text_of(std::string_view sql, std::vector<Parameter> parameters = {}) {
    auto stream = connection_->query(sql, parameters);
    if (!stream) {
      return fmt::format("{}: {}", name_of(stream.error().code), stream.error().message);
    }
    std::string text;
    while (true) {
      auto batch = (*stream)->next_text();
      if (!batch) {
        return fmt::format("{}: {}", name_of(batch.error().code), batch.error().message);
      }
      if (!*batch) {
        return text;
      }
      for (size_t row = 0; row < (*batch)->rows; ++row) {
        for (size_t i = 0; i < (*batch)->columns.size(); ++i) {
          const auto& cells = (*batch)->columns[i];
          text += (i > 0 ? "|" : "") + (cells.null[row] ? std::string("NULL") : cells.text[row]);
        }
        text += "\n";
      }
    }
  }

  std::unique_ptr<Database> database_;
  std::unique_ptr<Connection> connection_;
};

TEST_F(ConnectionTest, TextOfEveryKind) {
  EXPECT_EQ(text_of("select 1, null, 'é', [1,2], {'a': 1.50::decimal(9,2)}, true, date '2024-02-29'"),
            "1|NULL|é|[1, 2]|{'a': 1.50}|true|2024-02-29\n");
  EXPECT_EQ(text_of("select timestamptz '2024-07-01 10:00:00Z'"), "2024-07-01 12:00:00+02\n");
  EXPECT_EQ(text_of("select '{\"a\": 1}'::json, 'x'::blob, interval 1 day"), "{\"a\": 1}|x|1 day\n");
}

TEST_F(ConnectionTest, JsonNestedWithoutMeasureIsRefused) {
  for (const std::string function : {"json_structure", "json_pretty", "json_group_structure"}) {
    const auto deep = text_of("select " + function + "((repeat('[', 100000) || repeat(']', 100000))::json)");
    EXPECT_NE(deep.find("nested 10000"), std::string::npos) << deep;
  }
  EXPECT_EQ(text_of("select json_structure('{\"a\": [1]}')"), "{\"a\":[\"UBIGINT\"]}\n");
  EXPECT_EQ(text_of("select json_pretty('[1]')"), "[\n    1\n]\n");
}

TEST_F(ConnectionTest, LongResultsStreamWhole) {
  auto text = text_of("select i, i::varchar from range(10000) t(i)");
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 10000);
  EXPECT_TRUE(text.ends_with("9999|9999\n"));
}

TEST_F(ConnectionTest, ParametersAreValues) {
  std::vector<Parameter> parameters = {{"41", "INTEGER"}, {"a'b", "VARCHAR"}, {std::nullopt, "DATE"}};
  EXPECT_EQ(text_of("select $1 + 1, $2, typeof($3)", parameters), "42|a'b|DATE\n");
  EXPECT_TRUE(text_of("select $1", {{"x", "INTEGER"}}).starts_with("invalid: "));
}

TEST_F(ConnectionTest, RowsChangedAreCounted) {
  ASSERT_TRUE(connection_->execute("create temp table t(a int)"));
  auto stream = connection_->query("insert into t select * from range(7)");
  ASSERT_TRUE(stream);
  EXPECT_EQ((*stream)->rows_changed(), 7);
  EXPECT_TRUE((*stream)->columns().empty());
  EXPECT_EQ(connection_->execute("insert into t values (1); insert into t values (2), (3)").value(), 2);
  EXPECT_EQ(text_of("select count(*) from t"), "10\n");
}

TEST_F(ConnectionTest, ErrorsHaveCodeAndPlace) {
  EXPECT_EQ(text_of("select\n  nope"),
            "invalid: 2:3: there is no column \"nope\": the statement has no FROM");
  EXPECT_EQ(text_of("select * from nope"), "not_found: 1:15: there is no table \"nope\"");
  EXPECT_TRUE(text_of("selec 1").starts_with("invalid: 1:1: syntax error")) << text_of("selec 1");
  EXPECT_TRUE(text_of("select 'x'::int").starts_with("invalid: ")) << text_of("select 'x'::int");
  EXPECT_EQ(text_of("  "), "invalid: there is no statement in this text");
}

TEST_F(ConnectionTest, FilesAndExtensionsAreOutOfReach) {
  EXPECT_TRUE(text_of("select * from read_text('/etc/passwd')").starts_with("denied: "))
      << text_of("select * from read_text('/etc/passwd')");
  EXPECT_TRUE(text_of("select * from '/etc/passwd.csv'").starts_with("not_found: "))
      << text_of("select * from '/etc/passwd.csv'");
  EXPECT_TRUE(text_of("load httpfs").starts_with("denied: ")) << text_of("load httpfs");
  EXPECT_TRUE(text_of("attach '/tmp/tarn_never.db'").starts_with("denied: "));
  EXPECT_TRUE(text_of("set enable_external_access = true").starts_with("invalid: "));
}

TEST_F(ConnectionTest, DescribeRunsNothing) {
  auto columns = connection_->describe("select 1 as a, 'x' as b, error('never') as c");
  ASSERT_TRUE(columns) << columns.error().message;
  ASSERT_EQ(columns->size(), 3U);
  EXPECT_EQ((*columns)[0].type, "INTEGER");
  EXPECT_EQ((*columns)[1].name, "b");
  EXPECT_FALSE(connection_->describe("create temp table z(a int)"));
}

TEST_F(ConnectionTest, InterruptStopsAStatement) {
  std::atomic<bool> done = false;
  std::thread stopper([&] {
    while (!done) {
      connection_->interrupt();
      std::this_thread::yield();
    }
  });
  auto text =
      text_of("select count(*) from range(1000000) a, range(1000000) b where hash(a.range + b.range) = 1");
  done = true;
  stopper.join();
  EXPECT_TRUE(text.starts_with("cancelled: ")) << text;
}

TEST_F(ConnectionTest, TransactionsAreSeen) {
  EXPECT_FALSE(connection_->in_transaction());
  ASSERT_TRUE(connection_->execute("begin"));
  EXPECT_TRUE(connection_->in_transaction());
  ASSERT_TRUE(connection_->execute("rollback"));
  EXPECT_FALSE(connection_->in_transaction());
}

TEST_F(ConnectionTest, ArrowHasTheSameRows) {
  auto stream = connection_->query("select range::int as a from range(3)");
  ASSERT_TRUE(stream);
  ArrowSchema schema;
  ASSERT_TRUE((*stream)->arrow_schema(&schema));
  EXPECT_STREQ(schema.children[0]->format, "i");
  schema.release(&schema);
  auto batch = (*stream)->next_arrow().value();
  ASSERT_TRUE(batch);
  EXPECT_EQ(batch->length, 3);
  EXPECT_EQ(static_cast<const int32_t*>(batch->children[0]->buffers[1])[2], 2);
  EXPECT_FALSE((*stream)->next_arrow().value());
}

}  // namespace
}  // namespace tarn::engine
