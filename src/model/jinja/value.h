// Values of the template language, with Python's look: True, None, ['a', 1], ('a', 1).
// Lists and dicts are shared when copied, as in Python, so that {% do list.append(x) %} works.
// They cannot hold themselves: whatever adds a member refuses that.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"

namespace tarn::model::jinja {

class Value;
struct Arguments;

using List = std::vector<Value>;
using Dict = std::vector<std::pair<Value, Value>>;  // in the order of insertion
using Members = std::vector<std::pair<std::string, Value>>;

// A callable; its error message is a sentence without a place, the interpreter adds the call's.
struct Function {
  std::string name;
  std::function<Result<Value>(const Arguments&)> call;
};

// A thing of the host with a text of its own and named members: a relation, `target`, `config`, `loop`.
struct Object {
  std::string text;
  Members members;
  std::function<Result<Value>(const Arguments&)> call;  // empty: not callable
};

// The mutable object of namespace(): its members may be set from inside a loop.
struct Namespace {
  Members members;
};

struct Undefined {
  std::string name;  // what was looked for, for the message when it is used
};
struct None {};

class Value {
 public:
  using Variant = std::variant<Undefined, None, bool, int64_t, double, std::string, std::shared_ptr<List>,
                               std::shared_ptr<Dict>, std::shared_ptr<const Function>,
                               std::shared_ptr<const Object>, std::shared_ptr<Namespace>>;

  Value() : data_(None{}) {}
  Value(Variant data) : data_(std::move(data)) {}
  Value(bool value) : data_(value) {}
  Value(int value) : data_(int64_t{value}) {}
  Value(int64_t value) : data_(value) {}
  Value(double value) : data_(value) {}
  Value(std::string value) : data_(std::move(value)) {}
  Value(std::string_view value) : data_(std::string(value)) {}
  Value(const char* value) : data_(std::string(value)) {}

  static Value undefined(std::string name) { return Value(Variant(Undefined{std::move(name)})); }
  static Value list(List items) { return Value(Variant(std::make_shared<List>(std::move(items)))); }
  // Prints as (a, b) and cannot be changed; otherwise as a list.
  static Value tuple(List items) {
    Value made = list(std::move(items));
    made.is_tuple_ = true;
    return made;
  }
  static Value dict(Dict entries) { return Value(Variant(std::make_shared<Dict>(std::move(entries)))); }
  static Value object(Object object) {
    return Value(Variant(std::make_shared<const Object>(std::move(object))));
  }
  static Value function(std::string name, std::function<Result<Value>(const Arguments&)> call) {
    return Value(Variant(std::make_shared<const Function>(Function{std::move(name), std::move(call)})));
  }

  template <class T>
  [[nodiscard]] const T* as() const {
    return std::get_if<T>(&data_);
  }
  [[nodiscard]] bool is_undefined() const { return as<Undefined>() != nullptr; }
  [[nodiscard]] bool is_tuple() const { return is_tuple_; }
  [[nodiscard]] bool is_none() const { return as<None>() != nullptr; }
  [[nodiscard]] bool is_number() const;
  [[nodiscard]] double number() const;  // of a bool, int or float; else 0
  [[nodiscard]] const List* items() const;
  [[nodiscard]] List* items();
  [[nodiscard]] const Dict* entries() const;
  [[nodiscard]] Dict* entries();
  // Member of a dict by text key; null when there is none.
  [[nodiscard]] const Value* find(std::string_view key) const;

  [[nodiscard]] bool truthy() const;
  // As `{{ value }}` prints it.
  [[nodiscard]] std::string text() const;
  // As it stands inside a printed list: text in quotes.
  [[nodiscard]] std::string repr() const;
  // "a text", "a list": for messages.
  [[nodiscard]] std::string_view kind_name() const;
  [[nodiscard]] const Variant& data() const { return data_; }

 private:
  void append_to(std::string& out, bool quoted, int depth) const;
  Variant data_;
  bool is_tuple_ = false;
};

bool equal(const Value& a, const Value& b);
// -1, 0, 1; nullopt when the two cannot be ordered.
std::optional<int> compare(const Value& a, const Value& b);
// True when `container` is `wanted` or holds it at any depth.
bool holds(const Value& container, const Value& wanted);
std::string to_json(const Value& value);
// How much a value weighs, for limits; nested lists and dicts count once more at every place they stand.
size_t weight(const Value& value);

// What a call was given.
struct Arguments {
  std::vector<Value> positional;
  std::vector<std::pair<std::string, Value>> named;

  // The argument at `index` or called `name`; null when absent.
  [[nodiscard]] const Value* find(size_t index, std::string_view name) const;
  // kInvalid when there are more positional ones than `most`, or named ones that are not in `names`.
  [[nodiscard]] Status expect(std::string_view function, size_t least, size_t most,
                              const std::vector<std::string>& names) const;
};

}  // namespace tarn::model::jinja
