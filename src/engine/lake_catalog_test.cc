#include "engine/lake_catalog.h"

#include <gtest/gtest.h>

namespace tarn::engine {
namespace {

TEST(FoldTest, IgnoresCaseInEveryScript) {
  EXPECT_EQ(fold("Orders_2024"), "orders_2024");
  EXPECT_EQ(fold("ÄÖÜ Straße ĳ"), "äöü straße ĳ");
  EXPECT_EQ(fold("ΑΒΓ ДЖ 🦆"), "αβγ дж 🦆");
  EXPECT_EQ(fold(fold("ÉCOLE")), fold("école"));
}

TEST(FoldTest, KeepsBytesThatAreNoText) {
  EXPECT_EQ(fold("A\xFF\xC3"), "a\xFF\xC3");
  EXPECT_EQ(fold("\xE2\x28\xA1"), "\xE2\x28\xA1");
}

}  // namespace
}  // namespace tarn::engine
