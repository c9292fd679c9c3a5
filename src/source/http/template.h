// Texts of a request: "{column}" of the `each` row, "{since}", and the references ${env:NAME}, ${file:path}
// and
// ${var:name}. Pure but for resolving. What is put in is never looked at again, so data cannot name a secret.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tarn::source::http {

struct TemplatePiece {
  enum class Kind { kText, kColumn, kReference };
  Kind kind = Kind::kText;
  std::string text;  // the text, the column's name, or the whole "${...}"
};

// Braces that hold no name, as in a JSON body, are text.
Result<std::vector<TemplatePiece>> parse_template(std::string_view text);

struct RenderContext {
  std::map<std::string, std::string> columns;
  std::map<std::string, std::string> vars;
  std::function<Result<std::string>(std::string_view reference)> resolve_secret;
};

struct Rendered {
  std::string text;
  std::string shown;                 // the same with secrets left as references
  std::vector<std::string> secrets;  // values that may not be printed
};

// `encode` is applied to what is put in for columns (the path of a URL); may be empty.
Result<Rendered> render(std::string_view text, const RenderContext& context,
                        const std::function<std::string(std::string_view)>& encode = {});

// Replaces every secret in `text` by "***".
std::string scrub(std::string text, const std::vector<std::string>& secrets);

}  // namespace tarn::source::http
