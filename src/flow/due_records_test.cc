// Goal: what was due in a span of time is found by the time, however much was due before. Method: a real
// file, and SQLite's own plan of the statement.
#include "flow/due_records.h"

#include <filesystem>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/time.h"

namespace tarn::flow {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class DueRecordsTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "/due-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
    store_ = store::Store::open({.path = folder_ + "/control.sqlite"}).value();
    records_ = DueRecords::open(*store_).value();
  }
  void TearDown() override {
    records_.reset();
    store_.reset();
    std::filesystem::remove_all(folder_);
  }

  std::string folder_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<DueRecords> records_;
};

TEST_F(DueRecordsTest, ASpanOfTimeIsFoundByTime) {
  DueChanges changes;
  for (int day = 1; day <= 9; ++day) {
    Due due{.id = day, .schedule = day % 2 == 0 ? "even" : "odd"};
    due.due_at = due.first_due_at = parse_time(fmt::format("2026-11-0{}T03:00:00Z", day)).value();
    due.trigger = day == 5 ? "backfill" : "time";
    changes.due.push_back(due);
  }
  ASSERT_TRUE(records_->write(changes));
  const auto found = records_->between(parse_time("2026-11-03T03:00:00Z").value(),
                                       parse_time("2026-11-07T03:00:00Z").value(), 100);
  ASSERT_TRUE(found);
  std::vector<int64_t> ids;
  for (const auto& due : *found)
    ids.push_back(due.id);
  EXPECT_THAT(ids, ElementsAre(3, 4, 6));
}

TEST_F(DueRecordsTest, TheTimesHaveAnIndex) {
  const auto plan = store_->read([](store::Connection& db) -> Result<std::string> {
    TARN_TRY(auto rows, db.query("EXPLAIN QUERY PLAN SELECT id FROM due WHERE due_at >= ? AND due_at < ? AND "
                                 "trigger <> 'backfill' ORDER BY due_at, id LIMIT ?",
                                 {0, 1, 1}));
    std::string text;
    while (true) {
      TARN_TRY(const bool more, rows.next());
      if (!more)
        return text;
      text += rows.text(3) + ";";
    }
  });
  ASSERT_TRUE(plan);
  EXPECT_THAT(*plan, HasSubstr("due_by_time"));
  EXPECT_THAT(*plan, Not(HasSubstr("TEMP B-TREE")));  // nor is anything sorted
}

}  // namespace
}  // namespace tarn::flow
