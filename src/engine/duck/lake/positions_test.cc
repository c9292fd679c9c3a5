// Goal: the bitmap of deleted rows says what a set of numbers says. Method: random positions; the seed is
// printed.
#include "engine/duck/lake/positions.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace tarn::engine::lake {
namespace {

TEST(PositionsTest, IsASetOfNumbers) {
  const auto seed = std::random_device()();
  std::printf("seed %u\n", seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 50; ++round) {
    Positions rows;
    Positions others;
    std::set<int64_t> expected;
    std::set<int64_t> other_expected;
    const auto any = [&] { return static_cast<int64_t>(random() % 1000); };
    for (int i = 0; i < 200; ++i) {
      const auto position = any();
      EXPECT_EQ(rows.add(position), expected.insert(position).second);
      const auto other = any() + (i % 2 == 0 ? 0 : 2000);
      others.add(other);
      other_expected.insert(other);
    }
    const auto first = any();
    uint64_t window = 0;
    for (int64_t bit = 0; bit < 64; ++bit) {
      window |= expected.contains(first + bit) ? uint64_t{1} << bit : 0;
    }
    EXPECT_EQ(rows.window(first), window) << first;
    EXPECT_EQ(rows.window(100'000), 0U);
    const bool shared = std::any_of(expected.begin(), expected.end(),
                                    [&](int64_t row) { return other_expected.contains(row); });
    EXPECT_EQ(rows.intersects(others), shared);
    rows.add_all(others);
    expected.insert(other_expected.begin(), other_expected.end());
    EXPECT_EQ(rows.count(), static_cast<int64_t>(expected.size()));
    std::set<int64_t> visited;
    rows.each([&](int64_t row) { EXPECT_TRUE(visited.insert(row).second); });
    EXPECT_EQ(visited, expected);
  }
}

}  // namespace
}  // namespace tarn::engine::lake
