#include "serve/http/calendar.h"

#include <gtest/gtest.h>

#include "base/time.h"

namespace tarn::serve {
namespace {

Timestamp at(const char* text) {
  return parse_time(text).value();
}

flow::Due due(const char* time, const char* schedule, flow::DueState state, int64_t count = 1) {
  flow::Due one;
  one.due_at = at(time);
  one.schedule = schedule;
  one.state = state;
  one.count = count;
  one.run_id = std::string("run of ") + time;
  return one;
}

// Goal: what belongs to one day of the zone stands in one line by schedule and state, also in the night in
// which the clocks change.
TEST(CalendarTest, GathersByDayOfTheZone) {
  const auto zone = TimeZone::find("Europe/Amsterdam").value();
  const auto cells =
      calendar_cells({due("2026-10-24T21:30:00Z", "often", flow::DueState::kDone),     // 23:30 on the 24th
                      due("2026-10-24T22:30:00Z", "often", flow::DueState::kDone),     // 00:30 on the 25th
                      due("2026-10-25T00:30:00Z", "often", flow::DueState::kFailed),   // 02:30, summer
                      due("2026-10-25T01:30:00Z", "often", flow::DueState::kDone, 3),  // 02:30, winter
                      due("2026-10-25T22:30:00Z", "often", flow::DueState::kDone)},    // 23:30 on the 25th
                     {{at("2026-10-25T23:00:00Z"), "often"}}, zone, CalendarStep::kDay);
  ASSERT_EQ(cells.size(), 4U) << cells.dump();
  EXPECT_EQ(cells[0]["at"], "2026-10-24");
  EXPECT_EQ(cells[1]["at"], "2026-10-25");
  EXPECT_EQ(cells[1]["state"], "done");
  EXPECT_EQ(cells[1]["count"], 5);
  EXPECT_EQ(cells[1]["first_at"], "2026-10-24T22:30:00Z");
  EXPECT_EQ(cells[1]["last_at"], "2026-10-25T22:30:00Z");
  EXPECT_EQ(cells[1]["run"], "run of 2026-10-25T22:30:00Z");
  EXPECT_EQ(cells[2]["state"], "failed");
  EXPECT_EQ(cells[3]["at"], "2026-10-26");
  EXPECT_EQ(cells[3]["state"], "due");
}

// Goal: by hour, the hour that comes twice is one place.
TEST(CalendarTest, GathersByHour) {
  const auto zone = TimeZone::find("Europe/Amsterdam").value();
  const auto cells = calendar_cells({due("2026-10-25T00:30:00Z", "a", flow::DueState::kDone),
                                     due("2026-10-25T01:30:00Z", "a", flow::DueState::kDone),
                                     due("2026-10-25T02:30:00Z", "a", flow::DueState::kDone)},
                                    {}, zone, CalendarStep::kHour);
  ASSERT_EQ(cells.size(), 2U) << cells.dump();
  EXPECT_EQ(cells[0]["at"], "2026-10-25T02:00");
  EXPECT_EQ(cells[0]["count"], 2);
  EXPECT_EQ(cells[1]["at"], "2026-10-25T03:00");
}

}  // namespace
}  // namespace tarn::serve
