// Goal: cron texts are read as cron reads them, mistakes are told with their place, and changes of the clock
// are treated as cron.h says. Method: tables of texts and times, in zones with an ordinary, a half-hour and
// no change. tests/schedules compares random ones with Python's zoneinfo and croniter.
#include "flow/cron.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/time.h"

namespace tarn::flow {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TimeZone zone(std::string_view name) {
  auto found = TimeZone::find(name);
  EXPECT_TRUE(found) << found.error().message;
  return found ? *found : TimeZone();
}

Timestamp at(std::string_view text) {
  return parse_time(text).value();
}

// The next due times after a moment.
std::vector<std::string> due(std::string_view text, std::string_view zone_name, std::string_view after,
                             size_t count) {
  const auto cron = parse_cron(text);
  EXPECT_TRUE(cron) << cron.error().message;
  std::vector<std::string> times;
  auto time = at(after);
  while (cron && times.size() < count) {
    const auto next = next_due(*cron, zone(zone_name), time);
    if (!next)
      break;
    EXPECT_GT(*next, time);
    times.push_back(format_utc(*next));
    time = *next;
  }
  return times;
}

struct Mistake {
  std::string message;
  size_t place = 0;
};

Mistake mistake_of(std::string_view text) {
  Mistake mistake;
  const auto cron = parse_cron(text, &mistake.place);
  EXPECT_FALSE(cron) << text;
  mistake.message = cron ? "" : cron.error().message;
  return mistake;
}

TEST(CronTest, NumbersNamesRangesStepsAndLists) {
  EXPECT_THAT(due("30 6 * * *", "UTC", "2026-11-21", 2),
              ElementsAre("2026-11-21T06:30:00Z", "2026-11-22T06:30:00Z"));
  EXPECT_THAT(due("*/20 9-10 * * *", "UTC", "2026-11-21T09:21:00Z", 4),
              ElementsAre("2026-11-21T09:40:00Z", "2026-11-21T10:00:00Z", "2026-11-21T10:20:00Z",
                          "2026-11-21T10:40:00Z"));
  EXPECT_THAT(due("0 12 * Jan,jun Mon", "UTC", "2026-01-20", 2),
              ElementsAre("2026-01-26T12:00:00Z", "2026-06-01T12:00:00Z"));
  EXPECT_THAT(due("5/25 0 1 * *", "UTC", "2026-11-21", 3),
              ElementsAre("2026-12-01T00:05:00Z", "2026-12-01T00:30:00Z", "2026-12-01T00:55:00Z"));
}

TEST(CronTest, SundayIsZeroAndSeven) {
  const auto sundays = ElementsAre("2026-11-22T00:00:00Z", "2026-11-29T00:00:00Z");
  EXPECT_THAT(due("0 0 * * 0", "UTC", "2026-11-21", 2), sundays);
  EXPECT_THAT(due("0 0 * * 7", "UTC", "2026-11-21", 2), sundays);
  EXPECT_THAT(due("0 0 * * sun", "UTC", "2026-11-21", 2), sundays);
  EXPECT_THAT(due("0 0 * * fri-sun", "UTC", "2026-11-22", 2),
              ElementsAre("2026-11-27T00:00:00Z", "2026-11-28T00:00:00Z"));
  EXPECT_THAT(due("0 0 * * sat-7", "UTC", "2026-11-21", 2),
              ElementsAre("2026-11-22T00:00:00Z", "2026-11-28T00:00:00Z"));
}

TEST(CronTest, TwoDayFieldsMeanEither) {
  // The 13th and every Friday.
  EXPECT_THAT(due("0 0 13 * fri", "UTC", "2026-11-07", 3),
              ElementsAre("2026-11-13T00:00:00Z", "2026-11-20T00:00:00Z", "2026-11-27T00:00:00Z"));
  // A field that begins with * asks for both.
  EXPECT_THAT(due("0 0 */2 * fri", "UTC", "2026-11-07", 2),
              ElementsAre("2026-11-13T00:00:00Z", "2026-11-27T00:00:00Z"));
}

TEST(CronTest, LastDayOfTheMonth) {
  EXPECT_THAT(due("0 0 L * *", "UTC", "2028-01-15", 3),
              ElementsAre("2028-01-31T00:00:00Z", "2028-02-29T00:00:00Z", "2028-03-31T00:00:00Z"));
  EXPECT_THAT(due("0 0 1,L 2 *", "UTC", "2026-01-15", 2),
              ElementsAre("2026-02-01T00:00:00Z", "2026-02-28T00:00:00Z"));
}

TEST(CronTest, NamesForFiveFields) {
  EXPECT_THAT(due("@hourly", "UTC", "2026-11-21T10:30:00Z", 1), ElementsAre("2026-11-21T11:00:00Z"));
  EXPECT_THAT(due("@Daily", "UTC", "2026-11-21T10:30:00Z", 1), ElementsAre("2026-11-22T00:00:00Z"));
  EXPECT_THAT(due("@weekly", "UTC", "2026-11-21", 1), ElementsAre("2026-11-22T00:00:00Z"));
  EXPECT_THAT(due("@monthly", "UTC", "2026-11-21", 1), ElementsAre("2026-12-01T00:00:00Z"));
  EXPECT_THAT(due("@yearly", "UTC", "2026-11-21", 1), ElementsAre("2027-01-01T00:00:00Z"));
}

TEST(CronTest, DaysThatComeSeldom) {
  EXPECT_THAT(due("0 0 29 2 *", "UTC", "2096-03-01", 1), ElementsAre("2104-02-29T00:00:00Z"));
  const auto never = parse_cron("0 0 30 2 *");
  ASSERT_TRUE(never);
  EXPECT_FALSE(next_on_wall(*never, WallTime()));
  EXPECT_FALSE(next_due(*never, TimeZone(), at("2026-11-21")));
}

TEST(CronTest, MistakesNameTheFieldAndItsPlace) {
  EXPECT_THAT(mistake_of("61 * * * *").message, HasSubstr("'61' is not a minute (0 to 59)"));
  const auto hour = mistake_of("0  24 * * *");
  EXPECT_THAT(hour.message, HasSubstr("'24' is not a hour"));
  EXPECT_EQ(hour.place, 3U);
  EXPECT_THAT(mistake_of("0 0 0 * *").message, HasSubstr("day of month (1 to 31)"));
  EXPECT_THAT(mistake_of("0 0 * jam *").message, HasSubstr("'jam' is not a month"));
  EXPECT_THAT(mistake_of("0 0 * * 8").message, HasSubstr("day of week"));
  EXPECT_THAT(mistake_of("0 0 * *").message, HasSubstr("five fields"));
  EXPECT_THAT(mistake_of("0 0 * * * *").message, HasSubstr("has 6"));
  EXPECT_THAT(mistake_of("").message, HasSubstr("five fields"));
  EXPECT_THAT(mistake_of("@dayly").message, HasSubstr("@daily"));
  EXPECT_THAT(mistake_of("*/0 * * * *").message, HasSubstr("'*/0'"));
  EXPECT_THAT(mistake_of("*/99 * * * *").message, HasSubstr("longer"));
  EXPECT_THAT(mistake_of("0 22-4 * * *").message, HasSubstr("22-23,0-4"));
  for (const auto* text : {"1,,2 * * * *", "-1 * * * *", "1- * * * *", "/5 * * * *", "1-2-3 * * * *",
                           "+5 * * * *", "0x5 * * * *", "99999999999 * * * *", "L * * * *", "1/ * * * *"}) {
    mistake_of(text);
  }
}

// Amsterdam's clocks go from 02:00 to 03:00 on 2026-03-29 (01:00 UTC), and from 03:00 to 02:00 on 2026-10-25.
TEST(CronTest, ATimeThatIsLeftOutHappensOnceRightAfterTheGap) {
  EXPECT_THAT(due("30 2 * * *", "Europe/Amsterdam", "2026-03-28T00:00:00Z", 3),
              ElementsAre("2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"));
  // Several of them: once.
  EXPECT_THAT(due("0,20,40 2 * * *", "Europe/Amsterdam", "2026-03-29T00:00:00Z", 2),
              ElementsAre("2026-03-29T01:00:00Z", "2026-03-30T00:00:00Z"));
  // Together with one that is there: still once.
  EXPECT_THAT(due("0 2,3 * * *", "Europe/Amsterdam", "2026-03-29T00:00:00Z", 2),
              ElementsAre("2026-03-29T01:00:00Z", "2026-03-30T00:00:00Z"));
}

TEST(CronTest, ATimeThatComesTwiceHappensTheFirstTime) {
  EXPECT_THAT(due("30 2 * * *", "Europe/Amsterdam", "2026-10-24T12:00:00Z", 2),
              ElementsAre("2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"));
  // Asked between the two.
  EXPECT_THAT(due("30 2 * * *", "Europe/Amsterdam", "2026-10-25T00:45:00Z", 1),
              ElementsAre("2026-10-26T01:30:00Z"));
}

TEST(CronTest, EveryHourGoesByElapsedTime) {
  EXPECT_THAT(due("0 * * * *", "Europe/Amsterdam", "2026-03-28T23:30:00Z", 4),
              ElementsAre("2026-03-29T00:00:00Z", "2026-03-29T01:00:00Z", "2026-03-29T02:00:00Z",
                          "2026-03-29T03:00:00Z"));
  EXPECT_THAT(due("*/30 * * * *", "Europe/Amsterdam", "2026-10-24T23:59:00Z", 6),
              ElementsAre("2026-10-25T00:00:00Z", "2026-10-25T00:30:00Z", "2026-10-25T01:00:00Z",
                          "2026-10-25T01:30:00Z", "2026-10-25T02:00:00Z", "2026-10-25T02:30:00Z"));
}

// New York: forward at 07:00 UTC on 2026-03-08, back at 06:00 UTC on 2026-11-01.
TEST(CronTest, NewYork) {
  EXPECT_THAT(due("15 2 * * sun", "America/New_York", "2026-03-02", 2),
              ElementsAre("2026-03-08T07:00:00Z", "2026-03-15T06:15:00Z"));
  EXPECT_THAT(due("30 1 * * *", "America/New_York", "2026-11-01T00:00:00Z", 2),
              ElementsAre("2026-11-01T05:30:00Z", "2026-11-02T06:30:00Z"));
}

// Lord Howe's clocks are changed by half an hour: forward at 02:00 on 2026-10-04 (15:30 UTC the day before),
// back at 02:00 on 2026-04-05 (15:00 UTC the day before).
TEST(CronTest, LordHowe) {
  EXPECT_THAT(due("15 2 * * *", "Australia/Lord_Howe", "2026-10-02T16:00:00Z", 2),
              ElementsAre("2026-10-03T15:30:00Z", "2026-10-04T15:15:00Z"));
  EXPECT_THAT(due("45 1 * * *", "Australia/Lord_Howe", "2026-04-04T00:00:00Z", 2),
              ElementsAre("2026-04-04T14:45:00Z", "2026-04-05T15:15:00Z"));
  EXPECT_THAT(due("15,45 * * * *", "Australia/Lord_Howe", "2026-04-04T14:00:00Z", 4),
              ElementsAre("2026-04-04T14:15:00Z", "2026-04-04T14:45:00Z", "2026-04-04T15:15:00Z",
                          "2026-04-04T15:45:00Z"));
}

// Samoa left out 2011-12-30 whole.
TEST(CronTest, ADayThatIsLeftOut) {
  EXPECT_THAT(due("0 6 * * *", "Pacific/Apia", "2011-12-29T00:00:00Z", 3),
              ElementsAre("2011-12-29T16:00:00Z", "2011-12-30T10:00:00Z", "2011-12-30T16:00:00Z"));
}

TEST(CronTest, EverySoOftenIsInWholeMultiples) {
  EXPECT_EQ(format_utc(next_due(Duration(900'000'000), at("2026-11-21T10:07:00Z"))), "2026-11-21T10:15:00Z");
  EXPECT_EQ(format_utc(next_due(Duration(900'000'000), at("2026-11-21T10:15:00Z"))), "2026-11-21T10:30:00Z");
  EXPECT_EQ(format_utc(next_due(Duration(10'000'000), at("1969-12-31T23:59:55Z"))), "1970-01-01T00:00:00Z");
}

TEST(TimeZoneTest, UnknownNamesProposeANearOne) {
  const auto missing = TimeZone::find("Amsterdam");
  ASSERT_FALSE(missing);
  EXPECT_THAT(missing.error().message, HasSubstr("did you mean 'Europe/Amsterdam'?"));
  EXPECT_FALSE(TimeZone::find("../../etc/passwd"));
  EXPECT_TRUE(TimeZone::find("UTC"));
}

}  // namespace
}  // namespace tarn::flow
