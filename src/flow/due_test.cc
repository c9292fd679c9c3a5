// Goal: every due time is decided once, by the schedule's catch_up. Method: stretches without anybody, and a
// year of looks at random times, whose decisions are counted together.
#include "flow/due.h"

#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/time.h"

namespace tarn::flow {
namespace {

Timestamp at(std::string_view text) {
  return parse_time(text).value();
}

Schedule daily(CatchUp catch_up) {
  Schedule schedule;
  schedule.name = "nightly";
  schedule.cron = parse_cron("0 3 * * *").value();
  schedule.catch_up = catch_up;
  return schedule;
}

TEST(DueTest, NothingIsDue) {
  const auto decision = decide(daily(CatchUp::kLast), at("2026-11-21T03:00:00Z"), at("2026-11-21T20:00:00Z"));
  EXPECT_TRUE(decision.due.empty());
  EXPECT_EQ(decision.next, at("2026-11-22T03:00:00Z"));
}

TEST(DueTest, TheLastStandsForAll) {
  const auto decision = decide(daily(CatchUp::kLast), at("2026-11-17T03:00:00Z"), at("2026-11-21T08:00:00Z"));
  ASSERT_EQ(decision.due.size(), 1U);
  EXPECT_EQ(decision.due[0], (DueSpan{.first = at("2026-11-18T03:00:00Z"),
                                      .last = at("2026-11-21T03:00:00Z"),
                                      .count = 4,
                                      .runs = true,
                                      .reason = ""}));
  EXPECT_EQ(decision.next, at("2026-11-22T03:00:00Z"));
}

TEST(DueTest, NoneLeavesOutWhatNobodySaw) {
  auto decision = decide(daily(CatchUp::kNone), at("2026-11-17T03:00:00Z"), at("2026-11-21T08:00:00Z"));
  ASSERT_EQ(decision.due.size(), 1U);
  EXPECT_FALSE(decision.due[0].runs);
  EXPECT_EQ(decision.due[0].count, 4);
  // A few seconds late is not missed.
  decision = decide(daily(CatchUp::kNone), at("2026-11-19T03:00:00Z"), at("2026-11-21T03:00:05Z"));
  ASSERT_EQ(decision.due.size(), 2U);
  EXPECT_FALSE(decision.due[0].runs);
  EXPECT_TRUE(decision.due[1].runs);
  EXPECT_EQ(decision.due[1].last, at("2026-11-21T03:00:00Z"));
}

TEST(DueTest, AllIsARunForEachUpToABound) {
  auto schedule = daily(CatchUp::kAll);
  schedule.catch_up_max = 3;
  const auto decision = decide(schedule, at("2026-11-15T03:00:00Z"), at("2026-11-21T08:00:00Z"));
  ASSERT_EQ(decision.due.size(), 4U);
  EXPECT_FALSE(decision.due[0].runs);
  EXPECT_EQ(decision.due[0].count, 3);
  EXPECT_EQ(decision.due[1].last, at("2026-11-19T03:00:00Z"));
  EXPECT_EQ(decision.due[3].last, at("2026-11-21T03:00:00Z"));
}

TEST(DueTest, YearsOfSecondsAreCountedAtOnce) {
  Schedule schedule;
  schedule.every = Duration(1'000'000);
  const auto decision = decide(schedule, at("2000-01-01T00:00:00Z"), at("2026-01-01T00:00:00Z"));
  ASSERT_EQ(decision.due.size(), 1U);
  EXPECT_EQ(decision.due[0].count, 820'540'800);
  EXPECT_EQ(decision.due[0].first, at("2000-01-01T00:00:01Z"));
  EXPECT_EQ(decision.due[0].last, at("2026-01-01T00:00:00Z"));
}

TEST(DueTest, AYearOfLooksDecidesEveryTimeOnce) {
  const auto seed = std::random_device()();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937_64 dice(seed);
  for (const auto catch_up : {CatchUp::kNone, CatchUp::kLast, CatchUp::kAll}) {
    for (const auto* zone : {"Europe/Amsterdam", "America/New_York", "Australia/Lord_Howe"}) {
      auto schedule = daily(catch_up);
      schedule.cron = parse_cron("*/30 1-3 * * *").value();
      schedule.zone = TimeZone::find(zone).value();
      const auto begin = at("2026-01-01"), end = at("2027-01-01");
      int64_t wanted = 0;
      for (auto due = next_due(schedule, begin); *due <= end; due = next_due(schedule, *due))
        ++wanted;
      int64_t counted = 0;
      auto last = begin;
      for (auto now = begin; last < end && now < end + std::chrono::hours(48);) {
        now += Duration(static_cast<int64_t>(dice() % 200'000'000'000));
        for (const auto& span : decide(schedule, last, std::min(now, end)).due) {
          EXPECT_GT(span.first, last);
          counted += span.count;
          last = span.last;
        }
      }
      EXPECT_EQ(counted, wanted) << zone;
    }
  }
}

}  // namespace
}  // namespace tarn::flow
