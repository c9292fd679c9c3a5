// Work on texts for filters and methods. Letters beyond ASCII keep their case.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/jinja/value.h"

namespace tarn::model::jinja {

std::string to_upper(std::string text);
std::string to_lower(std::string text);
std::string to_capital(std::string text);
std::string to_title(std::string text);  // the filter: words begin behind a blank, "-" or a bracket
std::string to_title_of_letters(std::string text);  // the method: behind whatever is no letter
std::string strip(std::string_view text, std::string_view which, bool front, bool back);
// Fails when the outcome would be larger than kTextBytesMax.
Result<Value> replace_all(std::string_view text, std::string_view from, std::string_view to);
std::vector<std::string> split(std::string_view text, std::string_view separator, int64_t most);
std::vector<std::string> split_blanks(std::string_view text);
// "3", "-2.5", "1e3": a whole number or a real one.
std::optional<Value> read_number(std::string_view text);

}  // namespace tarn::model::jinja
