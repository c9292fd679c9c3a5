// Goal: a schedule's text is read whole, and every mistake in it is told with its place. Method: YAML texts.
#include "flow/schedule.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tarn::flow {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<Schedule> read(std::string_view text, Diagnostics& mistakes) {
  const auto node = codec::parse_yaml(text, "tarn.yml");
  EXPECT_TRUE(node) << node.error().message;
  return read_schedules(*node, mistakes);
}

// The only mistake.
std::string mistake(std::string_view text) {
  Diagnostics mistakes;
  read(text, mistakes);
  EXPECT_EQ(mistakes.size(), 1U) << text;
  return mistakes.empty() ? "" : to_string(mistakes.front());
}

TEST(ScheduleTest, AFullOneIsRead) {
  Diagnostics mistakes;
  const auto all = read(R"(nightly:
  run: [raw_bars+, tag:daily]
  exclude: stg_old
  cron: "0 3 * * mon-fri"
  time_zone: America/New_York
  catch_up: all
  catch_up_max: 7
  timeout: 2h
  task_timeout: 30m
  retries: 2
  retry_delay: 5m
  pause: true
  full_refresh: true
  vars: {city: Utrecht, days: 3}
often: {run: weather, every: 90s, catch_up: none}
then: {run: [report], after: [raw_bars, public.mart_prices]}
)",
                        mistakes);
  ASSERT_TRUE(mistakes.empty()) << to_string(mistakes.front());
  ASSERT_EQ(all.size(), 3U);
  const auto& nightly = all[0];
  EXPECT_EQ(nightly.name, "nightly");
  EXPECT_EQ(nightly.place.line, 1);
  EXPECT_THAT(nightly.run, ElementsAre("raw_bars+", "tag:daily"));
  EXPECT_THAT(nightly.exclude, ElementsAre("stg_old"));
  EXPECT_EQ(pattern_of(nightly), "0 3 * * mon-fri");
  EXPECT_EQ(nightly.zone->name(), "America/New_York");
  EXPECT_EQ(nightly.catch_up, CatchUp::kAll);
  EXPECT_EQ(nightly.catch_up_max, 7);
  EXPECT_EQ(nightly.timeout, std::chrono::hours(2));
  EXPECT_EQ(nightly.task_timeout, std::chrono::minutes(30));
  EXPECT_EQ(nightly.retries, 2);
  EXPECT_EQ(nightly.retry_delay, std::chrono::minutes(5));
  EXPECT_TRUE(nightly.pause);
  EXPECT_TRUE(nightly.full_refresh);
  EXPECT_EQ(nightly.vars.at("days"), "3");
  EXPECT_EQ(pattern_of(all[1]), "every 90s");
  EXPECT_EQ(all[1].catch_up, CatchUp::kNone);
  EXPECT_EQ(pattern_of(all[2]), "after raw_bars, public.mart_prices");
}

TEST(ScheduleTest, MistakesHaveTheirPlace) {
  EXPECT_EQ(mistake("a: {run: x, cron: '0 25 * * *'}").substr(0, 14), "tarn.yml:1:22:");
  EXPECT_THAT(mistake("a: {run: x, cron: '0 0 30 2 *'}"), HasSubstr("never comes"));
  EXPECT_THAT(mistake("a: {run: x, cron: '0 0 31 apr,jun *'}"), HasSubstr("never comes"));
  EXPECT_THAT(mistake("a: {run: x}"), HasSubstr("exactly one of cron, every and after"));
  EXPECT_THAT(mistake("a: {run: x, every: 1h, cron: '@daily'}"), HasSubstr("exactly one"));
  EXPECT_THAT(mistake("a: {run: x, every: soon}"), HasSubstr("every is a time"));
  EXPECT_THAT(mistake("a: {run: x, every: 10ms}"), HasSubstr("at least 1s"));
  EXPECT_THAT(mistake("a: {run: x, every: 1h, time_zone: Europe/Amsterdamm}"), HasSubstr("no time zone"));
  EXPECT_THAT(mistake("a: {run: x, every: 1h, catch_up: some}"), HasSubstr("catch_up"));
  EXPECT_THAT(mistake("a: {run: x, every: 1h, retries: -1}"), HasSubstr("between 0 and"));
  EXPECT_THAT(mistake("a: {run: x, every: 1h, retrys: 1}"), HasSubstr("did you mean 'retries'"));
  EXPECT_THAT(mistake("a: {run: x, every: 1h, vars: [1]}"), HasSubstr("vars must be a map"));
  EXPECT_THAT(mistake("a: '0 6 * * *'"), HasSubstr("is a map with run"));
  EXPECT_THAT(mistake("'a/b': {run: x, every: 1h}"), HasSubstr("the schedule's name"));
  EXPECT_THAT(mistake("[1, 2]"), HasSubstr("schedules is a map of names"));
}

std::optional<Schedule> of_source(std::string_view text, Diagnostics& mistakes) {
  const auto node = codec::parse_yaml(text, "sources/bars.yml");
  EXPECT_TRUE(node) << node.error().message;
  return read_source_schedule(*node, "bars", mistakes);
}

TEST(ScheduleTest, ASourcesOwnIsACronTextOrAMap) {
  Diagnostics mistakes;
  auto schedule = of_source("0 6 * * *", mistakes);
  ASSERT_TRUE(schedule) << to_string(mistakes.front());
  EXPECT_EQ(schedule->name, "bars");
  EXPECT_THAT(schedule->run, ElementsAre("bars+"));
  schedule = of_source("{every: 15m, downstream: false}", mistakes);
  ASSERT_TRUE(schedule) << to_string(mistakes.front());
  EXPECT_THAT(schedule->run, ElementsAre("bars"));
  EXPECT_FALSE(of_source("whenever", mistakes));
  EXPECT_FALSE(of_source("[0 6 * * *]", mistakes));
  EXPECT_FALSE(of_source("{run: bars, every: 1h}", mistakes));
  EXPECT_EQ(mistakes.size(), 3U);
}

}  // namespace
}  // namespace tarn::flow
