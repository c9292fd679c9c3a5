// Cells and areas as a workbook writes them: "B3", "$A$1:$D$20". Rows and columns count from 0 here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tarn::report {

constexpr int64_t kSheetRows = 1'048'576;
constexpr int64_t kSheetColumns = 16'384;

// One corner of a reference in a formula; $ pins it when the formula is copied.
struct Corner {
  int64_t row = 0, column = 0;
  bool row_pinned = false, column_pinned = false;
};

struct Area {
  int64_t row_first = 0, row_last = 0, column_first = 0, column_last = 0;
  bool operator==(const Area&) const = default;
  [[nodiscard]] int64_t rows() const { return row_last - row_first + 1; }
  [[nodiscard]] int64_t columns() const { return column_last - column_first + 1; }
  [[nodiscard]] bool meets(const Area& other) const {
    return row_first <= other.row_last && other.row_first <= row_last && column_first <= other.column_last &&
           other.column_first <= column_last;
  }
};

std::string column_letters(int64_t column);
std::string cell_name(int64_t row, int64_t column);  // "B3"
std::string to_string(const Corner& corner);
std::string to_string(const Area& area);  // "B3", "B3:C4"

// All of the text; nothing outside of a sheet.
std::optional<Corner> parse_corner(std::string_view text);
std::optional<Area> parse_area(std::string_view text);

}  // namespace tarn::report
