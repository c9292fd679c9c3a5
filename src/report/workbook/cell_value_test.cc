// Goal: a cell holds exactly what the query said, or stands as text. Method: DuckDB's texts against numbers
// that Excel's own documentation gives.
#include "report/workbook/cell_value.h"

#include <cmath>

#include <gtest/gtest.h>

#include "report/workbook/reference.h"

namespace tarn::report {
namespace {

double number(std::string_view type, std::string_view text) {
  const auto cell = cell_of(kind_of_type(type), text);
  return cell.kind == Cell::Kind::kText ? std::nan("") : cell.number;
}

TEST(CellValueTest, DatesCountFrom1900) {
  EXPECT_EQ(number("DATE", "1900-01-01"), 1);
  EXPECT_EQ(number("DATE", "1900-02-28"), 59);
  EXPECT_EQ(number("DATE", "1900-03-01"), 61);  // Excel's 1900 is a leap year
  EXPECT_EQ(number("DATE", "2008-01-01"), 39448);
  EXPECT_EQ(number("DATE", "9999-12-31"), 2958465);
  EXPECT_DOUBLE_EQ(number("TIMESTAMP", "2008-01-01 12:00:00"), 39448.5);
  EXPECT_DOUBLE_EQ(number("TIMESTAMP WITH TIME ZONE", "2008-01-01 06:00:00.5+01"), 39448 + 21600.5 / 86400);
  EXPECT_DOUBLE_EQ(number("TIME", "18:00:00"), 0.75);
  for (const auto* text : {"1899-12-31", "10000-01-01", "0044-03-15 (BC)", "infinity", ""})
    EXPECT_TRUE(std::isnan(number("DATE", text))) << text;
  EXPECT_TRUE(std::isnan(number("TIMESTAMP", "1800-01-01 00:00:00")));
}

TEST(CellValueTest, NumbersThatExcelWouldRoundAreText) {
  EXPECT_EQ(number("BIGINT", "9007199254740992"), 9007199254740992.0);
  EXPECT_TRUE(std::isnan(number("BIGINT", "9007199254740993")));
  EXPECT_TRUE(std::isnan(number("HUGEINT", "170141183460469231731687303715884105727")));
  EXPECT_EQ(number("DECIMAL(18,3)", "-12.500"), -12.5);
  EXPECT_EQ(number("DECIMAL(18,3)", "123456789012.345"), 123456789012.345);
  EXPECT_TRUE(std::isnan(number("DECIMAL(38,10)", "1234567890.1234567891")));
  EXPECT_EQ(number("DOUBLE", "1e-300"), 1e-300);
  for (const auto* text : {"nan", "inf", "-inf"})
    EXPECT_TRUE(std::isnan(number("DOUBLE", text))) << text;
  EXPECT_EQ(number("BOOLEAN", "true"), 1);
  EXPECT_TRUE(std::isnan(number("INTEGER[]", "[1]")));
}

TEST(CellValueTest, TextIsCutAtExcelsLimitAndCannotBreakXml) {
  bool cut = false;
  EXPECT_EQ(cell_text("=1+1", cut), "=1+1");
  EXPECT_FALSE(cut);
  EXPECT_EQ(cell_text(std::string(40'000, 'x'), cut).size(), 32'767U);
  EXPECT_TRUE(cut);
  cut = false;
  EXPECT_EQ(cell_text("a\xF0\x9F\x98\x80z", cut, 3), "a\xF0\x9F\x98\x80");  // two units
  EXPECT_TRUE(cut);
  EXPECT_EQ(cell_text("a\xEF\xBF\xBF", cut), "a\xEF\xBF\xBD");
  EXPECT_EQ(cell_text(std::string("a\0b", 3), cut),
            "a\xEF\xBF\xBD"
            "b");
  EXPECT_EQ(escape_units("_x0041_ _x41_"), "_x005F_x0041_ _x41_");
}

TEST(ReferenceTest, CellsAndAreas) {
  EXPECT_EQ(column_letters(0), "A");
  EXPECT_EQ(column_letters(25), "Z");
  EXPECT_EQ(column_letters(26), "AA");
  EXPECT_EQ(column_letters(16'383), "XFD");
  const auto corner = parse_corner("$AB12");
  ASSERT_TRUE(corner);
  EXPECT_EQ(corner->row, 11);
  EXPECT_EQ(corner->column, 27);
  EXPECT_TRUE(corner->column_pinned && !corner->row_pinned);
  EXPECT_EQ(to_string(*corner), "$AB12");
  EXPECT_EQ(to_string(*parse_area("C9:B2")), "B2:C9");
  EXPECT_EQ(to_string(*parse_area("B2")), "B2");
  for (const auto* text : {"", "A", "1", "A0", "XFE1", "A1048577", "A1B", "AAAA1", "A1:", "A1:B", "R1C1x"})
    EXPECT_FALSE(parse_area(text)) << text;
}

}  // namespace
}  // namespace tarn::report
