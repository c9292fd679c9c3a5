// Goal: the rows behind a number are those that it was made of. Method: for groups of random data, the
// aggregate over the rows behind equals the number that was clicked.
#include "engine/rows_behind.h"

#include <gmock/gmock.h>

#include "engine/connection.h"

namespace tarn::engine {
namespace {

class RowsBehindTest : public testing::Test {
 protected:
  void SetUp() override {
    auto database = Database::open({.threads = 1});
    ASSERT_TRUE(database) << database.error().message;
    database_ = std::move(*database);
    connection_ = std::move(*database_->connect());
    ASSERT_TRUE(connection_->execute(
        "create table t as select i, i % 7 as k, case when i % 5 = 0 then null else 'n' || (i % 3) end as "
        "name, "
        "date '2026-01-01' + (i % 60)::integer as day, (i * 37 % 101)::double as v from range(1000) r(i)"));
  }

  std::vector<std::vector<std::string>> rows(const std::string& sql) {
    std::vector<std::vector<std::string>> out;
    auto stream = connection_->query(sql);
    EXPECT_TRUE(stream) << stream.error().message << "\n" << sql;
    while (stream) {
      auto batch = (*stream)->next_text();
      if (!batch || !*batch)
        break;
      for (size_t row = 0; row < (*batch)->rows; ++row) {
        auto& line = out.emplace_back();
        for (const auto& cells : (*batch)->columns)
          line.push_back(cells.null[row] ? "null" : cells.text[row]);
      }
    }
    return out;
  }

  std::unique_ptr<Database> database_;
  std::unique_ptr<Connection> connection_;
};

TEST_F(RowsBehindTest, EveryGroupHasItsRows) {
  for (const std::string sql : {
           "select name, date_trunc('month', day)::date as month, count(*) as n, sum(v) as s from t group by "
           "all order by 1 limit 3",
           "with c as (select * from t where k < 5) select name, month(day) as month, count(*) as n, sum(v) "
           "as s from c where i > 10 group by 1, 2 having count(*) > 1",
       }) {
    for (const auto& row : rows(sql)) {
      std::optional<std::string> name;
      if (row[0] != "null")
        name = row[0];
      const auto behind = rows_behind(sql, {{"NAME", name}, {"month", row[1]}, {"n", row[2]}}, 1000);
      ASSERT_TRUE(behind) << behind.error().message;
      EXPECT_THAT(rows("select count(*), sum(v), count(distinct i) from (" + *behind + ")"),
                  testing::ElementsAre(testing::ElementsAre(row[2], row[3], row[2])))
          << *behind;
    }
  }
}

TEST_F(RowsBehindTest, OneNumberOverAll) {
  const auto behind = rows_behind("select sum(v) as s from t where k = 3", {}, 5000);
  ASSERT_TRUE(behind);
  EXPECT_EQ(rows("select sum(v) from (" + *behind + ")"), rows("select sum(v) from t where k = 3"));
}

TEST_F(RowsBehindTest, RowsThatAreNoAggregateAreTheirOwn) {
  const auto behind = rows_behind("select i, name, v as \"the value\" from t order by i limit 10",
                                  {{"the value", "37.0"}, {"name", "n1"}}, 100);
  ASSERT_TRUE(behind);
  EXPECT_THAT(rows(*behind), testing::ElementsAre(testing::ElementsAre("1", "n1", "37.0")));
}

TEST_F(RowsBehindTest, TextsAreTextsAndParametersStay) {
  const auto quoted = rows_behind("select name, count(*) from t where k = $k group by 1",
                                  {{"name", "'; drop table t; --"}}, 9);
  ASSERT_TRUE(quoted);
  EXPECT_THAT(*quoted, testing::HasSubstr("$k"));
  EXPECT_THAT(*quoted, testing::HasSubstr("'''; drop table t; --'"));
  EXPECT_FALSE(rows_behind("select from where", {}, 9));
}

}  // namespace
}  // namespace tarn::engine
