#include "codec/utf8.h"

#include "codec/json_scanner.h"

namespace tarn::codec {
namespace {

constexpr size_t kLongest = 4;

// The length of the code point at `at`; 0 when none begins there.
size_t code_point(const std::string& text, size_t at) {
  for (size_t length = 1; length <= kLongest && at + length <= text.size(); ++length) {
    if (is_utf8(std::string_view(text).substr(at, length)))
      return length;
  }
  return 0;
}

}  // namespace

std::string as_utf8(std::string text) {
  if (is_utf8(text))
    return text;
  std::string good;
  for (size_t at = 0; at < text.size();) {
    const auto length = code_point(text, at);
    good += length > 0 ? text.substr(at, length) : "\xEF\xBF\xBD";
    at += length > 0 ? length : 1;
  }
  return good;
}

}  // namespace tarn::codec
