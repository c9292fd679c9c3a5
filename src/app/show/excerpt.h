// The line of a statement that an error speaks of, with a mark below the place.
#pragma once

#include <string>
#include <string_view>

namespace tarn::app {

// Two lines for a message that starts with "line:column: ", else nothing. Long lines are cut around the
// place.
std::string excerpt(std::string_view sql, std::string_view message, int width);

}  // namespace tarn::app
