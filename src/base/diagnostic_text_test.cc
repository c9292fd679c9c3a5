// Goal: an error that carries its place in front becomes the diagnostic that it was. Method: both ways.
#include "base/diagnostic_text.h"

#include <gtest/gtest.h>

namespace tarn {
namespace {

TEST(DiagnosticText, ThereAndBack) {
  for (const char* text :
       {"sources/w.yml:3:18: a: b", "seeds/a.csv:2: line 2", "no place", "a: b", "a:x: b", "1:2: b"}) {
    EXPECT_EQ(to_string(diagnostic_of_text(text)), text);
  }
  auto found = diagnostic_of_text("sources/w.yml:3:18: a: b");
  EXPECT_EQ(found.place, (Place{"sources/w.yml", 3, 18}));
  EXPECT_EQ(found.message, "a: b");
  EXPECT_EQ(diagnostic_of_text("a: b").place, Place{});
}

}  // namespace
}  // namespace tarn
