// Goal: a result that is open when the next statement comes loses no row, whatever its size, and its memory
// is bounded. Method: real statements in a lake with little memory; what spills is looked for on the disk.
#include <filesystem>
#include <future>

#include "session/session.h"
#include "session/session_fixture_test.h"

namespace tarn::session {
namespace {

// What is left of a stream: rows and the sum of its first column.
std::pair<size_t, int64_t> drain(engine::ResultStream& stream) {
  size_t rows = 0;
  int64_t sum = 0;
  while (true) {
    auto batch = stream.next_text();
    EXPECT_TRUE(batch) << batch.error().message;
    if (!batch || !*batch) {
      return {rows, sum};
    }
    rows += (*batch)->rows;
    for (const auto& text : (*batch)->columns[0].text) {
      sum += std::stoll(text);
    }
  }
}

class OpenResultTest : public SessionFixture {
 protected:
  void reopen(uint64_t memory_limit_bytes, SessionServiceOptions options) {
    session_.reset();
    service_.reset();
    lake_.reset();
    auto lake = lake::Lake::open(
        real_env(), {.data_folder = folder_, .memory_limit_bytes = memory_limit_bytes, .threads = 2});
    ASSERT_TRUE(lake) << lake.error().message;
    lake_ = std::move(*lake);
    service_ = make_session_service(lake_->database(), lake_->catalog(), real_env(), std::move(options));
    session_ = open({});
  }

  [[nodiscard]] uint64_t spilled_bytes() const {
    uint64_t bytes = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(lake_->folder().spill())) {
      bytes += entry.is_regular_file() ? entry.file_size() : 0;
    }
    return bytes;
  }
};

TEST_F(OpenResultTest, TheNextStatementSetsItAside) {
  auto stream = session_->query("select range as i, 'row ' || range as t, null as n from range(500000)");
  ASSERT_TRUE(stream);
  auto first = (*stream)->next_text();
  ASSERT_TRUE(first && *first);
  const auto read = (*first)->rows;
  EXPECT_EQ((*first)->columns[0].text[1], "1");
  EXPECT_EQ(run("select 42"), "42\n");
  EXPECT_EQ(script("create table t as select 1 as a; insert into t values (2)"), "");
  auto next = (*stream)->next_text();
  ASSERT_TRUE(next && *next);
  EXPECT_EQ((*next)->columns[0].text[0], std::to_string(read));
  EXPECT_EQ((*next)->columns[1].text[0], "row " + std::to_string(read));
  EXPECT_TRUE((*next)->columns[2].null[0]);
  EXPECT_EQ(read + (*next)->rows + drain(**stream).first, 500000U);
}

TEST_F(OpenResultTest, SeveralStandAsideAtATime) {
  std::vector<std::unique_ptr<engine::ResultStream>> open;
  for (int i = 0; i < 3; ++i) {
    auto stream = session_->query(fmt::format("select range + {} as i from range(100000)", i));
    ASSERT_TRUE(stream);
    open.push_back(std::move(*stream));
  }
  for (int i = 2; i >= 0; --i) {
    EXPECT_EQ(drain(*open[static_cast<size_t>(i)]),
              std::pair(size_t{100000}, int64_t{4999950000} + int64_t{100000} * i));
  }
}

TEST_F(OpenResultTest, InATransactionItKeepsWhatItSaw) {
  EXPECT_EQ(script("create table t as select range as a from range(300000)"), "");
  EXPECT_EQ(script("begin"), "");
  auto stream = session_->query("select a from t");
  ASSERT_TRUE(stream);
  EXPECT_EQ(script("insert into t values (-1)"), "");
  EXPECT_EQ(script("commit"), "");
  EXPECT_EQ(drain(**stream).first, 300000U);
  EXPECT_EQ(run("select count(*) from t"), "300001\n");
}

TEST_F(OpenResultTest, ItSpillsAndLeavesNothingBehind) {
  reopen(48'000'000, {});
  auto stream = session_->query("select range as i, repeat('x', 900) || range as t from range(200000)");
  ASSERT_TRUE(stream);
  EXPECT_EQ(run("select 1"), "1\n");
  EXPECT_GT(spilled_bytes(), 20'000'000U) << "180 MB do not fit in 48; on the disk they are compressed";
  EXPECT_EQ(drain(**stream), std::pair(size_t{200000}, int64_t{19999900000}));
  stream->reset();
  EXPECT_EQ(spilled_bytes(), 0U);
}

TEST_F(OpenResultTest, MoreThanTheBoundIsAnErrorOfTheOldResultOnly) {
  reopen(0, {.set_aside_bytes_max = 1'000'000});
  auto stream = session_->query("select range from range(100000000000)");
  ASSERT_TRUE(stream);
  EXPECT_EQ(run("select 1"), "1\n");
  auto lost = (*stream)->next_text();
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().code, Code::kExhausted);
  EXPECT_NE(lost.error().message.find("more than 1 MB"), std::string::npos) << lost.error().message;
  EXPECT_EQ(run("select 2"), "2\n");
}

TEST_F(OpenResultTest, AnErrorInItsRestIsItsOwnAndFailsItsTransaction) {
  const auto* late = "select case when range = 900000 then error('late') end from range(1000000)";
  auto stream = session_->query(late);
  ASSERT_TRUE(stream);
  EXPECT_EQ(run("select 1"), "1\n");
  EXPECT_NE(text_of(std::move(stream)).find("late"), std::string::npos);
  EXPECT_EQ(script("begin"), "");
  auto inside = session_->query(late);
  ASSERT_TRUE(inside);
  EXPECT_TRUE(run("select 1").starts_with("aborted: "));
  EXPECT_TRUE(run("commit").starts_with("aborted: "));
}

TEST_F(OpenResultTest, ACancelWhileItIsSetAsideIsForTheStatementThatComes) {
  reopen(0, {.set_aside_bytes_max = uint64_t{1} << 40U});
  auto stream = session_->query("select range from range(1000000000000)");
  ASSERT_TRUE(stream);
  auto next = std::async(std::launch::async, [&] { return run("select 1"); });
  while (next.wait_for(std::chrono::milliseconds(1)) != std::future_status::ready) {
    session_->cancel();
  }
  EXPECT_TRUE(next.get().starts_with("cancelled: "));
  EXPECT_EQ(run("select 2"), "2\n");
}

TEST_F(OpenResultTest, ItEndsWithItsSession) {
  auto stream = session_->query("select range from range(10000000)");
  ASSERT_TRUE(stream);
  session_.reset();
  EXPECT_FALSE((*stream)->next_text());
}

}  // namespace
}  // namespace tarn::session
