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
  return fmt::format("{}: {}", to_string(diagnostic.place), diagnostic.message);
}

}  // namespace tarn
