#include "model/jinja/lexer.h"

#include <array>
#include <cctype>

#include <fmt/format.h>

namespace tarn::model::jinja {
namespace {

bool is_name_start(char c) {
  return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_';
}

bool is_name(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

bool is_blank(char c) {
  return std::isspace(static_cast<unsigned char>(c)) != 0;
}

class Lexer {
 public:
  Lexer(std::string_view text, std::vector<Token>& tokens, LexError& error)
      : text_(text), tokens_(tokens), error_(error) {}

  bool run() {
    while (at_ < text_.size()) {
      if (!one_piece()) {
        return false;
      }
    }
    add(Token::Kind::kEnd, text_.size(), "");
    return true;
  }

 private:
  bool fail(size_t offset, std::string message) {
    error_ = {offset, std::move(message)};
    return false;
  }

  void add(Token::Kind kind, size_t offset, std::string text) {
    tokens_.push_back({kind, offset, std::move(text)});
  }

  // The next "{{", "{%" or "{#".
  [[nodiscard]] size_t next_tag(size_t from) const {
    for (size_t at = text_.find('{', from); at != std::string_view::npos; at = text_.find('{', at + 1)) {
      if (at + 1 < text_.size() && (text_[at + 1] == '{' || text_[at + 1] == '%' || text_[at + 1] == '#')) {
        return at;
      }
    }
    return text_.size();
  }

  void add_text(size_t begin, size_t end) {
    if (strip_next_) {
      while (begin < end && is_blank(text_[begin])) {
        ++begin;
      }
    }
    strip_next_ = false;
    if (end + 2 < text_.size() && text_[end + 2] == '-') {
      while (end > begin && is_blank(text_[end - 1])) {
        --end;
      }
    }
    if (begin < end) {
      add(Token::Kind::kText, begin, std::string(text_.substr(begin, end - begin)));
    }
  }

  bool one_piece() {
    size_t tag = next_tag(at_);
    add_text(at_, tag);
    at_ = tag;
    if (tag == text_.size()) {
      return true;
    }
    char kind = text_[tag + 1];
    at_ = tag + 2;
    if (at_ < text_.size() && (text_[at_] == '-' || text_[at_] == '+')) {
      ++at_;
    }
    if (kind == '#') {
      return comment(tag);
    }
    if (kind == '%' && raw_follows()) {
      return raw(tag);
    }
    bool output = kind == '{';
    add(output ? Token::Kind::kOutputBegin : Token::Kind::kBlockBegin, tag, "");
    return inside(tag, output);
  }

  bool comment(size_t tag) {
    size_t end = text_.find("#}", at_);
    if (end == std::string_view::npos) {
      return fail(tag, "this comment is never closed; write '#}'");
    }
    strip_next_ = end > at_ && text_[end - 1] == '-';
    at_ = end + 2;
    return true;
  }

  // At the word of a block tag: is it `name` and nothing else? Moves behind the tag when so.
  bool bare_block(std::string_view name, size_t& at, bool& strip) const {
    size_t p = at;
    while (p < text_.size() && is_blank(text_[p])) {
      ++p;
    }
    if (text_.substr(p, name.size()) != name) {
      return false;
    }
    p += name.size();
    while (p < text_.size() && is_blank(text_[p])) {
      ++p;
    }
    strip = p < text_.size() && text_[p] == '-';
    p += strip ? 1 : 0;
    if (text_.substr(p, 2) != "%}") {
      return false;
    }
    at = p + 2;
    return true;
  }

  [[nodiscard]] bool raw_follows() const {
    size_t at = at_;
    bool strip = false;
    return bare_block("raw", at, strip);
  }

  bool raw(size_t tag) {
    bool strip = false;
    (void)bare_block("raw", at_, strip);
    strip_next_ = strip;
    for (size_t end = text_.find("{%", at_); end != std::string_view::npos; end = text_.find("{%", end + 1)) {
      size_t after = end + 2;
      after += after < text_.size() && text_[after] == '-' ? 1 : 0;
      if (bare_block("endraw", after, strip)) {
        add_text(at_, end);
        strip_next_ = strip;
        at_ = after;
        return true;
      }
    }
    return fail(tag, "this raw block is never closed; write {% endraw %}");
  }

  bool inside(size_t tag, bool output) {
    std::string_view close = output ? "}}" : "%}";
    std::vector<char> brackets;
    for (;;) {
      while (at_ < text_.size() && is_blank(text_[at_])) {
        ++at_;
      }
      if (at_ >= text_.size()) {
        return fail(tag, fmt::format("this tag is never closed; write '{}'", close));
      }
      bool stripped = text_[at_] == '-' && text_.substr(at_ + 1, 2) == close;
      if (brackets.empty() && (stripped || text_.substr(at_, 2) == close)) {
        add(output ? Token::Kind::kOutputEnd : Token::Kind::kBlockEnd, at_, "");
        at_ += stripped ? 3 : 2;
        strip_next_ = stripped;
        return true;
      }
      if (!token(brackets)) {
        return false;
      }
    }
  }

  bool token(std::vector<char>& brackets) {
    char c = text_[at_];
    if (is_name_start(c)) {
      size_t begin = at_;
      while (at_ < text_.size() && is_name(text_[at_])) {
        ++at_;
      }
      add(Token::Kind::kName, begin, std::string(text_.substr(begin, at_ - begin)));
      return true;
    }
    if (std::isdigit(static_cast<unsigned char>(c)) != 0) {
      return number();
    }
    if (c == '"' || c == '\'') {
      return string(c);
    }
    return punctuation(brackets);
  }

  bool number() {
    size_t begin = at_;
    bool fraction = false;
    std::string digits;
    auto take_digits = [&] {
      while (at_ < text_.size() &&
             (std::isdigit(static_cast<unsigned char>(text_[at_])) || text_[at_] == '_')) {
        if (text_[at_] != '_') {
          digits += text_[at_];
        }
        ++at_;
      }
    };
    take_digits();
    if (at_ + 1 < text_.size() && text_[at_] == '.' &&
        std::isdigit(static_cast<unsigned char>(text_[at_ + 1]))) {
      fraction = true;
      digits += '.';
      ++at_;
      take_digits();
    }
    if (at_ + 1 < text_.size() && (text_[at_] == 'e' || text_[at_] == 'E') &&
        (std::isdigit(static_cast<unsigned char>(text_[at_ + 1])) || text_[at_ + 1] == '-')) {
      fraction = true;
      digits += 'e';
      digits += text_[at_ + 1];
      at_ += 2;
      take_digits();
    }
    if (at_ < text_.size() && is_name_start(text_[at_])) {
      return fail(begin, "a name cannot begin with a digit");
    }
    add(fraction ? Token::Kind::kFloat : Token::Kind::kInteger, begin, std::move(digits));
    return true;
  }

  bool string(char quote) {
    size_t begin = at_++;
    std::string value;
    while (at_ < text_.size() && text_[at_] != quote) {
      char c = text_[at_++];
      if (c == '\\' && at_ < text_.size()) {
        c = text_[at_++];
        switch (c) {
          case 'n': value += '\n'; break;
          case 't': value += '\t'; break;
          case 'r': value += '\r'; break;
          case '\\':
          case '\'':
          case '"': value += c; break;
          default:
            value += '\\';
            value += c;
            break;  // as Python keeps unknown escapes
        }
      } else {
        value += c;
      }
    }
    if (at_ >= text_.size()) {
      return fail(begin, fmt::format("this text is never closed; write {} at its end", quote));
    }
    ++at_;
    add(Token::Kind::kString, begin, std::move(value));
    return true;
  }

  bool punctuation(std::vector<char>& brackets) {
    static constexpr std::array<std::string_view, 6> kTwo = {"==", "!=", "<=", ">=", "//", "**"};
    for (auto two : kTwo) {
      if (text_.substr(at_, 2) == two) {
        add(Token::Kind::kOperator, at_, std::string(two));
        at_ += 2;
        return true;
      }
    }
    char c = text_[at_];
    if (std::string_view("+-*/%~<>=()[]{}.,:|").find(c) == std::string_view::npos) {
      return fail(at_, fmt::format("'{}' cannot stand here", c));
    }
    if (c == '(' || c == '[' || c == '{') {
      brackets.push_back(c == '(' ? ')' : c == '[' ? ']' : '}');
    } else if (c == ')' || c == ']' || c == '}') {
      if (brackets.empty() || brackets.back() != c) {
        return fail(at_, brackets.empty()
                             ? fmt::format("'{}' closes nothing", c)
                             : fmt::format("'{}' stands where '{}' is missing", c, brackets.back()));
      }
      brackets.pop_back();
    }
    add(Token::Kind::kOperator, at_++, std::string(1, c));
    return true;
  }

  std::string_view text_;
  std::vector<Token>& tokens_;
  LexError& error_;
  size_t at_ = 0;
  bool strip_next_ = false;
};

}  // namespace

bool cut(std::string_view text, std::vector<Token>& tokens, LexError& error) {
  return Lexer(text, tokens, error).run();
}

}  // namespace tarn::model::jinja
