// Goal: times and durations are read as written, and what is none is refused. Method: texts with their
// values.
#include "base/time.h"

#include <gtest/gtest.h>

namespace tarn {
namespace {

std::string read(std::string_view text) {
  auto time = parse_time(text);
  return time ? format_utc(*time) : "! " + time.error().message;
}

TEST(TimeTest, ReadsWhatItWrites) {
  EXPECT_EQ(read("2026-11-21"), "2026-11-21T00:00:00Z");
  EXPECT_EQ(read("2026-11-21 06:35"), "2026-11-21T06:35:00Z");
  EXPECT_EQ(read("2026-11-21T06:35:00.123456Z"), "2026-11-21T06:35:00.123456Z");
  EXPECT_EQ(read("2026-11-21T06:35:00+01:30"), "2026-11-21T05:05:00Z");
  EXPECT_EQ(read("1969-12-31T23:59:59.5Z"), "1969-12-31T23:59:59.500000Z");
  EXPECT_EQ(read("2024-02-29"), "2024-02-29T00:00:00Z");
}

TEST(TimeTest, RefusesDaysThatAreNotInTheCalendar) {
  EXPECT_EQ(read("2026-02-29"), "! there is no such time: '2026-02-29'");
  EXPECT_EQ(read("2026-04-31T10:00:00Z"), "! there is no such time: '2026-04-31T10:00:00Z'");
  EXPECT_EQ(read("2026-00-10").front(), '!');
  EXPECT_EQ(read("2026-11-21T24:00:00Z").front(), '!');
}

TEST(TimeTest, RefusesYearsThatCannotBeWritten) {
  EXPECT_EQ(read("0000-01-01T00:00:00Z"), "0000-01-01T00:00:00Z");
  EXPECT_EQ(read("0000-01-01T00:00:00+00:01").front(), '!');
  EXPECT_EQ(read("9999-12-31T23:59:59-00:01").front(), '!');
}

TEST(TimeTest, Durations) {
  EXPECT_EQ(parse_duration("250ms").value(), std::chrono::milliseconds(250));
  EXPECT_EQ(parse_duration("7d").value(), std::chrono::hours(168));
  for (const char* wrong : {"", "s", "-1s", "1.5s", "1 s", "99999999999999999999s", "9223372036854775807d"}) {
    EXPECT_FALSE(parse_duration(wrong)) << wrong;
  }
}

}  // namespace
}  // namespace tarn
