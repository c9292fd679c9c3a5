#include "base/diagnostic_text.h"

#include <charconv>

namespace tarn {
namespace {

// Takes ":12" off the front.
bool take_number(std::string_view& text, int& number) {
  if (!text.starts_with(':')) {
    return false;
  }
  auto [end, problem] = std::from_chars(text.data() + 1, text.data() + text.size(), number);
  if (problem != std::errc() || number <= 0) {
    return false;
  }
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return true;
}

}  // namespace

Diagnostic diagnostic_of_text(std::string_view text) {
  std::string_view rest = text.substr(std::min(text.find(':'), text.size()));
  Diagnostic found{{.file = std::string(text.substr(0, text.size() - rest.size()))}, ""};
  bool placed = take_number(rest, found.place.line);
  (void)take_number(rest, found.place.column);
  if (!placed || !rest.starts_with(": ")) {
    return {Place{}, std::string(text)};
  }
  found.message = rest.substr(2);
  return found;
}

}  // namespace tarn
