#include "model/jinja/interpreter.h"

#include <algorithm>

#include <fmt/format.h>

#include "codec/text_distance.h"
#include "model/jinja/builtins.h"

namespace tarn::model::jinja {
namespace {

constexpr int64_t kStepsMax = 1'000'000;
constexpr int kDepthMax = 600;            // nested evaluations: bounds the native stack
constexpr int kCallDepthMax = 50;         // macros that call macros
constexpr size_t kBytesMax = 256u << 20;  // that all values together may have taken
constexpr size_t kOutputBytesMax = 16u << 20;

struct Sink {
  std::string text;
  std::vector<Stretch>* map = nullptr;  // null inside macros
};

// One rendering or macro call.
struct Frame {
  std::shared_ptr<const Template> home;
  std::vector<std::map<std::string, Value>> scopes;
  const Frame* module = nullptr;  // where a macro inside a template was defined, while that is alive
  uint64_t id = 0;
  bool returned = false;
  Value result;
};

const std::map<std::string, std::string_view>& not_available() {
  static const std::map<std::string, std::string_view> kNames = {
      {"run_query", "Tarn compiles a model without running queries; write the query into the model"},
      {"statement", "Tarn compiles a model without running queries; write the query into the model"},
      {"load_result", "Tarn compiles a model without running queries; write the query into the model"},
      {"graph", "Tarn does not show the graph to templates"},
      {"dbt_utils", "packages are not installed; copy the macro into macros/"},
      {"modules", "Python's modules are not there; use SQL or var()"},
  };
  return kNames;
}

}  // namespace

std::string unknown_name(const std::string& name, const std::vector<std::string>& known) {
  if (auto refused = not_available().find(name); refused != not_available().end()) {
    return fmt::format("'{}' is not available: {}", name, refused->second);
  }
  std::string near = codec::nearest(name, known);
  return near.empty() ? fmt::format("nothing is called '{}' here", name)
                      : fmt::format("nothing is called '{}' here: did you mean '{}'?", name, near);
}

class Interpreter::Impl {
 public:
  Impl(const Globals& globals, const Macros& macros) : globals_(globals), macros_(macros) {}

  Result<Rendered> render(const std::shared_ptr<const Template>& home) {
    Frame frame = make_frame(home, 0);
    Rendered out;
    Sink sink{.text = "", .map = &out.map};
    live_.push_back(&frame);
    auto done = run(home->nodes, frame, sink);
    live_.pop_back();
    TARN_CHECK(done);
    out.text = std::move(sink.text);
    return out;
  }

  Result<Value> call_named(const std::string& name, const Arguments& arguments) {
    auto found = macros_.find(name);
    if (found == macros_.end()) {
      mistake_ = {Place{}, fmt::format("there is no macro '{}'", name)};
      return Error{Code::kInvalid, mistake_.message};
    }
    return call_macro(found->second.home, *found->second.node, 0, arguments);
  }

  Diagnostic mistake_;

 private:
  // `module` is the id of the frame in which a macro was defined; it may be gone when a macro was returned.
  Frame make_frame(const std::shared_ptr<const Template>& home, uint64_t module) {
    Frame frame;
    frame.home = home;
    frame.scopes.emplace_back();
    frame.id = ++frames_;
    auto alive = std::find_if(live_.begin(), live_.end(), [&](const Frame* f) { return f->id == module; });
    frame.module = alive != live_.end() ? *alive : nullptr;
    return frame;
  }

  // Records the first mistake; the error repeats it as text.
  Error fail(const Frame& frame, size_t offset, std::string message) {
    if (mistake_.message.empty()) {
      mistake_ = {frame.home->place_of(offset), std::move(message)};
    }
    return {Code::kInvalid, to_string(mistake_)};
  }

  Status step(const Frame& frame, size_t offset) {
    if (++steps_ > kStepsMax) {
      return fail(frame, offset, fmt::format("the template takes more than {} steps", kStepsMax));
    }
    return ok();
  }

  Status charge(const Frame& frame, size_t offset, size_t bytes) {
    bytes_ += bytes;
    if (bytes_ > kBytesMax) {
      return fail(frame, offset, "the template makes more than 256 MB of values");
    }
    return ok();
  }

  Status emit(Frame& frame, Sink& sink, std::string_view text, size_t source, bool verbatim) {
    if (sink.text.size() + text.size() > kOutputBytesMax) {
      return fail(frame, source, "the template writes more than 16 MB");
    }
    if (sink.map != nullptr && !text.empty()) {
      sink.map->push_back({sink.text.size(), text.size(), source, verbatim});
    }
    sink.text += text;
    return charge(frame, source, text.size());
  }

  Status run(const Nodes& nodes, Frame& frame, Sink& sink) {
    for (const auto& node : nodes) {
      if (++depth_ > kDepthMax) {
        return fail(frame, node->offset, fmt::format("nested more than {} deep", kDepthMax));
      }
      auto done = run_node(*node, frame, sink);
      --depth_;
      TARN_CHECK(done);
      if (frame.returned) {
        break;
      }
    }
    return ok();
  }

  Status run_node(const Node& node, Frame& frame, Sink& sink) {
    TARN_CHECK(step(frame, node.offset));
    switch (node.kind) {
      case Node::Kind::kText: return emit(frame, sink, node.text, node.offset, true);
      case Node::Kind::kOutput: {
        TARN_TRY(Value value, evaluate(*node.expr, frame));
        if (frame.returned) {
          return ok();
        }
        if (const auto* nothing = value.as<Undefined>()) {
          return fail(frame, node.expr->offset, nothing->name);
        }
        return emit(frame, sink, value.text(), node.offset, false);
      }
      case Node::Kind::kDo: {
        TARN_TRY(Value ignored, evaluate(*node.expr, frame));
        return ok();
      }
      case Node::Kind::kIf: return run_if(node, frame, sink);
      case Node::Kind::kFor: return run_for(node, frame, sink);
      case Node::Kind::kSet: {
        TARN_TRY(Value value, evaluate(*node.expr, frame));
        return assign(node, frame, value);
      }
      case Node::Kind::kSetBlock: {
        TARN_TRY(Value text, captured(node, frame));
        return assign(node, frame, text);
      }
      case Node::Kind::kFilterBlock: {
        TARN_TRY(Value text, captured(node, frame));
        frame.scopes.back()[kBlockText] = std::move(text);
        TARN_TRY(Value value, evaluate(*node.expr, frame));
        return emit(frame, sink, value.text(), node.offset, false);
      }
      case Node::Kind::kMacro: {
        frame.scopes.back()[node.text] = macro_value(frame.home, node, frame.id);
        return ok();
      }
      case Node::Kind::kCallBlock: return run_call_block(node, frame, sink);
    }
    return ok();
  }

  // What the body prints.
  Result<Value> captured(const Node& node, Frame& frame) {
    Sink inner;
    frame.scopes.emplace_back();
    TARN_CHECK(run(node.body, frame, inner));
    frame.scopes.pop_back();
    return Value(std::move(inner.text));
  }

  Status run_if(const Node& node, Frame& frame, Sink& sink) {
    for (const auto& [condition, body] : node.branches) {
      bool chosen = condition == nullptr;
      if (!chosen) {
        TARN_TRY(Value value, evaluate(*condition, frame));
        chosen = value.truthy();
      }
      if (chosen) {
        return run(body, frame, sink);
      }
    }
    return ok();
  }

  Status assign(const Node& node, Frame& frame, const Value& value) {
    if (node.names.size() == 1) {
      return assign_one(node, frame, node.names[0], value);
    }
    return unpack(node, frame, value);
  }

  Status unpack(const Node& node, Frame& frame, const Value& value) {
    auto parts = elements_of(value);
    if (!parts) {
      return fail(frame, node.offset, parts.error().message);
    }
    if (parts->size() != node.names.size()) {
      return fail(frame, node.offset,
                  fmt::format("{} names cannot take {} values", node.names.size(), parts->size()));
    }
    for (size_t i = 0; i < parts->size(); ++i) {
      TARN_CHECK(assign_one(node, frame, node.names[i], (*parts)[i]));
    }
    return ok();
  }

  Status assign_one(const Node& node, Frame& frame, const std::string& name, const Value& value) {
    TARN_CHECK(charge(frame, node.offset, weight(value)));
    size_t dot = name.find('.');
    if (dot == std::string::npos) {
      frame.scopes.back()[name] = value;
      return ok();
    }
    Value owner = look_up(name.substr(0, dot), frame);
    const auto* space = owner.as<std::shared_ptr<Namespace>>();
    if (space == nullptr) {
      return fail(frame, node.offset,
                  fmt::format("'{}' is not a namespace; make it with namespace()", name.substr(0, dot)));
    }
    if (holds(value, owner)) {
      return fail(frame, node.offset, "a namespace cannot hold itself");
    }
    std::string member = name.substr(dot + 1);
    for (auto& [known, held] : (*space)->members) {
      if (known == member) {
        held = value;
        return ok();
      }
    }
    (*space)->members.emplace_back(member, value);
    return ok();
  }

  Status run_for(const Node& node, Frame& frame, Sink& sink) {
    TARN_TRY(Value over, evaluate(*node.expr, frame));
    auto found = elements_of(over);
    if (!found) {
      return fail(frame, node.expr->offset, found.error().message);
    }
    List all = std::move(*found);
    if (node.filter) {
      List kept;
      for (const Value& item : all) {
        frame.scopes.emplace_back();
        TARN_CHECK(assign_loop(node, frame, item));
        TARN_TRY(Value wanted, evaluate(*node.filter, frame));
        frame.scopes.pop_back();
        if (wanted.truthy()) {
          kept.push_back(item);
        }
      }
      all = std::move(kept);
    }
    if (all.empty()) {
      return run(node.otherwise, frame, sink);
    }
    const bool uses_loop = mentions(node.body, "loop");
    for (size_t i = 0; i < all.size() && !frame.returned; ++i) {
      TARN_CHECK(step(frame, node.offset));
      frame.scopes.emplace_back();
      if (uses_loop) {
        frame.scopes.back()["loop"] = loop_object(all, i);
      }
      TARN_CHECK(assign_loop(node, frame, all[i]));
      TARN_CHECK(run(node.body, frame, sink));
      frame.scopes.pop_back();
    }
    return ok();
  }

  Status assign_loop(const Node& node, Frame& frame, const Value& item) {
    if (node.names.size() == 1) {
      frame.scopes.back()[node.names[0]] = item;
      return ok();
    }
    return unpack(node, frame, item);
  }

  Status run_call_block(const Node& node, Frame& frame, Sink& sink) {
    frame.scopes.emplace_back();
    frame.scopes.back()["caller"] = macro_value(frame.home, node, frame.id);
    // `caller` is found by the called macro through this list, as Jinja hands it over by keyword.
    callers_.push_back(frame.scopes.back()["caller"]);
    auto value = evaluate(*node.expr, frame);
    callers_.pop_back();
    frame.scopes.pop_back();
    if (!value) {
      return Error(value.error());
    }
    return emit(frame, sink, value->text(), node.offset, false);
  }

  Value macro_value(const std::shared_ptr<const Template>& home, const Node& node, uint64_t module) {
    std::string name = node.kind == Node::Kind::kMacro ? node.text : "caller";
    return Value::function(name, [this, home, &node, module](const Arguments& arguments) {
      return call_macro(home, node, module, arguments);
    });
  }

  Result<Value> call_macro(const std::shared_ptr<const Template>& home, const Node& node, uint64_t module,
                           const Arguments& arguments) {
    if (++call_depth_ > kCallDepthMax) {
      --call_depth_;
      return Error{Code::kInvalid, fmt::format("macros call each other more than {} deep", kCallDepthMax)};
    }
    Frame frame = make_frame(home, module);
    live_.push_back(&frame);
    auto bound = bind(node, frame, arguments);
    Sink sink;
    auto done = bound ? run(node.body, frame, sink) : bound;
    live_.pop_back();
    --call_depth_;
    if (!done) {
      return Error(done.error());
    }
    return frame.returned ? frame.result : Value(std::move(sink.text));
  }

  Status bind(const Node& node, Frame& frame, const Arguments& arguments) {
    std::string name = node.kind == Node::Kind::kMacro ? node.text : "caller";
    auto& scope = frame.scopes.back();
    List varargs;
    Dict kwargs;
    for (size_t i = 0; i < arguments.positional.size(); ++i) {
      if (i < node.parameters.size()) {
        scope[node.parameters[i].name] = arguments.positional[i];
      } else {
        varargs.push_back(arguments.positional[i]);
      }
    }
    for (const auto& [key, value] : arguments.named) {
      bool known = std::any_of(node.parameters.begin(), node.parameters.end(),
                               [&](const Parameter& parameter) { return parameter.name == key; });
      if (known && scope.contains(key)) {
        return Error{Code::kInvalid, fmt::format("{}() was given '{}' twice", name, key)};
      }
      if (known) {
        scope[key] = value;
      } else {
        kwargs.emplace_back(Value(key), value);
      }
    }
    for (const Parameter& parameter : node.parameters) {
      if (scope.contains(parameter.name)) {
        continue;
      }
      Value value = Value::undefined(fmt::format("{}() was not given '{}'", name, parameter.name));
      if (parameter.fallback) {
        TARN_TRY(value, evaluate(*parameter.fallback, frame));
      }
      scope[parameter.name] = std::move(value);
    }
    return check_rest(node, name, varargs, kwargs, scope);
  }

  static Status check_rest(const Node& node, const std::string& name, List& varargs, Dict& kwargs,
                           std::map<std::string, Value>& scope) {
    // A macro takes more than its parameters only when it looks at them, as in Jinja.
    if (!varargs.empty() && !mentions(node.body, "varargs")) {
      return Error{Code::kInvalid,
                   fmt::format("{}() takes {} arguments, not {}", name, node.parameters.size(),
                               node.parameters.size() + varargs.size())};
    }
    if (!kwargs.empty() && !mentions(node.body, "kwargs")) {
      std::vector<std::string> known;
      for (const Parameter& parameter : node.parameters) {
        known.push_back(parameter.name);
      }
      std::string given = kwargs.front().first.text();
      std::string near = codec::nearest(given, known);
      return Error{Code::kInvalid,
                   fmt::format("{}() has no argument '{}'{}", name, given,
                               near.empty() ? "" : fmt::format(": did you mean '{}'?", near))};
    }
    scope.try_emplace("varargs", Value::list(std::move(varargs)));
    scope.try_emplace("kwargs", Value::dict(std::move(kwargs)));
    return ok();
  }

  Value look_up(const std::string& name, const Frame& frame) {
    for (const Frame* at = &frame; at != nullptr; at = at->module) {
      for (auto scope = at->scopes.rbegin(); scope != at->scopes.rend(); ++scope) {
        auto found = scope->find(name);
        if (found != scope->end()) {
          return found->second;
        }
      }
    }
    if (name == "caller" && !callers_.empty()) {
      return callers_.back();
    }
    if (auto found = globals_.find(name); found != globals_.end()) {
      return found->second;
    }
    if (auto found = macros_.find(name); found != macros_.end()) {
      return macro_value(found->second.home, *found->second.node, 0);
    }
    if (auto found = builtin_functions().find(name); found != builtin_functions().end()) {
      return found->second;
    }
    if (name == "adapter") {
      return adapter();
    }
    return Value::undefined(unknown_name(name, frame));
  }

  // Only adapter.dispatch('name'): the macro duckdb__name, else default__name.
  Value adapter() {
    auto dispatch = [this](const Arguments& given) -> Result<Value> {
      TARN_CHECK(given.expect("adapter.dispatch", 1, 2, {"macro_name", "macro_namespace"}));
      const Value* name = given.find(0, "macro_name");
      for (const char* prefix : {"duckdb__", "default__"}) {
        auto found = macros_.find(prefix + (name != nullptr ? name->text() : ""));
        if (found != macros_.end()) {
          return macro_value(found->second.home, *found->second.node, 0);
        }
      }
      return Error{Code::kInvalid, fmt::format("there is no macro duckdb__{0} and no default__{0}",
                                               name != nullptr ? name->text() : "")};
    };
    return Value::object({"<adapter>", {{"dispatch", Value::function("dispatch", dispatch)}}, {}});
  }

  std::string unknown_name(const std::string& name, const Frame& frame) const {
    std::vector<std::string> all = {"return"};
    for (const auto& scope : frame.scopes) {
      for (const auto& entry : scope) {
        all.push_back(entry.first);
      }
    }
    for (const auto& entry : globals_) {
      all.push_back(entry.first);
    }
    for (const auto& entry : macros_) {
      all.push_back(entry.first);
    }
    return jinja::unknown_name(name, all);
  }

  Result<Value> evaluate(const Expr& expr, Frame& frame) {
    TARN_CHECK(step(frame, expr.offset));
    if (++depth_ > kDepthMax) {
      --depth_;
      return fail(frame, expr.offset, fmt::format("nested more than {} deep", kDepthMax));
    }
    auto value = evaluate_kind(expr, frame);
    --depth_;
    if (!value) {
      return fail(frame, expr.offset, value.error().message);
    }
    return value;
  }

  Result<Value> evaluate_kind(const Expr& expr, Frame& frame) {
    switch (expr.kind) {
      case Expr::Kind::kLiteral: return expr.value;
      case Expr::Kind::kName: return look_up(expr.text, frame);
      case Expr::Kind::kList:
      case Expr::Kind::kDict: return make_container(expr, frame);
      case Expr::Kind::kUnary: return unary(expr, frame);
      case Expr::Kind::kBinary: return binary(expr, frame);
      case Expr::Kind::kAnd:
      case Expr::Kind::kOr: {
        TARN_TRY(Value left, evaluate(*expr.children[0], frame));
        bool decided = left.truthy() == (expr.kind == Expr::Kind::kOr);
        return decided ? Result<Value>(left) : evaluate(*expr.children[1], frame);
      }
      case Expr::Kind::kCondition: {
        TARN_TRY(Value test, evaluate(*expr.children[1], frame));
        if (test.truthy()) {
          return evaluate(*expr.children[0], frame);
        }
        return expr.children[2] ? evaluate(*expr.children[2], frame) : Value("");
      }
      case Expr::Kind::kAttribute: {
        TARN_TRY(Value object, evaluate(*expr.children[0], frame));
        return member_of(object, Value(expr.text));
      }
      case Expr::Kind::kIndex: {
        TARN_TRY(Value object, evaluate(*expr.children[0], frame));
        TARN_TRY(Value key, evaluate(*expr.children[1], frame));
        return member_of(object, key);
      }
      case Expr::Kind::kSlice: return slice(expr, frame);
      case Expr::Kind::kCall: return call(expr, frame);
      case Expr::Kind::kFilter: {
        TARN_TRY(Value input, evaluate(*expr.children[0], frame));
        TARN_TRY(Arguments arguments, arguments_of(expr, frame));
        TARN_TRY(Value made, apply_filter(expr.text, input, arguments));
        TARN_CHECK(charge(frame, expr.offset, weight(made)));
        return made;
      }
      case Expr::Kind::kTest: {
        TARN_TRY(Value input, evaluate(*expr.children[0], frame));
        TARN_TRY(Arguments arguments, arguments_of(expr, frame));
        TARN_TRY(bool answer, apply_test(expr.text, input, arguments));
        return Value(answer != expr.negated);
      }
    }
    return Value();
  }

  Result<Value> make_container(const Expr& expr, Frame& frame) {
    List all;
    for (const auto& child : expr.children) {
      TARN_TRY(Value value, evaluate(*child, frame));
      all.push_back(std::move(value));
    }
    Value made;
    if (expr.kind == Expr::Kind::kList) {
      made = expr.text == "(" ? Value::tuple(std::move(all)) : Value::list(std::move(all));
    } else {
      Dict entries;
      for (size_t i = 0; i + 1 < all.size(); i += 2) {
        auto known = std::find_if(entries.begin(), entries.end(),
                                  [&](const auto& entry) { return equal(entry.first, all[i]); });
        if (known != entries.end()) {
          known->second = all[i + 1];
        } else {
          entries.emplace_back(all[i], all[i + 1]);
        }
      }
      made = Value::dict(std::move(entries));
    }
    TARN_CHECK(charge(frame, expr.offset, weight(made)));
    return made;
  }

  Result<Value> unary(const Expr& expr, Frame& frame) {
    TARN_TRY(Value value, evaluate(*expr.children[0], frame));
    if (expr.text == "not") {
      return Value(!value.truthy());
    }
    return apply_operator(expr.text, Value(0), value);
  }

  Result<Value> binary(const Expr& expr, Frame& frame) {
    TARN_TRY(Value left, evaluate(*expr.children[0], frame));
    TARN_TRY(Value right, evaluate(*expr.children[1], frame));
    bool comparing = expr.text == "==" || expr.text == "!=" || expr.text == "in" || expr.text == "not in";
    for (const Value* side : {&left, &right}) {
      if (const auto* nothing = side->as<Undefined>(); nothing != nullptr && !comparing) {
        return Error{Code::kInvalid, nothing->name};
      }
    }
    TARN_TRY(Value made, apply_operator(expr.text, left, right));
    if (!made.is_number()) {
      TARN_CHECK(charge(frame, expr.offset, weight(made)));
    }
    return made;
  }

  Result<Value> slice(const Expr& expr, Frame& frame) {
    TARN_TRY(Value object, evaluate(*expr.children[0], frame));
    TARN_TRY(List all, elements_of(object));
    int64_t size = static_cast<int64_t>(all.size());
    std::optional<int64_t> parts[3];
    for (size_t i = 0; i + 1 < expr.children.size(); ++i) {
      if (!expr.children[i + 1]) {
        continue;
      }
      TARN_TRY(Value part, evaluate(*expr.children[i + 1], frame));
      const auto* number = part.as<int64_t>();
      if (number == nullptr && !part.is_none()) {
        return Error{Code::kInvalid, "a slice needs whole numbers"};
      }
      parts[i] = number != nullptr ? std::optional<int64_t>(*number) : std::nullopt;
    }
    int64_t step = std::clamp<int64_t>(parts[2].value_or(1), -size - 1, size + 1);
    if (step == 0) {
      return Error{Code::kInvalid, "a slice needs a step other than 0"};
    }
    // As Python does: from behind when the step is negative.
    int64_t least = step < 0 ? -1 : 0;
    int64_t most = step < 0 ? size - 1 : size;
    auto place = [&](const std::optional<int64_t>& part, int64_t otherwise) {
      return part ? std::clamp(*part < 0 ? *part + size : *part, least, most) : otherwise;
    };
    int64_t end = place(parts[1], step < 0 ? least : most);
    List out;
    std::string text;
    bool letters = object.as<std::string>() != nullptr;
    for (int64_t i = place(parts[0], step < 0 ? most : least); step < 0 ? i > end : i < end; i += step) {
      if (letters) {
        text += all[static_cast<size_t>(i)].text();
      } else {
        out.push_back(all[static_cast<size_t>(i)]);
      }
    }
    TARN_CHECK(charge(frame, expr.offset, all.size() * sizeof(Value)));
    return letters             ? Value(std::move(text))
           : object.is_tuple() ? Value::tuple(std::move(out))
                               : Value::list(std::move(out));
  }

  Result<Arguments> arguments_of(const Expr& expr, Frame& frame) {
    Arguments arguments;
    for (size_t i = 1; i < expr.children.size(); ++i) {
      TARN_TRY(Value value, evaluate(*expr.children[i], frame));
      arguments.positional.push_back(std::move(value));
    }
    for (const auto& [name, child] : expr.named) {
      TARN_TRY(Value value, evaluate(*child, frame));
      arguments.named.emplace_back(name, std::move(value));
    }
    return arguments;
  }

  Result<Value> call(const Expr& expr, Frame& frame) {
    const Expr& callee = *expr.children[0];
    if (callee.kind == Expr::Kind::kName && callee.text == "return") {
      TARN_TRY(Arguments arguments, arguments_of(expr, frame));
      TARN_CHECK(arguments.expect("return", 0, 1, {"data"}));
      const Value* data = arguments.find(0, "data");
      frame.returned = true;
      frame.result = data != nullptr ? *data : Value();
      return frame.result;
    }
    if (callee.kind == Expr::Kind::kAttribute) {
      TARN_TRY(Value object, evaluate(*callee.children[0], frame));
      if (has_method(object, callee.text)) {
        TARN_TRY(Arguments arguments, arguments_of(expr, frame));
        TARN_TRY(Value made, call_method(object, callee.text, arguments));
        TARN_CHECK(charge(frame, expr.offset, weight(made) + weight_of(arguments)));
        return made;
      }
      TARN_TRY(Value function, member_of(object, Value(callee.text)));
      return invoke(expr, frame, function);
    }
    TARN_TRY(Value function, evaluate(callee, frame));
    return invoke(expr, frame, function);
  }

  static size_t weight_of(const Arguments& arguments) {
    size_t total = 0;
    for (const Value& value : arguments.positional) {
      total += weight(value);
    }
    return total;
  }

  Result<Value> invoke(const Expr& expr, Frame& frame, const Value& function) {
    if (const auto* nothing = function.as<Undefined>()) {
      return Error{Code::kInvalid, nothing->name};
    }
    const auto* plain = function.as<std::shared_ptr<const Function>>();
    const auto* object = function.as<std::shared_ptr<const Object>>();
    bool callable = plain != nullptr || (object != nullptr && (*object)->call);
    if (!callable) {
      return Error{Code::kInvalid, fmt::format("{} cannot be called", function.kind_name())};
    }
    TARN_TRY(Arguments arguments, arguments_of(expr, frame));
    auto made = plain != nullptr ? (*plain)->call(arguments) : (*object)->call(arguments);
    if (!made) {
      bool elsewhere = !mistake_.message.empty() && mistake_.place.file != frame.home->file;
      if (elsewhere && mistake_.message.size() < 1000) {
        mistake_.message += fmt::format(" (called at {})", to_string(frame.home->place_of(expr.offset)));
      }
      return Error(made.error());
    }
    TARN_CHECK(charge(frame, expr.offset, weight(*made)));
    return made;
  }

  const Globals& globals_;
  const Macros& macros_;
  std::vector<Value> callers_;
  std::vector<const Frame*> live_;
  uint64_t frames_ = 0;
  int64_t steps_ = 0;
  size_t bytes_ = 0;
  int depth_ = 0;
  int call_depth_ = 0;
};

size_t Rendered::source_of(size_t out) const {
  auto after = std::upper_bound(map.begin(), map.end(), out,
                                [](size_t at, const Stretch& stretch) { return at < stretch.out; });
  if (after == map.begin()) {
    return map.empty() ? 0 : map.front().source;
  }
  const Stretch& stretch = *std::prev(after);
  return stretch.verbatim ? stretch.source + std::min(out - stretch.out, stretch.length) : stretch.source;
}

void Rendered::insert(size_t at, std::string_view added) {
  size_t source = source_of(at);
  std::vector<Stretch> moved;
  for (const Stretch& stretch : map) {
    if (stretch.out + stretch.length <= at) {
      moved.push_back(stretch);
    } else if (stretch.out >= at) {
      moved.push_back({stretch.out + added.size(), stretch.length, stretch.source, stretch.verbatim});
    } else {
      size_t head = at - stretch.out;
      size_t shift = stretch.verbatim ? head : 0;
      moved.push_back({stretch.out, head, stretch.source, stretch.verbatim});
      moved.push_back({at + added.size(), stretch.length - head, stretch.source + shift, stretch.verbatim});
    }
  }
  moved.push_back({at, added.size(), source, false});
  std::sort(moved.begin(), moved.end(), [](const Stretch& a, const Stretch& b) { return a.out < b.out; });
  map = std::move(moved);
  text.insert(at, added);
}

void Rendered::cut_end(size_t size) {
  text.resize(std::min(size, text.size()));
  while (!map.empty() && map.back().out >= text.size()) {
    map.pop_back();
  }
  if (!map.empty()) {
    map.back().length = std::min(map.back().length, text.size() - map.back().out);
  }
}

Status collect_macros(const std::shared_ptr<const Template>& home, Macros& macros, Diagnostic& mistake) {
  for (const auto& node : home->nodes) {
    if (node->kind != Node::Kind::kMacro) {
      continue;
    }
    auto [found, fresh] = macros.try_emplace(node->text, Macro{home, node.get()});
    if (!fresh) {
      Place first = found->second.home->place_of(found->second.node->offset);
      mistake = {
          home->place_of(node->offset),
          fmt::format("macro '{}' exists already at {}; rename one of them", node->text, to_string(first))};
      return Error{Code::kInvalid, to_string(mistake)};
    }
  }
  return ok();
}

Interpreter::Interpreter(const Globals& globals, const Macros& macros)
    : impl_(std::make_unique<Impl>(globals, macros)) {}
Interpreter::~Interpreter() = default;

Result<Rendered> Interpreter::render(const std::shared_ptr<const Template>& home) {
  return impl_->render(home);
}

Result<Value> Interpreter::call_macro(const std::string& name, const Arguments& arguments) {
  auto made = impl_->call_named(name, arguments);
  if (!made && impl_->mistake_.message.empty()) {
    impl_->mistake_ = {Place{}, made.error().message};
  }
  return made;
}

const Diagnostic& Interpreter::mistake() const {
  return impl_->mistake_;
}

}  // namespace tarn::model::jinja
