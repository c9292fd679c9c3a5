// Goal: any bytes become text, and text stays. Method: good, broken and cut code points.
#include "codec/utf8.h"

#include <gtest/gtest.h>

namespace tarn::codec {
namespace {

TEST(Utf8Test, BytesThatAreNoTextAreReplacedOneByOne) {
  EXPECT_EQ(as_utf8("plain, größer, 水, 🐟"), "plain, größer, 水, 🐟");
  EXPECT_EQ(as_utf8("a\xFF"
                    "b"),
            "a\xEF\xBF\xBD"
            "b");
  EXPECT_EQ(as_utf8("水\xE6\xB0"), "水\xEF\xBF\xBD\xEF\xBF\xBD");                // cut in the middle
  EXPECT_EQ(as_utf8("\xED\xA0\x80x"), "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBDx");  // half of a pair
  EXPECT_EQ(as_utf8(""), "");
}

}  // namespace
}  // namespace tarn::codec
