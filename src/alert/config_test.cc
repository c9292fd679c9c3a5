// Goal: every mistake in `alerts:` is told at its place, and what has none means what docs/alerts.md says.
// Method: texts.
#include "alert/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/time.h"

namespace tarn::alert {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<Channel> read(const std::string& text, Diagnostics& mistakes) {
  const auto node = codec::parse_yaml(text, "tarn.yml");
  EXPECT_TRUE(node);
  return read_channels(*node, mistakes);
}

std::string mistake(const std::string& text) {
  Diagnostics mistakes;
  const auto channels = read(text, mistakes);
  EXPECT_TRUE(channels.empty());
  EXPECT_EQ(mistakes.size(), 1U) << text;
  return mistakes.empty() ? "" : to_string(mistakes.front());
}

TEST(AlertConfigTest, DefaultsAndAllKeys) {
  Diagnostics mistakes;
  const auto channels = read(
      "me: {mail: [Ada <ada@example.org>, bob@example.org]}\n"
      "hook: {webhook: https://x.org/h, secret: \"${env:K}\", events: [failure, recovery], of: tag:daily,\n"
      "  except: [stg_x], quarantine_rows: 5, per_hour: 2, quiet: \"22:00-07:00\", repeatable: true,\n"
      "  first_delay: 1s, give_up: 2h, timeout: 5s}\n",
      mistakes);
  ASSERT_TRUE(mistakes.empty()) << to_string(mistakes.front());
  ASSERT_EQ(channels.size(), 2U);
  EXPECT_EQ(channels[0].events.size(), 5U);
  EXPECT_EQ(channels[0].per_hour, 10);
  EXPECT_EQ(target_of(channels[0]), "Ada <ada@example.org>, bob@example.org");
  const auto& hook = channels[1];
  EXPECT_EQ(hook.kind, Kind::kWebhook);
  EXPECT_EQ(target_of(hook), "webhook");
  EXPECT_THAT(hook.of, ElementsAre("tag:daily"));
  EXPECT_EQ(hook.quarantine_rows, 5);
  EXPECT_EQ(hook.quiet->from, 22 * 60);
  EXPECT_EQ(hook.give_up, Duration(7'200'000'000));
  EXPECT_EQ(hook.timeout.count(), 5);
}

TEST(AlertConfigTest, MistakesHaveAPlace) {
  EXPECT_THAT(mistake("me: {}"), HasSubstr("tarn.yml:1:5: alert me needs exactly one of mail"));
  EXPECT_THAT(mistake("me: {mail: a@b, ntfy: https://x/y}"), HasSubstr("exactly one"));
  EXPECT_THAT(mistake("me: {mail: ada}"), HasSubstr("tarn.yml:1:12: 'ada' is no mail address"));
  EXPECT_THAT(mistake("me: {mail: []}"), HasSubstr("names somebody"));
  EXPECT_THAT(mistake("t: {slack: https://hooks.slack.com/services/T/B/x}"), HasSubstr("as a reference"));
  EXPECT_THAT(mistake("t: {webhook: ftp://x}"), HasSubstr("begins with https://"));
  EXPECT_THAT(mistake("t: {webhook: https://x, secret: open}"), HasSubstr("as a reference"));
  EXPECT_THAT(mistake("t: {mail: a@b, secret: \"${env:X}\"}"), HasSubstr("kind webhook"));
  EXPECT_THAT(mistake("t: {mail: a@b, events: [failur]}"), HasSubstr("no event 'failur'"));
  EXPECT_THAT(mistake("t: {mail: a@b, events: []}"), HasSubstr("tells nothing"));
  EXPECT_THAT(mistake("t: {mail: a@b, quiet: 22-7}"), HasSubstr("tarn.yml:1:23: quiet '22-7'"));
  EXPECT_THAT(mistake("t: {mail: a@b, per_hour: 0}"), HasSubstr("between 1 and"));
  EXPECT_THAT(mistake("t: {mail: a@b, evens: [failure]}"), HasSubstr("did you mean 'events'"));
  EXPECT_THAT(mistake("\"a b\": {mail: a@b}"), HasSubstr("may not have blanks"));
  EXPECT_THAT(mistake("[me]"), HasSubstr("a map of names"));
}

TEST(AlertConfigTest, QuietHoursByTheClockOnTheWall) {
  const auto zone = TimeZone::find("Europe/Amsterdam").value();
  const Quiet night{.from = 22 * 60, .to = 7 * 60};
  const auto at = [](std::string_view text) { return parse_time(text).value(); };
  EXPECT_FALSE(is_quiet(night, at("2026-11-29T20:59:00Z"), zone));
  EXPECT_TRUE(is_quiet(night, at("2026-11-29T21:00:00Z"), zone));
  EXPECT_TRUE(is_quiet(night, at("2026-11-30T05:59:59Z"), zone));
  EXPECT_FALSE(is_quiet(night, at("2026-11-30T06:00:00Z"), zone));
  EXPECT_EQ(end_of_quiet(night, at("2026-11-29T23:30:30Z"), zone), at("2026-11-30T06:00:00Z"));
  // The night in which clocks go back is an hour longer.
  EXPECT_EQ(end_of_quiet(night, at("2026-10-24T21:00:00Z"), zone), at("2026-10-25T06:00:00Z"));
}

}  // namespace
}  // namespace tarn::alert
