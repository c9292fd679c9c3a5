#include "model/jinja/template.h"

#include <algorithm>

#include <fmt/format.h>

#include "codec/text_distance.h"
#include "model/jinja/parser.h"

namespace tarn::model::jinja {
namespace {

constexpr int kBlockDepthMax = 100;

std::unique_ptr<Node> make(Node::Kind kind, size_t offset) {
  auto node = std::make_unique<Node>();
  node->kind = kind;
  node->offset = offset;
  return node;
}

// Reads blocks; what stands inside tags is left to ExpressionParser.
class BlockParser {
 public:
  explicit BlockParser(const std::vector<Token>& tokens) : in_(tokens) {}

  bool run(Nodes& nodes) {
    std::string stopped = body(nodes, {});
    if (!in_.failed() && !stopped.empty()) {
      in_.fail(stop_offset_, fmt::format("'{}' stands here without its beginning", stopped));
    }
    return !in_.failed();
  }
  [[nodiscard]] const LexError& error() const { return in_.error(); }

 private:
  // Reads until a block tag whose word is in `stops` (then positioned after the word), or the end ("").
  std::string body(Nodes& nodes, const std::vector<std::string_view>& stops) {
    while (!in_.failed()) {
      const Token& token = in_.take();
      if (token.kind == Token::Kind::kEnd) {
        return "";
      }
      if (token.kind == Token::Kind::kText) {
        auto node = make(Node::Kind::kText, token.offset);
        node->text = token.text;
        nodes.push_back(std::move(node));
      } else if (token.kind == Token::Kind::kOutputBegin) {
        auto node = make(Node::Kind::kOutput, token.offset);
        node->expr = in_.tuple();
        close(Token::Kind::kOutputEnd);
        nodes.push_back(std::move(node));
      } else {
        const Token& word = in_.take();
        if (word.kind != Token::Kind::kName) {
          in_.fail(word.offset, fmt::format("expected a word such as 'if', found {}", in_.shown(word)));
        } else if (std::find(stops.begin(), stops.end(), word.text) != stops.end() ||
                   word.text.starts_with("end") || word.text == "else" || word.text == "elif") {
          stop_offset_ = token.offset;
          return word.text;
        } else {
          block(nodes, token.offset, word);
        }
      }
    }
    return "";
  }

  void block(Nodes& nodes, size_t offset, const Token& word) {
    if (++depth_ > kBlockDepthMax) {
      in_.fail(offset, fmt::format("blocks nested more than {} deep", kBlockDepthMax));
      return;
    }
    std::unique_ptr<Node> node;
    if (word.text == "if") {
      node = if_block(offset);
    } else if (word.text == "for") {
      node = for_block(offset);
    } else if (word.text == "set") {
      node = set_block(offset);
    } else if (word.text == "macro" || word.text == "test") {
      node = macro_block(offset, word.text);
    } else if (word.text == "call") {
      node = call_block(offset);
    } else if (word.text == "filter") {
      node = filter_block(offset);
    } else if (word.text == "do") {
      node = make(Node::Kind::kDo, offset);
      node->expr = in_.tuple();
      close(Token::Kind::kBlockEnd);
    } else {
      unknown(word);
    }
    --depth_;
    if (node) {
      nodes.push_back(std::move(node));
    }
  }

  void unknown(const Token& word) {
    static const std::vector<std::string> kKnown = {"if",   "for",    "set", "macro", "test",
                                                    "call", "filter", "do",  "raw"};
    std::string near = codec::nearest(word.text, kKnown);
    bool of_jinja = word.text == "include" || word.text == "import" || word.text == "from" ||
                    word.text == "extends" || word.text == "block" || word.text == "snapshot" ||
                    word.text == "materialization" || word.text == "docs";
    std::string remedy = of_jinja || near.empty()
                             ? fmt::format("known blocks are {}", fmt::join(kKnown, ", "))
                             : fmt::format("did you mean '{}'?", near);
    in_.fail(word.offset, fmt::format("block '{}' is not known: {}", word.text, remedy));
  }

  void close(Token::Kind kind) {
    if (in_.failed()) {
      return;
    }
    const Token& token = in_.take();
    if (token.kind != kind) {
      in_.fail(token.offset, fmt::format("expected the end of the tag, found {}", in_.shown(token)));
    }
  }

  // After body() stopped: the word must be `wanted`, which ends the block begun at `offset`.
  void expect_stop(const std::string& stopped, std::string_view wanted, size_t offset,
                   std::string_view what) {
    if (in_.failed()) {
      return;
    }
    if (stopped.empty()) {
      in_.fail(offset, fmt::format("this {} is never closed; write {{% {} %}}", what, wanted));
    } else if (stopped != wanted) {
      in_.fail(stop_offset_, fmt::format("'{}' stands here, but the open block is '{}'; write {{% {} %}}",
                                         stopped, what, wanted));
    } else {
      if (in_.peek().kind == Token::Kind::kName) {
        in_.take();  // {% endmacro name %}
      }
      close(Token::Kind::kBlockEnd);
    }
  }

  std::unique_ptr<Node> if_block(size_t offset) {
    auto node = make(Node::Kind::kIf, offset);
    std::string stopped = "if";
    while (!in_.failed() && (stopped == "if" || stopped == "elif" || stopped == "else")) {
      bool last = stopped == "else";
      node->branches.emplace_back(last ? nullptr : in_.expression(), Nodes{});
      close(Token::Kind::kBlockEnd);
      stopped = body(node->branches.back().second, {"elif", "else", "endif"});
      if (last && (stopped == "elif" || stopped == "else")) {
        in_.fail(stop_offset_, fmt::format("'{}' stands after 'else'", stopped));
      }
    }
    expect_stop(stopped, "endif", offset, "if");
    return node;
  }

  std::unique_ptr<Node> for_block(size_t offset) {
    auto node = make(Node::Kind::kFor, offset);
    if (!in_.targets(node->names, false)) {
      return nullptr;
    }
    if (!in_.take_word("in")) {
      in_.fail(in_.peek().offset, fmt::format("expected 'in', found {}", in_.shown(in_.peek())));
      return nullptr;
    }
    node->expr = in_.disjunction();
    if (in_.take_word("if")) {
      node->filter = in_.expression();
    }
    close(Token::Kind::kBlockEnd);
    std::string stopped = body(node->body, {"else", "endfor"});
    if (stopped == "else") {
      close(Token::Kind::kBlockEnd);
      stopped = body(node->otherwise, {"endfor"});
    }
    expect_stop(stopped, "endfor", offset, "for");
    return node;
  }

  std::unique_ptr<Node> set_block(size_t offset) {
    auto node = make(Node::Kind::kSet, offset);
    if (!in_.targets(node->names, true)) {
      return nullptr;
    }
    if (in_.take_operator("=")) {
      node->expr = in_.tuple();
      close(Token::Kind::kBlockEnd);
      return node;
    }
    node->kind = Node::Kind::kSetBlock;
    close(Token::Kind::kBlockEnd);
    std::string stopped = body(node->body, {"endset"});
    expect_stop(stopped, "endset", offset, "set");
    return node;
  }

  std::unique_ptr<Node> macro_block(size_t offset, const std::string& word) {
    auto node = make(Node::Kind::kMacro, offset);
    const Token& name = in_.take();
    if (name.kind != Token::Kind::kName) {
      in_.fail(name.offset, fmt::format("expected the {}'s name, found {}", word, in_.shown(name)));
      return nullptr;
    }
    node->text = word == "test" ? "test_" + name.text : name.text;
    if (!in_.parameters(node->parameters)) {
      return nullptr;
    }
    close(Token::Kind::kBlockEnd);
    std::string end = "end" + word;
    std::string stopped = body(node->body, {end});
    expect_stop(stopped, end, offset, word);
    return node;
  }

  std::unique_ptr<Node> call_block(size_t offset) {
    auto node = make(Node::Kind::kCallBlock, offset);
    if (in_.is_operator("(") && !in_.parameters(node->parameters)) {
      return nullptr;
    }
    size_t at = in_.peek().offset;
    node->expr = in_.expression();
    if (node->expr && node->expr->kind != Expr::Kind::kCall) {
      in_.fail(at, "expected the call of a macro");
    }
    close(Token::Kind::kBlockEnd);
    std::string stopped = body(node->body, {"endcall"});
    expect_stop(stopped, "endcall", offset, "call");
    return node;
  }

  // {% filter upper|trim %} ... {% endfilter %}
  std::unique_ptr<Node> filter_block(size_t offset) {
    auto node = make(Node::Kind::kFilterBlock, offset);
    auto text = std::make_unique<Expr>();
    text->kind = Expr::Kind::kName;
    text->offset = offset;
    text->text = kBlockText;
    node->expr = in_.first_filter(std::move(text));
    close(Token::Kind::kBlockEnd);
    std::string stopped = body(node->body, {"endfilter"});
    expect_stop(stopped, "endfilter", offset, "filter");
    return node;
  }

  ExpressionParser in_;
  size_t stop_offset_ = 0;
  int depth_ = 0;
};

}  // namespace

bool mentions(const ExprPtr& expr, std::string_view name) {
  return expr != nullptr && ((expr->kind == Expr::Kind::kName && expr->text == name) ||
                             std::any_of(expr->children.begin(), expr->children.end(),
                                         [&](const ExprPtr& child) { return mentions(child, name); }) ||
                             std::any_of(expr->named.begin(), expr->named.end(),
                                         [&](const auto& member) { return mentions(member.second, name); }));
}

bool mentions(const Nodes& nodes, std::string_view name) {
  return std::any_of(nodes.begin(), nodes.end(), [&](const std::unique_ptr<Node>& node) {
    return mentions(node->expr, name) || mentions(node->filter, name) || mentions(node->body, name) ||
           mentions(node->otherwise, name) ||
           std::any_of(node->branches.begin(), node->branches.end(), [&](const auto& branch) {
             return mentions(branch.first, name) || mentions(branch.second, name);
           });
  });
}

const Node* find_tag(const Nodes& nodes, size_t offset) {
  for (const auto& node : nodes) {
    bool prints = node->kind == Node::Kind::kOutput || node->kind == Node::Kind::kCallBlock;
    if (prints && node->offset == offset) {
      return node.get();
    }
    const Node* found = find_tag(node->body, offset);
    found = found != nullptr ? found : find_tag(node->otherwise, offset);
    for (const auto& branch : node->branches) {
      found = found != nullptr ? found : find_tag(branch.second, offset);
    }
    if (found != nullptr) {
      return found;
    }
  }
  return nullptr;
}

Place Template::place_of(size_t offset) const {
  Place place{file, 1, 1};
  for (size_t i = 0; i < offset && i < text.size(); ++i) {
    if (text[i] == '\n') {
      ++place.line;
      place.column = 1;
    } else {
      ++place.column;
    }
  }
  return place;
}

Result<std::shared_ptr<const Template>> parse_template(std::string file, std::string text,
                                                       Diagnostic& mistake) {
  auto made = std::make_shared<Template>();
  made->file = std::move(file);
  made->text = std::move(text);
  std::vector<Token> tokens;
  LexError error;
  bool good = cut(made->text, tokens, error);
  if (good) {
    BlockParser parser(tokens);
    good = parser.run(made->nodes);
    error = parser.error();
  }
  if (!good) {
    mistake = {made->place_of(error.offset), error.message};
    return Error{Code::kInvalid, to_string(mistake)};
  }
  return std::shared_ptr<const Template>(std::move(made));
}

}  // namespace tarn::model::jinja
