// A cell of a result, which comes as DuckDB's text, as what a worksheet can hold without losing anything:
// what Excel would round or cannot count stays text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tarn::report {

enum class ColumnKind { kText, kInteger, kDecimal, kDouble, kBoolean, kDate, kTimestamp, kTime };
ColumnKind kind_of_type(std::string_view type);
bool is_number(ColumnKind kind);
// The number format that shows it as people expect; "General" for most.
std::string default_format(ColumnKind kind, std::string_view type);

struct Cell {
  enum class Kind { kNumber, kBoolean, kText };
  Kind kind = Kind::kText;
  double number = 0;  // days since 1899-12-30 for dates and times; 1 or 0 for truth values
};

// kText: the text itself is to be written, as text.
Cell cell_of(ColumnKind kind, std::string_view text);

constexpr size_t kCellUnitsMax = 32'767;  // UTF-16 units, Excel's limit
size_t utf16_length(std::string_view text);
// The text as a cell can hold it: cut to `units_max`, without what XML cannot carry; `cut` says whether.
std::string cell_text(std::string_view text, bool& cut, size_t units_max = kCellUnitsMax);
// "_x0041_" in a text would be read as "A": its first underscore is written as _x005F_.
std::string escape_units(std::string_view text);

}  // namespace tarn::report
