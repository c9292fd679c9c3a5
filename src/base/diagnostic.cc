#include "base/diagnostic.h"

#include <fmt/format.h>

namespace tarn {

std::string to_string(const Place& place) {
  if (place.line == 0) {
    return place.file;
  }
  if (place.column == 0) {
    return fmt::format("{}:{}", place.file, place.line);
  }
  return fmt::format("{}:{}:{}", place.file, place.line, place.column);
}

std::string to_string(const Diagnostic& diagnostic) {
  auto place = to_string(diagnostic.place);
  return place.empty() ? diagnostic.message : fmt::format("{}: {}", place, diagnostic.message);
}

}  // namespace tarn
