// Cuts a template into text, tags and the tokens inside tags; whitespace control is applied here.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tarn::model::jinja {

struct Token {
  enum class Kind {
    kText,  // between tags
    kOutputBegin,
    kOutputEnd,
    kBlockBegin,
    kBlockEnd,  // {{ }} {% %}
    kName,
    kString,
    kInteger,
    kFloat,
    kOperator,
    kEnd,
  };
  Kind kind = Kind::kEnd;
  size_t offset = 0;
  std::string text;  // kString: without quotes, escapes resolved
};

struct LexError {
  size_t offset = 0;
  std::string message;
};

// The last token is kEnd. On a mistake returns false and fills `error`.
bool cut(std::string_view text, std::vector<Token>& tokens, LexError& error);

}  // namespace tarn::model::jinja
