// Where statements end in a text that is still being typed.
#pragma once

#include <string_view>

namespace tarn::app {

// The text ends with ';' outside of quotes, comments and $$ … $$ (blanks and comments may follow it).
bool is_complete(std::string_view text);

}  // namespace tarn::app
