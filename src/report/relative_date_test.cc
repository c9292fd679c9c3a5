// Goal: dates of forms mean what people write. Method: each form of words against a date counted by hand.
#include "report/relative_date.h"

#include <gtest/gtest.h>

namespace tarn::report {
namespace {

constexpr auto kToday = std::chrono::year(2026) / 3 / 31;  // a Tuesday

std::string resolved(std::string_view text) {
  const auto date = resolve_date(text, kToday);
  return date ? format_date(*date) : date.error().message;
}

TEST(RelativeDateTest, Words) {
  EXPECT_EQ(resolved("2024-02-29"), "2024-02-29");
  EXPECT_EQ(resolved("today"), "2026-03-31");
  EXPECT_EQ(resolved("Yesterday"), "2026-03-30");
  EXPECT_EQ(resolved("tomorrow"), "2026-04-01");
  EXPECT_EQ(resolved("today - 30 days"), "2026-03-01");
  EXPECT_EQ(resolved("today-1 week"), "2026-03-24");
  EXPECT_EQ(resolved("start of week"), "2026-03-30");
  EXPECT_EQ(resolved("end of week"), "2026-04-05");
  EXPECT_EQ(resolved("start of month - 1 month"), "2026-02-01");
  EXPECT_EQ(resolved("end of quarter"), "2026-03-31");
  EXPECT_EQ(resolved("start of year - 1 year + 2 quarters"), "2025-07-01");
}

TEST(RelativeDateTest, AMonthWithoutThatDayEndsEarlier) {
  EXPECT_EQ(resolved("today - 1 month"), "2026-02-28");
  EXPECT_EQ(resolved("today + 1 month"), "2026-04-30");
}

TEST(RelativeDateTest, NothingElseIsADate) {
  for (const auto* text :
       {"", "2026-02-30", "31.03.2026", "today -", "today - days", "today - 5", "today - -5 days",
        "start of day", "soon", "today - 100001 days", "today + 99999 years"})
    EXPECT_NE(resolved(text).find("is not a date: write 2026-11-21"), std::string::npos)
        << text << resolved(text);
}

}  // namespace
}  // namespace tarn::report
