// A mistake in a project's text, with its place: what `tarn check` prints.
#pragma once

#include <string>
#include <vector>

namespace tarn {

struct Place {
  std::string file;  // relative to the project's root
  int line = 0;      // 1-based; 0 = the whole file
  int column = 0;    // 1-based; 0 = the whole line
  bool operator==(const Place&) const = default;
};

// "file:line:column", leaving out what is 0.
std::string to_string(const Place& place);

struct Diagnostic {
  Place place;
  std::string message;  // one sentence: what is wrong and what to write instead
};

using Diagnostics = std::vector<Diagnostic>;

// "file:line:column: message"
std::string to_string(const Diagnostic& diagnostic);

}  // namespace tarn
