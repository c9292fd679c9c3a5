// DuckDB's messages in Tarn's words: one sentence that says what is wrong and what to write instead. A
// message that is not in the table passes unchanged.
#pragma once

#include <string>
#include <string_view>

namespace tarn::engine {

// `before`: the statement's text in front of the place that the message is about; empty when it has none.
std::string error_text(std::string_view message, std::string_view before);

}  // namespace tarn::engine
