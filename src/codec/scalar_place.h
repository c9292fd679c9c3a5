// Places inside a text that a YAML file holds, such as a SELECT: YAML has taken off its quotes, its
// indentation and its line breaks.
#pragma once

#include <string_view>

#include "base/diagnostic.h"

namespace tarn::codec {

// Where in `file_text` byte `offset` of the scalar `text` stands, which begins at `scalar`: plain, in quotes,
// or a block ("|", ">"). Its end is a place too.
Place place_inside(std::string_view file_text, const Place& scalar, std::string_view text, size_t offset);

// Does the text in quotes that begins at `scalar` end before the file does?
bool is_closed(std::string_view file_text, const Place& scalar);

}  // namespace tarn::codec
