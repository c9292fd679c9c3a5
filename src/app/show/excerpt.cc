#include "app/show/excerpt.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "app/show/terminal.h"

namespace tarn::app {
namespace {

constexpr int kWidth = 80;  // where there is no terminal
constexpr std::string_view kIndent = "  ";

struct Place {
  size_t line = 0, column = 0;  // from 1; columns count bytes
};

// Takes "12:" from the front.
std::optional<size_t> take_number(std::string_view& text) {
  size_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end == text.data() + text.size() || *end != ':' || number == 0)
    return std::nullopt;
  text.remove_prefix(static_cast<size_t>(end - text.data()) + 1);
  return number;
}

std::optional<Place> place_of(std::string_view message) {
  const auto line = take_number(message);
  const auto column = line ? take_number(message) : std::nullopt;
  if (!column)
    return std::nullopt;
  return Place{*line, *column};
}

std::string_view line_of(std::string_view text, size_t number) {
  for (size_t i = 1; i < number; ++i) {
    const auto end = text.find('\n');
    if (end == std::string_view::npos)
      return "";
    text.remove_prefix(end + 1);
  }
  return text.substr(0, text.find('\n'));
}

// Leaves out what stands more than `cells` before the end.
std::string_view last_cells(std::string_view text, int cells) {
  while (display_width(text) > cells) {
    text.remove_prefix(1);
    while (!text.empty() && (static_cast<unsigned char>(text[0]) & 0xc0U) == 0x80)
      text.remove_prefix(1);
  }
  return text;
}

}  // namespace

std::string excerpt(std::string_view sql, std::string_view message, int width) {
  const auto place = place_of(message);
  if (!place)
    return "";
  const auto line = line_of(sql, place->line);
  if (line.empty() || place->column > line.size() + 1)
    return "";
  const int room = std::max(20, (width > 0 ? width : kWidth) - static_cast<int>(kIndent.size()) - 1);
  const auto before = last_cells(line.substr(0, place->column - 1), room * 2 / 3);
  const auto start = static_cast<size_t>(before.data() - line.data());
  const auto shown = one_line(before);
  const auto rest = cut_to_width(one_line(line.substr(start + before.size())), room - display_width(shown));
  std::string text(kIndent);
  text += shown + rest + "\n" + std::string(kIndent);
  return text + std::string(static_cast<size_t>(display_width(shown)), ' ') + "^\n";
}

}  // namespace tarn::app
