#include "model/unknown_names.h"

#include <algorithm>

#include "model/context.h"
#include "model/jinja/builtins.h"

namespace tarn::model {
namespace {

using jinja::Expr;
using jinja::Node;
using jinja::Nodes;

class Walker {
 public:
  Walker(const ModelProject& project, const jinja::Template& text, const RenderRequest& request)
      : text_(text), globals_(make_globals(project, request)) {
    known_ = {"return", "adapter", "caller", "loop", "varargs", "kwargs"};
    for (const auto& entry : globals_) {
      known_.push_back(entry.first);
    }
    for (const auto& entry : project.macros) {
      known_.push_back(entry.first);
    }
    for (const auto& entry : jinja::builtin_functions()) {
      known_.push_back(entry.first);
    }
    learn(text.nodes);
  }

  Diagnostics run() {
    visit(text_.nodes);
    return std::move(found_);
  }

 private:
  // Names that the template itself gives, wherever they hold.
  void learn(const Nodes& nodes) {
    for (const auto& node : nodes) {
      known_.insert(known_.end(), node->names.begin(), node->names.end());
      for (const auto& parameter : node->parameters) {
        known_.push_back(parameter.name);
      }
      if (node->kind == Node::Kind::kMacro) {
        known_.push_back(node->text);
      }
      learn(node->body);
      learn(node->otherwise);
      for (const auto& branch : node->branches) {
        learn(branch.second);
      }
    }
  }

  void visit(const Nodes& nodes) {
    for (const auto& node : nodes) {
      if (node->kind == Node::Kind::kOutput && node->expr->kind == Expr::Kind::kName) {
        must_be_known(node->expr->text, node->expr->offset);
      }
      visit(node->expr.get());
      visit(node->filter.get());
      visit(node->body);
      visit(node->otherwise);
      for (const auto& [condition, body] : node->branches) {
        visit(condition.get());
        visit(body);
      }
    }
  }

  void visit(const Expr* expr) {
    if (expr == nullptr) {
      return;
    }
    if (expr->kind == Expr::Kind::kFilter) {
      tell(expr->offset, jinja::unknown_filter(expr->text));
    } else if (expr->kind == Expr::Kind::kCall && expr->children[0]->kind == Expr::Kind::kName) {
      call(*expr, expr->children[0]->text);
    }
    for (const auto& child : expr->children) {
      visit(child.get());
    }
    for (const auto& member : expr->named) {
      visit(member.second.get());
    }
  }

  // Whatever ref() and its like say to plain texts they will say in the run.
  void call(const Expr& expr, const std::string& name) {
    must_be_known(name, expr.offset);
    bool looks_up = name == "ref" || name == "source" || name == "var" || name == "env_var";
    if (!looks_up) {
      return;
    }
    jinja::Arguments arguments;
    for (size_t i = 1; i < expr.children.size(); ++i) {
      if (expr.children[i]->kind != Expr::Kind::kLiteral) {
        return;
      }
      arguments.positional.push_back(expr.children[i]->value);
    }
    for (const auto& [key, value] : expr.named) {
      if (value->kind != Expr::Kind::kLiteral) {
        return;
      }
      arguments.named.emplace_back(key, value->value);
    }
    const jinja::Value& global = globals_.at(name);
    const auto* function = global.as<std::shared_ptr<const jinja::Function>>();
    const auto* object = global.as<std::shared_ptr<const jinja::Object>>();
    auto done = function != nullptr ? (*function)->call(arguments) : (*object)->call(arguments);
    tell(expr.offset, done ? "" : done.error().message);
  }

  void must_be_known(const std::string& name, size_t offset) {
    if (std::find(known_.begin(), known_.end(), name) == known_.end()) {
      tell(offset, jinja::unknown_name(name, known_));
    }
  }

  void tell(size_t offset, std::string message) {
    if (!message.empty()) {
      found_.push_back({text_.place_of(offset), std::move(message)});
    }
  }

  const jinja::Template& text_;
  jinja::Globals globals_;
  std::vector<std::string> known_;
  Diagnostics found_;
};

}  // namespace

Diagnostics unknown_names(const ModelProject& project, const jinja::Template& text,
                          const RenderRequest& request) {
  return Walker(project, text, request).run();
}

}  // namespace tarn::model
