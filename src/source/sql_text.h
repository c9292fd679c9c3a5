// Pieces of SQL text that several files here write. Values are always quoted.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tarn::source {

// ['a', 'b']
std::string literal_list(const std::vector<std::string>& texts);
// {'a': 'x', 'b': 'y'}
std::string literal_struct(const std::vector<std::pair<std::string, std::string>>& members);
// "a", "b"
std::string identifiers(const std::vector<std::string>& names);

bool is_integer_type(std::string_view type);
// Types that read_csv and read_json make themselves, strictly, from text.
bool is_plain_type(std::string_view type);

// What integers are read as where a reader would round a fraction without a word: wide enough to see it.
// Cheaper than text; whole numbers from 2^53 on are sent the careful way, where they are exact.
std::string stream_type_of_integers();

}  // namespace tarn::source
