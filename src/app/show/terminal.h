// The terminal: its width, colours, and how wide a text is on it.
#pragma once

#include <string>
#include <string_view>

namespace tarn::app {

// Columns of the terminal behind this descriptor; 0 when it is none.
int terminal_width(int fd);
bool is_terminal(int fd);
// It understands escape codes.
bool is_smart_terminal(int fd);

// Cells that the UTF-8 text takes on a terminal.
int display_width(std::string_view text);
// At most `cells` wide, ending with "…" when something was cut off.
std::string cut_to_width(std::string_view text, int cells);
// One line for a table's cell: line ends and other controls made visible.
std::string one_line(std::string_view text);

// Escape codes, or nothing where they are not wanted.
struct Colors {
  bool on = false;
  bool can_move = false;  // the cursor, to draw anew what it drew
  [[nodiscard]] std::string paint(std::string_view code, std::string_view text) const;
  [[nodiscard]] std::string red(std::string_view text) const { return paint("31", text); }
  [[nodiscard]] std::string green(std::string_view text) const { return paint("32", text); }
  [[nodiscard]] std::string yellow(std::string_view text) const { return paint("33", text); }
  [[nodiscard]] std::string dim(std::string_view text) const { return paint("2", text); }
  [[nodiscard]] std::string bold(std::string_view text) const { return paint("1", text); }
};

}  // namespace tarn::app
