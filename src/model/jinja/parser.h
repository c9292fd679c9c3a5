// Expressions of the template language, from tokens. Used by template.cc, which reads the blocks.
#pragma once

#include <string>
#include <vector>

#include "model/jinja/lexer.h"
#include "model/jinja/template.h"

namespace tarn::model::jinja {

// The first mistake is kept; after it every parse_* returns quickly with null.
class ExpressionParser {
 public:
  explicit ExpressionParser(const std::vector<Token>& tokens) : tokens_(tokens) {}

  ExprPtr expression();                // with "a if b else c"
  ExprPtr tuple();                     // "a, b" makes a tuple; one member stays itself
  ExprPtr first_filter(ExprPtr node);  // "a|b(1)": a filter's name, and more behind bars
  ExprPtr disjunction();               // without "if": what a for-loop goes through
  bool targets(std::vector<std::string>& names, bool allow_member);  // "k, v"
  bool parameters(std::vector<Parameter>& parameters);               // "(a, b=1)"

  [[nodiscard]] const Token& peek(size_t ahead = 0) const {
    return tokens_[at_ + ahead < tokens_.size() ? at_ + ahead : tokens_.size() - 1];
  }
  const Token& take() { return tokens_[at_ < tokens_.size() - 1 ? at_++ : at_]; }
  [[nodiscard]] bool is_operator(std::string_view text) const {
    return peek().kind == Token::Kind::kOperator && peek().text == text;
  }
  [[nodiscard]] bool is_word(std::string_view text) const {
    return peek().kind == Token::Kind::kName && peek().text == text;
  }
  bool take_operator(std::string_view text);
  bool take_word(std::string_view text);
  bool expect_operator(std::string_view text);

  ExprPtr fail(size_t offset, std::string message);
  [[nodiscard]] bool failed() const { return failed_; }
  [[nodiscard]] const LexError& error() const { return error_; }
  // "'x'", "the end of the tag": for messages.
  [[nodiscard]] std::string shown(const Token& token) const;

 private:
  ExprPtr conjunction();
  ExprPtr negation();
  ExprPtr comparison();
  ExprPtr sum();
  ExprPtr concat();
  ExprPtr product();
  ExprPtr power();
  ExprPtr unary(bool with_filters);
  ExprPtr primary();
  ExprPtr name_or_literal();
  ExprPtr bracketed();
  ExprPtr dict();
  ExprPtr postfix(ExprPtr node);
  ExprPtr subscript(ExprPtr node);
  ExprPtr filter(ExprPtr node);
  ExprPtr filters(ExprPtr node);
  ExprPtr test(ExprPtr node);
  bool call_arguments(Expr& call);
  ExprPtr binary(std::string text, size_t offset, ExprPtr left, ExprPtr right);

  const std::vector<Token>& tokens_;
  size_t at_ = 0;
  int depth_ = 0;
  bool failed_ = false;
  LexError error_;
};

}  // namespace tarn::model::jinja
