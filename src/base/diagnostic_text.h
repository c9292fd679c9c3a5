// A diagnostic out of its own text, for errors that carry their place in front.
#pragma once

#include <string_view>

#include "base/diagnostic.h"

namespace tarn {

// "file:line:column: message" or "file:line: message"; any other text is a message without a place.
Diagnostic diagnostic_of_text(std::string_view text);

}  // namespace tarn
