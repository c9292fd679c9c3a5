#include "model/jinja/parser.h"

#include <charconv>

#include <fmt/format.h>

namespace tarn::model::jinja {
namespace {

constexpr int kDepthMax = 120;
constexpr int kChainMax = 400;

ExprPtr make(Expr::Kind kind, size_t offset, std::string text = "") {
  auto node = std::make_unique<Expr>();
  node->kind = kind;
  node->offset = offset;
  node->text = std::move(text);
  return node;
}

bool is_reserved(std::string_view word) {
  return word == "and" || word == "or" || word == "not" || word == "if" || word == "else" || word == "in" ||
         word == "is";
}

}  // namespace

bool ExpressionParser::take_operator(std::string_view text) {
  if (is_operator(text)) {
    take();
    return true;
  }
  return false;
}

bool ExpressionParser::take_word(std::string_view text) {
  if (is_word(text)) {
    take();
    return true;
  }
  return false;
}

bool ExpressionParser::expect_operator(std::string_view text) {
  if (take_operator(text)) {
    return true;
  }
  fail(peek().offset, fmt::format("expected '{}', found {}", text, shown(peek())));
  return false;
}

ExprPtr ExpressionParser::fail(size_t offset, std::string message) {
  if (!failed_) {
    failed_ = true;
    error_ = {offset, std::move(message)};
  }
  return nullptr;
}

std::string ExpressionParser::shown(const Token& token) const {
  switch (token.kind) {
    case Token::Kind::kOutputEnd: return "the end of the tag";
    case Token::Kind::kBlockEnd: return "the end of the tag";
    case Token::Kind::kEnd: return "the end of the file";
    case Token::Kind::kText: return "text";
    case Token::Kind::kString: return fmt::format("the text '{}'", token.text);
    default: return fmt::format("'{}'", token.text);
  }
}

ExprPtr ExpressionParser::binary(std::string text, size_t offset, ExprPtr left, ExprPtr right) {
  if (!left || !right) {
    return nullptr;
  }
  auto node = make(Expr::Kind::kBinary, offset, std::move(text));
  node->height = left->height + 1;
  if (node->height > kChainMax) {
    return fail(offset, fmt::format("a chain of more than {} operators", kChainMax));
  }
  node->children.push_back(std::move(left));
  node->children.push_back(std::move(right));
  return node;
}

ExprPtr ExpressionParser::tuple() {
  size_t offset = peek().offset;
  ExprPtr first = expression();
  if (!first || !is_operator(",")) {
    return first;
  }
  auto list = make(Expr::Kind::kList, offset, "(");
  list->children.push_back(std::move(first));
  while (take_operator(",")) {
    auto kind = peek().kind;
    if (kind == Token::Kind::kBlockEnd || kind == Token::Kind::kOutputEnd || is_operator(")")) {
      break;
    }
    ExprPtr item = expression();
    if (!item) {
      return nullptr;
    }
    list->children.push_back(std::move(item));
  }
  return list;
}

ExprPtr ExpressionParser::expression() {
  if (++depth_ > kDepthMax) {
    --depth_;
    return fail(peek().offset, fmt::format("nested more than {} deep", kDepthMax));
  }
  ExprPtr node = disjunction();
  while (node && is_word("if")) {
    auto condition = make(Expr::Kind::kCondition, take().offset);
    condition->height = node->height + 1;
    if (condition->height > kChainMax) {
      --depth_;
      return fail(condition->offset, fmt::format("a chain of more than {} operators", kChainMax));
    }
    condition->children.push_back(std::move(node));
    condition->children.push_back(disjunction());
    condition->children.push_back(take_word("else") ? expression() : nullptr);
    node = failed_ ? nullptr : std::move(condition);
  }
  --depth_;
  return node;
}

ExprPtr ExpressionParser::disjunction() {
  ExprPtr left = conjunction();
  while (left && is_word("or")) {
    size_t offset = take().offset;
    left = binary("or", offset, std::move(left), conjunction());
    if (left) {
      left->kind = Expr::Kind::kOr;
    }
  }
  return left;
}

ExprPtr ExpressionParser::conjunction() {
  ExprPtr left = negation();
  while (left && is_word("and")) {
    size_t offset = take().offset;
    left = binary("and", offset, std::move(left), negation());
    if (left) {
      left->kind = Expr::Kind::kAnd;
    }
  }
  return left;
}

ExprPtr ExpressionParser::negation() {
  if (!is_word("not")) {
    return comparison();
  }
  auto node = make(Expr::Kind::kUnary, take().offset, "not");
  if (++depth_ > kDepthMax) {
    --depth_;
    return fail(node->offset, fmt::format("nested more than {} deep", kDepthMax));
  }
  node->children.push_back(negation());
  --depth_;
  return failed_ ? nullptr : std::move(node);
}

ExprPtr ExpressionParser::comparison() {
  ExprPtr left = sum();
  while (left) {
    const Token& token = peek();
    std::string text = token.text;
    if (token.kind == Token::Kind::kOperator &&
        (text == "==" || text == "!=" || text == "<" || text == "<=" || text == ">" || text == ">=")) {
      take();
    } else if (is_word("in")) {
      take();
    } else if (is_word("not") && peek(1).kind == Token::Kind::kName && peek(1).text == "in") {
      take();
      take();
      text = "not in";
    } else {
      break;
    }
    left = binary(text, token.offset, std::move(left), sum());
  }
  return left;
}

ExprPtr ExpressionParser::sum() {
  ExprPtr left = concat();
  while (left && (is_operator("+") || is_operator("-"))) {
    const Token& token = take();
    left = binary(token.text, token.offset, std::move(left), concat());
  }
  return left;
}

ExprPtr ExpressionParser::concat() {
  ExprPtr left = product();
  while (left && is_operator("~")) {
    const Token& token = take();
    left = binary(token.text, token.offset, std::move(left), product());
  }
  return left;
}

ExprPtr ExpressionParser::product() {
  ExprPtr left = power();
  while (left && (is_operator("*") || is_operator("/") || is_operator("//") || is_operator("%"))) {
    const Token& token = take();
    left = binary(token.text, token.offset, std::move(left), power());
  }
  return left;
}

ExprPtr ExpressionParser::power() {
  ExprPtr left = unary(true);
  while (left && is_operator("**")) {
    const Token& token = take();
    left = binary(token.text, token.offset, std::move(left), unary(true));
  }
  return left;
}

ExprPtr ExpressionParser::unary(bool with_filters) {
  ExprPtr node;
  if (is_operator("-") || is_operator("+")) {
    const Token& token = take();
    node = make(Expr::Kind::kUnary, token.offset, token.text);
    if (++depth_ > kDepthMax) {
      --depth_;
      return fail(token.offset, fmt::format("nested more than {} deep", kDepthMax));
    }
    node->children.push_back(unary(false));
    --depth_;
  } else {
    node = postfix(primary());
  }
  if (failed_) {
    return nullptr;
  }
  return with_filters ? filters(std::move(node)) : std::move(node);
}

ExprPtr ExpressionParser::primary() {
  const Token& token = peek();
  switch (token.kind) {
    case Token::Kind::kName: return name_or_literal();
    case Token::Kind::kString: {
      auto node = make(Expr::Kind::kLiteral, take().offset);
      std::string text = token.text;
      while (peek().kind == Token::Kind::kString) {
        text += take().text;  // 'a' 'b' is 'ab', as in Python
      }
      node->value = Value(std::move(text));
      return node;
    }
    case Token::Kind::kInteger: {
      auto node = make(Expr::Kind::kLiteral, take().offset);
      int64_t value = 0;
      auto [end, error] = std::from_chars(token.text.data(), token.text.data() + token.text.size(), value);
      if (error != std::errc()) {
        return fail(token.offset, "this number is too large");
      }
      node->value = Value(value);
      return node;
    }
    case Token::Kind::kFloat: {
      auto node = make(Expr::Kind::kLiteral, take().offset);
      double value = 0;
      auto [end, error] = std::from_chars(token.text.data(), token.text.data() + token.text.size(), value);
      if (error != std::errc()) {
        return fail(token.offset, "this is not a number");
      }
      node->value = Value(value);
      return node;
    }
    case Token::Kind::kOperator: return bracketed();
    default: return fail(token.offset, fmt::format("expected a value, found {}", shown(token)));
  }
}

ExprPtr ExpressionParser::name_or_literal() {
  const Token& token = peek();
  if (is_reserved(token.text)) {
    return fail(token.offset, fmt::format("expected a value, found '{}'", token.text));
  }
  take();
  auto node = make(Expr::Kind::kLiteral, token.offset);
  if (token.text == "true" || token.text == "True") {
    node->value = Value(true);
  } else if (token.text == "false" || token.text == "False") {
    node->value = Value(false);
  } else if (token.text != "none" && token.text != "None") {
    node->kind = Expr::Kind::kName;
    node->text = token.text;
  }
  return node;
}

ExprPtr ExpressionParser::bracketed() {
  const Token& token = peek();
  if (token.text == "{") {
    return dict();
  }
  if (token.text != "(" && token.text != "[") {
    return fail(token.offset, fmt::format("expected a value, found {}", shown(token)));
  }
  take();
  std::string_view close = token.text == "(" ? ")" : "]";
  auto list = make(Expr::Kind::kList, token.offset, token.text);
  bool comma = false;
  while (!is_operator(close)) {
    ExprPtr item = expression();
    if (!item) {
      return nullptr;
    }
    list->children.push_back(std::move(item));
    if (!take_operator(",")) {
      break;
    }
    comma = true;
  }
  if (!expect_operator(close)) {
    return nullptr;
  }
  if (token.text == "(" && !comma && list->children.size() == 1) {
    return std::move(list->children.front());
  }
  return list;
}

ExprPtr ExpressionParser::dict() {
  auto node = make(Expr::Kind::kDict, take().offset);
  while (!is_operator("}")) {
    ExprPtr key = expression();
    if (!key || !expect_operator(":")) {
      return nullptr;
    }
    ExprPtr value = expression();
    if (!value) {
      return nullptr;
    }
    node->children.push_back(std::move(key));
    node->children.push_back(std::move(value));
    if (!take_operator(",")) {
      break;
    }
  }
  return expect_operator("}") ? std::move(node) : nullptr;
}

ExprPtr ExpressionParser::postfix(ExprPtr node) {
  // A chain a.b.c… nests in the tree, so its length is bounded like depth.
  for (int links = 0; node; ++links) {
    if (links > kDepthMax) {
      return fail(peek().offset, fmt::format("a chain of more than {} links", kDepthMax));
    }
    if (is_operator(".")) {
      take();
      const Token& name = take();
      if (name.kind != Token::Kind::kName && name.kind != Token::Kind::kInteger) {
        return fail(name.offset, fmt::format("expected a name after '.', found {}", shown(name)));
      }
      auto next = make(Expr::Kind::kAttribute, name.offset, name.text);
      next->children.push_back(std::move(node));
      node = std::move(next);
    } else if (is_operator("[")) {
      node = subscript(std::move(node));
    } else if (is_operator("(")) {
      auto call = make(Expr::Kind::kCall, node->offset);
      call->children.push_back(std::move(node));
      node = call_arguments(*call) ? std::move(call) : nullptr;
    } else {
      break;
    }
  }
  return node;
}

ExprPtr ExpressionParser::subscript(ExprPtr node) {
  auto index = make(Expr::Kind::kIndex, take().offset);
  index->children.push_back(std::move(node));
  auto part = [&] { return is_operator(":") || is_operator("]") ? nullptr : expression(); };
  index->children.push_back(part());
  while (!failed_ && is_operator(":") && index->children.size() < 4) {
    take();
    index->kind = Expr::Kind::kSlice;
    index->children.push_back(part());
  }
  if (failed_ || !expect_operator("]")) {
    return nullptr;
  }
  if (index->kind == Expr::Kind::kIndex && !index->children[1]) {
    return fail(index->offset, "an index is missing between [ and ]");
  }
  return index;
}

bool ExpressionParser::call_arguments(Expr& call) {
  take();  // "("
  while (!is_operator(")")) {
    bool named =
        peek().kind == Token::Kind::kName && peek(1).kind == Token::Kind::kOperator && peek(1).text == "=";
    if (named) {
      std::string name = take().text;
      take();
      ExprPtr value = expression();
      if (!value) {
        return false;
      }
      call.named.emplace_back(std::move(name), std::move(value));
    } else {
      size_t offset = peek().offset;
      ExprPtr value = expression();
      if (!value) {
        return false;
      }
      if (!call.named.empty()) {
        fail(offset, "an argument without a name stands after one with a name");
        return false;
      }
      call.children.push_back(std::move(value));
    }
    if (!take_operator(",")) {
      break;
    }
  }
  return expect_operator(")");
}

ExprPtr ExpressionParser::filter(ExprPtr node) {
  const Token& name = take();
  if (name.kind != Token::Kind::kName) {
    return fail(name.offset, fmt::format("expected a filter's name, found {}", shown(name)));
  }
  auto made = make(Expr::Kind::kFilter, name.offset, name.text);
  made->children.push_back(std::move(node));
  if (is_operator("(") && !call_arguments(*made)) {
    return nullptr;
  }
  return made;
}

ExprPtr ExpressionParser::first_filter(ExprPtr node) {
  return filters(filter(std::move(node)));
}

ExprPtr ExpressionParser::filters(ExprPtr node) {
  for (int links = 0; node; ++links) {
    if (links > kDepthMax) {
      return fail(peek().offset, fmt::format("a chain of more than {} filters", kDepthMax));
    }
    if (is_operator("|")) {
      take();
      node = filter(std::move(node));
    } else if (is_word("is")) {
      node = test(std::move(node));
    } else {
      break;
    }
  }
  return node;
}

ExprPtr ExpressionParser::test(ExprPtr node) {
  take();  // "is"
  bool negated = take_word("not");
  const Token& name = take();
  if (name.kind != Token::Kind::kName) {
    return fail(name.offset, fmt::format("expected a test's name after 'is', found {}", shown(name)));
  }
  auto made = make(Expr::Kind::kTest, name.offset, name.text);
  made->negated = negated;
  made->children.push_back(std::move(node));
  const Token& next = peek();
  bool value_follows = next.kind == Token::Kind::kString || next.kind == Token::Kind::kInteger ||
                       next.kind == Token::Kind::kFloat || is_operator("[") ||
                       (next.kind == Token::Kind::kName && !is_reserved(next.text));
  if (is_operator("(")) {
    return call_arguments(*made) ? std::move(made) : nullptr;
  }
  if (value_follows) {
    ExprPtr value = postfix(primary());
    if (!value) {
      return nullptr;
    }
    made->children.push_back(std::move(value));
  }
  return made;
}

bool ExpressionParser::targets(std::vector<std::string>& names, bool allow_member) {
  bool bracket = take_operator("(");
  do {
    const Token& token = take();
    if (token.kind != Token::Kind::kName || is_reserved(token.text)) {
      fail(token.offset, fmt::format("expected a name, found {}", shown(token)));
      return false;
    }
    std::string name = token.text;
    if (allow_member && is_operator(".") && peek(1).kind == Token::Kind::kName) {
      take();
      name += "." + take().text;
    }
    names.push_back(std::move(name));
  } while (take_operator(",") && peek().kind == Token::Kind::kName);
  return !bracket || expect_operator(")");
}

bool ExpressionParser::parameters(std::vector<Parameter>& parameters) {
  if (!expect_operator("(")) {
    return false;
  }
  while (!is_operator(")")) {
    const Token& token = take();
    if (token.kind != Token::Kind::kName || is_reserved(token.text)) {
      fail(token.offset, fmt::format("expected a parameter's name, found {}", shown(token)));
      return false;
    }
    Parameter parameter{token.text, nullptr};
    if (take_operator("=")) {
      parameter.fallback = expression();
      if (failed_) {
        return false;
      }
    }
    parameters.push_back(std::move(parameter));
    if (!take_operator(",")) {
      break;
    }
  }
  return expect_operator(")");
}

}  // namespace tarn::model::jinja
