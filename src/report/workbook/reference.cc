#include "report/workbook/reference.h"

#include <algorithm>

#include <fmt/format.h>

namespace tarn::report {

std::string column_letters(int64_t column) {
  std::string letters;
  for (++column; column > 0; column = (column - 1) / 26)
    letters.insert(letters.begin(), static_cast<char>('A' + (column - 1) % 26));
  return letters;
}

std::string cell_name(int64_t row, int64_t column) {
  return fmt::format("{}{}", column_letters(column), row + 1);
}

std::string to_string(const Corner& corner) {
  return fmt::format("{}{}{}{}", corner.column_pinned ? "$" : "", column_letters(corner.column),
                     corner.row_pinned ? "$" : "", corner.row + 1);
}

std::string to_string(const Area& area) {
  const auto first = cell_name(area.row_first, area.column_first);
  const bool single = area.rows() == 1 && area.columns() == 1;
  return single ? first : first + ":" + cell_name(area.row_last, area.column_last);
}

std::optional<Corner> parse_corner(std::string_view text) {
  Corner corner;
  size_t at = 0;
  const auto take_pin = [&] {
    const bool pinned = at < text.size() && text[at] == '$';
    at += pinned ? 1 : 0;
    return pinned;
  };
  corner.column_pinned = take_pin();
  int64_t column = 0;
  const size_t letters = at;
  for (; at < text.size() && at - letters < 4; ++at) {
    const char c = static_cast<char>(text[at] & ~0x20);
    if (c < 'A' || c > 'Z')
      break;
    column = column * 26 + (c - 'A' + 1);
  }
  if (at == letters || column > kSheetColumns)
    return std::nullopt;
  corner.row_pinned = take_pin();
  int64_t row = 0;
  const size_t digits = at;
  for (; at < text.size() && text[at] >= '0' && text[at] <= '9' && row <= kSheetRows; ++at)
    row = row * 10 + (text[at] - '0');
  if (at == digits || at != text.size() || row < 1 || row > kSheetRows)
    return std::nullopt;
  corner.row = row - 1;
  corner.column = column - 1;
  return corner;
}

std::optional<Area> parse_area(std::string_view text) {
  const auto colon = text.find(':');
  const auto first = parse_corner(text.substr(0, colon));
  const auto second = colon == std::string_view::npos ? first : parse_corner(text.substr(colon + 1));
  if (!first || !second)
    return std::nullopt;
  return Area{std::min(first->row, second->row), std::max(first->row, second->row),
              std::min(first->column, second->column), std::max(first->column, second->column)};
}

}  // namespace tarn::report
