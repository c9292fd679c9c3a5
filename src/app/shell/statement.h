// Where statements end in a text that is still being typed.
#pragma once

#include <string>
#include <string_view>

namespace tarn::app {

// The text ends with ';' outside of quotes, comments and $$ … $$ (blanks and comments may follow it).
bool is_complete(std::string_view text);

// The text up to `end` with everything before `begin` blanked, so that places in errors stay right.
std::string placed(std::string_view text, size_t begin, size_t end);

// The same statement without line ends, so that it can be edited as one line; as it is when they mean
// something: in quotes, or behind a comment.
std::string on_one_line(std::string_view text);

}  // namespace tarn::app
