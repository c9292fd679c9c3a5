// Goal: after rows were put in, every reference points to what it pointed to before, and ranges over a filled
// area have all of it. Method: formulas as Excel writes them, one area of rows 5 to 6 that becomes five rows.
#include "report/template/formula.h"

#include <gtest/gtest.h>

namespace tarn::report::template_file {
namespace {

class FormulaTest : public testing::Test {
 protected:
  FormulaTest() { moves_.add({.first = 4, .last = 5, .rows = 5}); }

  std::string moved(std::string_view formula, MoveOptions options = {.sheet = "Data"}) {
    return move_formula(
        formula, [this](std::string_view sheet) { return sheet == "Data" ? &moves_ : nullptr; }, options);
  }

  RowMoves moves_;
};

TEST_F(FormulaTest, CellsAndRanges) {
  EXPECT_EQ(moved("A1+A5+A6+A7+$A$8"), "A1+A5+A6+A10+$A$11");
  EXPECT_EQ(moved("SUM(B5:B6)"), "SUM(B5:B9)");
  EXPECT_EQ(moved("SUM(B$4:B$6)"), "SUM(B$4:B$9)");
  EXPECT_EQ(moved("SUM(B5:B7)"), "SUM(B5:B10)");
  EXPECT_EQ(moved("SUM(B6:B6)"), "SUM(B6:B6)");
  EXPECT_EQ(moved("SUM(5:6)+SUM($1:$2)"), "SUM(5:9)+SUM($1:$2)");
  EXPECT_EQ(moved("A7:INDEX(A:A,9)"), "A10:INDEX(A:A,9)");
}

TEST_F(FormulaTest, SheetsThatDoNotMoveStay) {
  EXPECT_EQ(moved("Other!A7+'My data'!A7+Data!A7+'Data'!A7"), "Other!A7+'My data'!A7+Data!A10+'Data'!A10");
  EXPECT_EQ(moved("SUM(Data!B5:B6)", {.sheet = "Other"}), "SUM(Data!B5:B9)");
  EXPECT_EQ(moved("A7", {.sheet = "Other"}), "A7");
  EXPECT_EQ(moved("A7", {}), "A7");
  EXPECT_EQ(moved("[1]Data!A7+'[book.xlsx]Data'!A7+Data:Other!A7"),
            "[1]Data!A7+'[book.xlsx]Data'!A7+Data:Other!A7");
}

TEST_F(FormulaTest, WhatOnlyLooksLikeAReference) {
  for (const auto* text : {"\"A7\"&\"\"\"A7\"",
                           "LOG10(2)",
                           "Prices[[#This Row],[A7]]",
                           "Prices[A7]",
                           "A7_rate*2",
                           "TRUE",
                           "1E+10",
                           "A:C",
                           "$A:$A",
                           "Data!#REF!",
                           "#REF!",
                           "#N/A",
                           "\xC3\xA9"
                           "A7",
                           "A7.total",
                           "ABCD7",
                           "A1048577",
                           "'unclosed",
                           "\"open",
                           "Prices[open",
                           ""})
    EXPECT_EQ(moved(text), text);
  EXPECT_EQ(moved("SUM(Prices[Close])*A7"), "SUM(Prices[Close])*A10");
  EXPECT_EQ(moved("IF(A7=\"A7\",#N/A,A7)"), "IF(A10=\"A7\",#N/A,A10)");
}

TEST_F(FormulaTest, InARepeatedRowOnlyPinnedRangesGrow) {
  const MoveOptions repeated{.sheet = "Data", .repeated = true};
  EXPECT_EQ(moved("SUM(B$5:B5)", repeated), "SUM(B$5:B5)");
  EXPECT_EQ(moved("B5/SUM($B$5:$B$6)", repeated), "B5/SUM($B$5:$B$9)");
  EXPECT_EQ(moved("B5*$F$8", repeated), "B5*$F$11");
}

TEST_F(FormulaTest, RowsThatGoAway) {
  RowMoves fewer;
  fewer.add({.first = 4, .last = 9, .rows = 2});
  const auto now = [&](std::string_view formula) {
    return move_formula(formula, [&](std::string_view) { return &fewer; }, {.sheet = "Data"});
  };
  EXPECT_EQ(now("A5+A6+A7+A11"), "A5+A6+#REF!+A7");
  EXPECT_EQ(now("SUM(A5:A10)+SUM(A4:A20)"), "SUM(A5:A6)+SUM(A4:A16)");
  EXPECT_EQ(now("SUM(A8:A9)"), "SUM(#REF!)");
}

TEST_F(FormulaTest, ASeriesOfOneCellBecomesOneOfAll) {
  RowMoves one;
  one.add({.first = 4, .last = 4, .rows = 3});
  const auto moves = [&](std::string_view) { return &one; };
  EXPECT_EQ(move_formula("Data!$B$5", moves, {.widen_cells = true}), "Data!$B$5:$B$7");
  EXPECT_EQ(move_formula("Data!$B$1", moves, {.widen_cells = true}), "Data!$B$1");
  EXPECT_EQ(move_formula("Data!$B$5", moves, {}), "Data!$B$5");
}

TEST(CopyFormulaTest, RelativePartsFollow) {
  EXPECT_EQ(copy_formula("B5*$C5*D$5*$E$5+Other!A1+SUM(A$1:A5)", 3, 1),
            "C8*$C8*E$5*$E$5+Other!B4+SUM(B$1:B8)");
  EXPECT_EQ(copy_formula("A2", -2, 0), "#REF!");
  EXPECT_EQ(copy_formula("\"A2\"&LOG10(A2)&T[A2]", 1, 0), "\"A2\"&LOG10(A3)&T[A2]");
}

TEST(RowMovesTest, SeveralAreas) {
  RowMoves moves;
  moves.add({.first = 20, .last = 20, .rows = 1});
  moves.add({.first = 10, .last = 11, .rows = 4});
  moves.add({.first = 2, .last = 5, .rows = 1});
  EXPECT_EQ(moves.row(1), 1);
  EXPECT_EQ(moves.row(2), 2);
  EXPECT_EQ(moves.row(3), std::nullopt);
  EXPECT_EQ(moves.nearest(5), 2);
  EXPECT_EQ(moves.row(6), 3);
  EXPECT_EQ(moves.row(11), 8);
  EXPECT_EQ(moves.row(12), 11);
  EXPECT_EQ(moves.range(10, 11), (std::pair<int64_t, int64_t>(7, 10)));
  EXPECT_EQ(moves.range(3, 4), std::nullopt);
  EXPECT_EQ(moves.range(0, 30), (std::pair<int64_t, int64_t>(0, 29)));
  EXPECT_EQ(moves.shift_behind(), -1);
}

}  // namespace
}  // namespace tarn::report::template_file
