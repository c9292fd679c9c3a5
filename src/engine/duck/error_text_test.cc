// Goal: what DuckDB says of the mistakes that people make is one sentence of Tarn's, with its place and a
// remedy. Method: real statements on a real connection, so that a new DuckDB with other words is noticed.
#include "engine/duck/error_text.h"

#include <gtest/gtest.h>

#include "engine/connection.h"

namespace tarn::engine {
namespace {

struct Case {
  std::string_view sql;
  std::string_view said;  // "line:column: sentence"
};

constexpr Case kNames[] = {
    {"select temprature from t", "1:8: there is no column \"temprature\": did you mean \"temperature\"?"},
    {"select\n  nothing from t", "2:3: there is no column \"nothing\"; there is \"room\""},
    {"select room", "1:8: there is no column \"room\": the statement has no FROM"},
    {"select t.rom from t", "1:8: t has no column \"rom\": did you mean \"room\"?"},
    {"select x.room from t", "1:8: the FROM has no table \"x\"; there is \"t\""},
    {"select * from daily_climat",
     "1:15: there is no table \"daily_climat\": did you mean \"daily_climate\"?"},
    {"select * from zzzzzz", "1:15: there is no table \"zzzzzz\""},
    {"select * from nope.t", "1:15: there is no schema \"nope\", so no table nope.t"},
    {"select cast(1 as varchr)", "1:18: there is no type \"varchr\": did you mean \"varchar\"?"},
    {"select row_number() from t",
     "1:8: there is no plain function row_number; a window function needs OVER (…)"},
    {"select * exclude (nope) from t", "EXCLUDE names a column \"nope\", which the FROM has not"},
    {"select * from t join t u using (nope)",
     "USING names a column \"nope\", which the left side of the join has not"},
    {"select room from t, t u",
     "1:8: the column \"room\" is in more than one table: write \"t.room\" or \"u.room\""},
    {"select * from t x, t x", "two tables are called \"x\" here: give one of them another name with AS"},
    {"select {'city': 1}.cty", "the struct has no member \"cty\": did you mean \"city\"?"},
    {"insert into t (rom) values ('a')", "t has no column \"rom\": did you mean \"room\"?"},
};

constexpr Case kValues[] = {
    {"select lower(1, 2)",
     "1:8: lower does not take (INTEGER, INTEGER); it takes (VARCHAR): cast the values"},
    {"select room like 5 from t",
     "1:13: LIKE does not take (VARCHAR, INTEGER); it takes (VARCHAR, VARCHAR): cast the values"},
    {"select 'abc' + 1",
     "1:14: + can be understood in more than one way for (VARCHAR, INTEGER): cast the values to one of "
     "(DATE, INTEGER), (INTEGER, INTEGER)"},
    {"select cast('x' as integer)", "1:8: 'x' is not of type INTEGER"},
    {"select room = 1 from t", "1:8: column room holds 'kitchen', which is not of type INTEGER"},
    {"select 'x'::date", "1:11: 'x' is not a date: write YYYY-MM-DD"},
    {"select date '2024-13-01'", "there is no day '2024-13-01'"},
    {"select 300::tinyint", "1:11: 300 does not fit into TINYINT"},
    {"select 12345.678::decimal(4,2)", "1:17: 12345.678 does not fit into DECIMAL(4,2)"},
    {"select 9223372036854775807 + 1",
     "9223372036854775807 + 1 is too large for BIGINT: cast a value to a wider type, such as double"},
    {"select room between 1 and 2 from t",
     "1:13: BETWEEN clause compares VARCHAR with INTEGER: cast one of them"},
    {"select '{'::json", "1:11: this is not JSON (unexpected end of data at byte 1): {"},
};

constexpr Case kShapes[] = {
    {"selct 1", "1:1: syntax error at or near \"selct\": did you mean SELECT instead of selct?"},
    {"select * form t", "1:15: syntax error at or near \"t\": did you mean FROM instead of form?"},
    {"select * from t wher room = 'a'",
     "1:22: syntax error at or near \"room\": did you mean WHERE instead of wher?"},
    {"select room town b from t", "1:18: syntax error at or near \"b\""},
    {"select 1 +", "1:11: the statement ends too early"},
    {"select room, count(*) from t",
     "1:8: column \"room\" is neither grouped nor aggregated: add it to GROUP BY, or write any_value(room) "
     "where any "
     "of its values will do"},
    {"select room from t group by 7", "GROUP BY names a column by a number from 1 to 1"},
    {"select room from t where count(*) > 1",
     "1:26: WHERE is asked before rows are aggregated: write the condition into HAVING"},
    {"select room from t where row_number() over () = 1",
     "1:26: WHERE is asked before window functions: write the condition into QUALIFY"},
    {"select sum(count(*)) from t",
     "1:12: an aggregate cannot stand in another: compute the inner one in a subquery"},
    {"select (select 1, 2)", "1:8: a subquery used as a value has one column, and this one has 2"},
    {"select (select x from range(2) r(x))",
     "a subquery used as a value has at most one row, and this one has more: add a condition, an aggregate "
     "or LIMIT 1"},
    {"select 1 union select 1, 2",
     "both sides of UNION, INTERSECT or EXCEPT need the same number of columns"},
    {"insert into t values ('a')", "table t has 2 columns, but 1 values are given"},
    {"select $1", "parameter 1 got no value"},
};

class ErrorTextTest : public testing::Test {
 protected:
  void SetUp() override {
    database_ = std::move(*Database::open({}));
    connection_ = std::move(*database_->connect());
    ASSERT_TRUE(
        connection_->execute("create table t (room varchar, temperature double);"
                             "insert into t values ('kitchen', 20); create table daily_climate (a int)"));
  }

  // The error of a statement, read to its end.
  std::string error_of(std::string_view sql) {
    auto stream = connection_->query(sql);
    while (stream) {
      auto batch = (*stream)->next_text();
      if (!batch) {
        return batch.error().message;
      }
      if (!*batch) {
        return "no error";
      }
    }
    return stream.error().message;
  }

  std::unique_ptr<Database> database_;
  std::unique_ptr<Connection> connection_;
};

TEST_F(ErrorTextTest, Names) {
  for (const Case& one : kNames) {
    EXPECT_EQ(error_of(one.sql), one.said) << one.sql;
  }
}

TEST_F(ErrorTextTest, Values) {
  for (const Case& one : kValues) {
    EXPECT_EQ(error_of(one.sql), one.said) << one.sql;
  }
}

TEST_F(ErrorTextTest, Shapes) {
  for (const Case& one : kShapes) {
    EXPECT_EQ(error_of(one.sql), one.said) << one.sql;
  }
}

TEST(ErrorText, UnknownMessagesPassUnchanged) {
  for (std::string_view text :
       {"", "{0} {x", "Something new!\nwith lines", "Referenced column of another kind",
        "there is no function foo; did you mean bar?"}) {
    EXPECT_EQ(error_text(text, "select "), text);
  }
}

}  // namespace
}  // namespace tarn::engine
