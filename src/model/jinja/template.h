// A parsed template: the tree that the interpreter walks. Offsets are bytes of the template's own text.
// Blocks: if/elif/else, for/else, set (inline and block), macro, test, do, call, filter, raw, comments.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/diagnostic.h"
#include "base/result.h"
#include "model/jinja/value.h"

namespace tarn::model::jinja {

struct Expr;
using ExprPtr = std::unique_ptr<Expr>;

struct Expr {
  enum class Kind {
    kLiteral,  // value
    kName,     // text
    kList,     // children; text "(" for a tuple
    kDict,     // children: key, value, key, value ...
    kUnary,    // text: "-", "+", "not"; children[0]
    kBinary,   // text: the operator; children[0], [1]
    kAnd,
    kOr,         // children[0], [1]
    kCondition,  // children: then, test, else (or null)
    kAttribute,  // children[0].text
    kIndex,      // children[0][children[1]]
    kSlice,      // children[0][a:b:c], each may be null
    kCall,       // children[0](rest..., named...)
    kFilter,     // children[0] | text(rest..., named...)
    kTest,       // children[0] is text(rest...); negated
  };
  Kind kind = Kind::kLiteral;
  size_t offset = 0;
  std::string text;
  Value value;
  std::vector<ExprPtr> children;
  std::vector<std::pair<std::string, ExprPtr>> named;
  bool negated = false;
  int height = 0;  // of a chain of operators, which nests without brackets
};

struct Node;
using Nodes = std::vector<std::unique_ptr<Node>>;

struct Parameter {
  std::string name;
  ExprPtr fallback;  // or null
};

// In the expression of a filter block: what its body printed. No name of a template can be this.
inline constexpr const char* kBlockText = "(block)";

struct Node {
  enum class Kind { kText, kOutput, kIf, kFor, kSet, kSetBlock, kMacro, kDo, kCallBlock, kFilterBlock };
  Kind kind = Kind::kText;
  size_t offset = 0;
  std::string text;  // kText: itself; kMacro: its name
  ExprPtr expr;      // kOutput, kDo, kFor (what is gone through), kSet, kCallBlock (the call), kFilterBlock
  ExprPtr filter;    // kFor: "if" condition, or null
  std::vector<std::string> names;                   // kFor, kSet: targets; kSet may hold one "space.member"
  std::vector<Parameter> parameters;                // kMacro, kCallBlock
  std::vector<std::pair<ExprPtr, Nodes>> branches;  // kIf: condition (null: else) and body
  Nodes body;
  Nodes otherwise;  // kFor: else
};

// Does a name stand anywhere in it?
bool mentions(const ExprPtr& expr, std::string_view name);
bool mentions(const Nodes& nodes, std::string_view name);

// The output tag, or call block, that begins at this byte; null when there is none.
const Node* find_tag(const Nodes& nodes, size_t offset);

struct Template {
  std::string file;  // for places
  std::string text;
  Nodes nodes;

  [[nodiscard]] Place place_of(size_t offset) const;
};

// Fails with kInvalid; the mistake with its place is put into `mistake` too.
Result<std::shared_ptr<const Template>> parse_template(std::string file, std::string text,
                                                       Diagnostic& mistake);

}  // namespace tarn::model::jinja
