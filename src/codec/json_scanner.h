// Reads one JSON text from front to back without building a tree: the caller asks for what it expects. Every
// byte is checked (RFC 8259, UTF-8 included), also of what is skipped. After a false answer the text is
// broken and the scanner of no use; the caller keeps apart "broken" and "not the kind that I wanted" by
// next_kind().
#pragma once

#include <string>
#include <string_view>

namespace tarn::codec {

enum class JsonKind { kObject, kArray, kString, kNumber, kTrue, kFalse, kNull, kBroken };

class JsonScanner {
 public:
  static constexpr int kDepthMax = 200;

  explicit JsonScanner(std::string_view text) : at_(text.data()), end_(text.data() + text.size()) {}

  // What the next value is, by its first byte.
  JsonKind next_kind();

  // A string's text: a view of the input, or of `buffer` when it has escapes.
  bool read_string(std::string_view& text, std::string& buffer);
  // A number as it is written. `whole`: digits only, with or without a minus.
  bool read_number(std::string_view& text, bool& whole);
  // true, false or null.
  bool read_word();
  // Any value; `raw` is its text as it is written, without space around it.
  bool skip(std::string_view& raw);

  // Objects and arrays: open, then next until it answers kEnd.
  enum class Step { kItem, kEnd, kBroken };
  void open() { ++at_; }
  // Reads the key of the next member; the value comes next. `likely`: a key to try first, which needs no
  // escapes in JSON, or "".
  Step next_member(bool first, std::string_view& key, std::string& buffer, std::string_view likely = {});
  Step next_element(bool first);

  // Nothing but space is left.
  bool at_end();

 private:
  void skip_space();
  bool skip_value(int depth);
  bool unescape(std::string& out);

  const char* at_;
  const char* end_;
};

// The same JSON text without space between its tokens; `text` must be valid.
std::string without_space(std::string_view text);

// Whether the text stands in JSON as it is, without escapes.
bool is_plain_text(std::string_view text);

bool is_utf8(std::string_view text);

}  // namespace tarn::codec
