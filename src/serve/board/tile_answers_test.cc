// Goal: what costs much is not asked again at each change of a table, and nothing else is held back.
// Method: a real lake; a clock by which each query takes as long as the test says.
#include "serve/board/tile_answers.h"

#include <algorithm>
#include <numeric>

#include "session/session_fixture_test.h"

namespace tarn::serve {
namespace {

// Goes on by `query_takes` with each query that was run, and when it is told.
class QueryClock final : public Clock {
 public:
  Timestamp now() override { return Timestamp(steady()); }
  Duration steady() override {
    if (answers != nullptr && answers->asked() > seen_) {
      seen_ = answers->asked();
      steady_ += query_takes;
    }
    return steady_;
  }
  void sleep_for(Duration duration) override { steady_ = steady() + duration; }
  const TileAnswers* answers = nullptr;
  Duration query_takes{1};

 private:
  Duration steady_{0};
  int64_t seen_ = 0;
};

class TileAnswersTest : public session::SessionFixture {
 protected:
  void SetUp() override {
    SessionFixture::SetUp();
    script("create table t as select 1 as a");
    env_.clock = &clock_;
    answers_ = std::make_unique<TileAnswers>(env_, *service_);
    clock_.answers = answers_.get();
  }
  void TearDown() override {
    answers_.reset();
    SessionFixture::TearDown();
  }

  static board::TileQuery query(const std::string& sql) {
    return {.sql = sql, .facts = {.tables = {{.name = "t"}}}};
  }

  TileQuestion question(const board::TileQuery& query) {
    auto made = answers_->question(query, {});
    EXPECT_TRUE(made) << made.error().message;
    return *made;
  }

  // The rows that a page gets, as the board's stream decides; then `again_in_` says when to ask again.
  std::string look(const board::TileQuery& query) {
    const auto asked = question(query);
    again_in_ = Duration(0);
    if (const auto kept = answers_->find(asked.etag))
      return kept->rows;
    if (const auto earlier = answers_->earlier(asked)) {
      again_in_ = earlier->again_in;
      EXPECT_NE(earlier->question.etag, asked.etag);
      return earlier->answer->rows;
    }
    const flow::CancelFlag gone;
    const auto answer = answers_->ask(asked, gone);
    return answer ? (*answer)->rows : answer.error().message;
  }

  QueryClock clock_;
  Env env_ = real_env();
  std::unique_ptr<TileAnswers> answers_;
  Duration again_in_{0};
};

TEST_F(TileAnswersTest, ACheapQueryIsAskedAtEachChange) {
  const auto sum = query("select sum(a) from t");
  EXPECT_EQ(look(sum), R"([["1"]])");
  for (int i = 2; i < 6; ++i) {
    clock_.sleep_for(std::chrono::milliseconds(1));
    script("insert into t values (1)");
    EXPECT_EQ(look(sum), fmt::format(R"([["{}"]])", i));
    EXPECT_EQ(again_in_.count(), 0);
  }
}

TEST_F(TileAnswersTest, AnExpensiveQueryIsAskedAgainLater) {
  const auto sum = query("select sum(a) from t");
  clock_.query_takes = std::chrono::seconds(2);
  EXPECT_EQ(look(sum), R"([["1"]])");
  script("insert into t values (1)");
  EXPECT_EQ(look(sum), R"([["1"]])") << "a moment ago";
  EXPECT_GT(again_in_, Duration(0));
  clock_.sleep_for(again_in_);
  EXPECT_EQ(look(sum), R"([["2"]])");
  EXPECT_EQ(again_in_.count(), 0);
  EXPECT_EQ(answers_->asked(), 2);
}

TEST_F(TileAnswersTest, QueriesOfOneBoardShareTheTimeFairly) {
  constexpr int kQueries = 10;
  const Duration takes = std::chrono::milliseconds(200);
  std::vector<board::TileQuery> queries;
  for (int i = 0; i < kQueries; ++i)
    queries.push_back(query(fmt::format("select sum(a) + {} from t", i)));
  clock_.query_takes = takes;
  for (const auto& one : queries)
    look(one);
  std::vector<int> runs(kQueries);
  const auto began = clock_.steady();
  // A change each half second, over a minute; all together would take 2 s.
  while (clock_.steady() - began < std::chrono::seconds(60)) {
    script("insert into t values (1)");
    for (size_t i = 0; i < queries.size(); ++i) {
      const auto before = answers_->asked();
      look(queries[i]);
      runs[i] += static_cast<int>(answers_->asked() - before);
    }
    clock_.sleep_for(std::chrono::milliseconds(500));
  }
  const auto [least, most] = std::minmax_element(runs.begin(), runs.end());
  EXPECT_GE(*least, 15);
  EXPECT_LE(*most - *least, 1);
  const auto all = std::accumulate(runs.begin(), runs.end(), 0) * takes;
  EXPECT_LE(all / std::chrono::duration<double>(clock_.steady() - began), 0.9);
}

TEST_F(TileAnswersTest, AnotherQuestionIsNotHeldBack) {
  clock_.query_takes = std::chrono::seconds(2);
  EXPECT_EQ(look(query("select sum(a) from t")), R"([["1"]])");
  script("insert into t values (1)");
  EXPECT_EQ(look(query("select sum(a) + 0 from t")), R"([["2"]])") << "nobody had asked it before";
}

TEST_F(TileAnswersTest, WhatNobodyLooksAtIsForgotten) {
  clock_.query_takes = std::chrono::seconds(20);
  look(query("select sum(a) from t"));
  clock_.sleep_for(std::chrono::minutes(2));
  clock_.query_takes = std::chrono::milliseconds(1);
  const auto other = query("select sum(a) + 1 from t");
  look(other);
  clock_.sleep_for(std::chrono::milliseconds(10));
  script("insert into t values (1)");
  EXPECT_EQ(look(other), R"([["3"]])");
}

// A view that asks for the time, and a table without versions, as those of databases of others.
TEST_F(TileAnswersTest, WhatNoVersionTellsIsGoodForAMinute) {
  script("create view clock as select now() as at; create macro ticks() as table select * from clock");
  const std::vector<board::TileQuery> queries = {
      {.sql = "select * from clock", .facts = {.tables = {{.name = "clock"}}}},
      {.sql = "select * from ticks()", .facts = {.functions = {{.name = "ticks", .table_function = true}}}},
      {.sql = "select * from _tarn.runs", .facts = {.tables = {{.schema = "_tarn", .name = "runs"}}}},
  };
  for (const auto& one : queries) {
    clock_.sleep_for(Duration(1'500'000));
    const auto first = question(one);
    ASSERT_TRUE(first.good_for) << one.sql;
    clock_.sleep_for(*first.good_for - Duration(1));
    EXPECT_EQ(question(one).etag, first.etag) << one.sql;
    clock_.sleep_for(Duration(1));
    EXPECT_NE(question(one).etag, first.etag) << one.sql;
    EXPECT_EQ(*question(one).good_for, Duration(60'000'000)) << one.sql;
  }
  EXPECT_FALSE(question(query("select a from t")).good_for);
}

}  // namespace
}  // namespace tarn::serve
