// Goal: a server cleans once a day, whatever the clock does, and its end waits for it.
#include "app/server/janitor.h"

#include <atomic>

#include <gtest/gtest.h>

#include "base/time.h"

namespace tarn::app {
namespace {

TEST(JanitorTest, OnceADay) {
  const auto at = [](std::string_view text) { return parse_time(text).value(); };
  EXPECT_TRUE(cleans_now({}, at("2026-11-29T03:00:00Z")));
  EXPECT_FALSE(cleans_now(at("2026-11-28T03:00:01Z"), at("2026-11-29T03:00:00Z")));
  EXPECT_TRUE(cleans_now(at("2026-11-28T03:00:00Z"), at("2026-11-29T03:00:00Z")));
  EXPECT_TRUE(cleans_now(at("2027-11-28T03:00:00Z"), at("2026-11-29T03:00:00Z")));  // the clock was set back
}

TEST(JanitorTest, StopsAtOnce) {
  std::atomic<int> looks{0};
  Janitor janitor([&looks] { ++looks; });
  janitor.start();
  janitor.stop();
  EXPECT_EQ(looks, 0);
}

}  // namespace
}  // namespace tarn::app
