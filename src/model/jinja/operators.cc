// Operators, members and going through values.
#include <algorithm>
#include <cmath>
#include <cstring>

#include <fmt/format.h>

#include "model/jinja/builtins.h"

namespace tarn::model::jinja {
namespace {

Error cannot(std::string_view op, const Value& left, const Value& right) {
  return {Code::kInvalid,
          fmt::format("'{}' cannot work on {} and {}", op, left.kind_name(), right.kind_name())};
}

Error too_large() {
  return {Code::kInvalid, "this number is too large"};
}

Result<Value> integer_arithmetic(char op, int64_t a, int64_t b) {
  int64_t out = 0;
  switch (op) {
    case '+': return __builtin_add_overflow(a, b, &out) ? Result<Value>(too_large()) : Value(out);
    case '-': return __builtin_sub_overflow(a, b, &out) ? Result<Value>(too_large()) : Value(out);
    case '*': return __builtin_mul_overflow(a, b, &out) ? Result<Value>(too_large()) : Value(out);
    default: break;
  }
  if (b == 0) {
    return Error{Code::kInvalid, "division by zero"};
  }
  if (b == -1) {
    return op == '%' ? Result<Value>(Value(0)) : integer_arithmetic('-', 0, a);
  }
  int64_t rest = a % b;
  bool other_sign = rest != 0 && ((rest < 0) != (b < 0));  // Python rounds down
  if (op == '%') {
    return Value(other_sign ? rest + b : rest);
  }
  return Value(a / b - (other_sign ? 1 : 0));
}

Result<Value> raise(const Value& base, const Value& exponent) {
  const auto* b = base.as<int64_t>();
  const auto* e = exponent.as<int64_t>();
  if (b == nullptr || e == nullptr || *e < 0) {
    return Value(std::pow(base.number(), exponent.number()));
  }
  int64_t out = 1;
  for (int64_t i = 0; i < *e; ++i) {
    if (out == 0 || (out == 1 && *b == 1)) {
      break;
    }
    if (i > 1000 || __builtin_mul_overflow(out, *b, &out)) {
      return too_large();
    }
  }
  return Value(out);
}

int64_t as_integer(const Value& value) {
  const auto* number = value.as<int64_t>();
  return number != nullptr ? *number : static_cast<int64_t>(value.number());
}

Result<Value> arithmetic(std::string_view op, const Value& left, const Value& right) {
  if (op == "**") {
    return raise(left, right);
  }
  bool real = left.as<double>() != nullptr || right.as<double>() != nullptr;
  if (op == "/" || real) {
    double a = left.number();
    double b = right.number();
    if (b == 0 && op != "+" && op != "-" && op != "*") {
      return Error{Code::kInvalid, "division by zero"};
    }
    return op == "+"    ? Value(a + b)
           : op == "-"  ? Value(a - b)
           : op == "*"  ? Value(a * b)
           : op == "/"  ? Value(a / b)
           : op == "//" ? Value(std::floor(a / b))
                        : Value(a - b * std::floor(a / b));
  }
  return integer_arithmetic(op[0], as_integer(left), as_integer(right));
}

Result<Value> repeat(const std::string& text, int64_t times) {
  if (times <= 0 || text.empty()) {
    return Value("");
  }
  if (static_cast<uint64_t>(times) > kTextBytesMax / text.size()) {
    return Error{Code::kInvalid, "this text is too long"};
  }
  std::string out;
  for (int64_t i = 0; i < times; ++i) {
    out += text;
  }
  return Value(std::move(out));
}

Result<Value> contains(const Value& wanted, const Value& container) {
  if (const auto* text = container.as<std::string>()) {
    const auto* part = wanted.as<std::string>();
    if (part == nullptr) {
      return cannot("in", wanted, container);
    }
    return Value(text->find(*part) != std::string::npos);
  }
  if (const Dict* dict = container.entries()) {
    return Value(
        std::any_of(dict->begin(), dict->end(), [&](const auto& e) { return equal(e.first, wanted); }));
  }
  if (const List* list = container.items()) {
    return Value(std::any_of(list->begin(), list->end(), [&](const Value& v) { return equal(v, wanted); }));
  }
  if (container.is_undefined()) {
    return Value(false);
  }
  return cannot("in", wanted, container);
}

Result<Value> joined(const Value& left, const Value& right) {
  std::string out = left.text() + right.text();
  if (out.size() > kTextBytesMax) {
    return Error{Code::kInvalid, "this text is too long"};
  }
  return Value(std::move(out));
}

Result<Value> ordered(std::string_view op, const Value& left, const Value& right) {
  auto order = compare(left, right);
  if (!order) {
    return cannot(op, left, right);
  }
  return Value(op == "<" ? *order < 0 : op == "<=" ? *order <= 0 : op == ">" ? *order > 0 : *order >= 0);
}

}  // namespace

Result<Value> apply_operator(std::string_view op, const Value& left, const Value& right) {
  if (op == "==" || op == "!=") {
    return Value(equal(left, right) == (op == "=="));
  }
  if (op == "in") {
    return contains(left, right);
  }
  if (op == "not in") {
    TARN_TRY(Value inside, contains(left, right));
    return Value(!inside.truthy());
  }
  if (op[0] == '<' || op[0] == '>') {
    return ordered(op, left, right);
  }
  if (op == "~") {
    return joined(left, right);
  }
  if (left.is_number() && right.is_number()) {
    return arithmetic(op, left, right);
  }
  const auto* text = left.as<std::string>();
  if (op == "+" && text != nullptr && right.as<std::string>() != nullptr) {
    return joined(left, right);
  }
  if (op == "+" && left.items() != nullptr && right.items() != nullptr) {
    List both = *left.items();
    both.insert(both.end(), right.items()->begin(), right.items()->end());
    bool tuples = left.is_tuple() && right.is_tuple();
    return tuples ? Value::tuple(std::move(both)) : Value::list(std::move(both));
  }
  if (op == "*" && text != nullptr && right.as<int64_t>() != nullptr) {
    return repeat(*text, *right.as<int64_t>());
  }
  if (op == "%" && text != nullptr) {
    TARN_TRY(std::string made,
             format_percent(*text, right.items() != nullptr ? *right.items() : List{right}));
    return Value(std::move(made));
  }
  return cannot(op, left, right);
}

Result<List> elements_of(const Value& value) {
  if (const List* list = value.items()) {
    return *list;
  }
  List out;
  if (const Dict* dict = value.entries()) {
    for (const auto& entry : *dict) {
      out.push_back(entry.first);
    }
    return out;
  }
  if (const auto* text = value.as<std::string>()) {
    for (size_t i = 0; i < text->size();) {
      size_t end = i + 1;
      while (end < text->size() && (static_cast<unsigned char>((*text)[end]) & 0xC0) == 0x80) {
        ++end;
      }
      out.emplace_back(text->substr(i, end - i));
      i = end;
    }
    return out;
  }
  if (const auto* nothing = value.as<Undefined>()) {
    return Error{Code::kInvalid, nothing->name};
  }
  return Error{Code::kInvalid, fmt::format("cannot go through {}; give a list", value.kind_name())};
}

Result<Value> member_of(const Value& object, const Value& key) {
  if (const auto* nothing = object.as<Undefined>()) {
    return Error{Code::kInvalid, nothing->name};
  }
  const auto* number = key.as<int64_t>();
  if (number != nullptr && (object.items() != nullptr || object.as<std::string>() != nullptr)) {
    TARN_TRY(List list, elements_of(object));
    int64_t size = static_cast<int64_t>(list.size());
    int64_t at = *number < 0 ? *number + size : *number;
    if (at < 0 || at >= size) {
      return Value::undefined(
          fmt::format("index {} is outside of {} of {} members", *number, object.kind_name(), size));
    }
    return list[static_cast<size_t>(at)];
  }
  if (const Dict* dict = object.entries()) {
    for (const auto& [name, value] : *dict) {
      if (equal(name, key)) {
        return value;
      }
    }
  }
  const Members* members = nullptr;
  if (const auto* host = object.as<std::shared_ptr<const Object>>()) {
    members = &(*host)->members;
  } else if (const auto* space = object.as<std::shared_ptr<Namespace>>()) {
    members = &(*space)->members;
  }
  if (members != nullptr) {
    for (const auto& [name, value] : *members) {
      if (key.as<std::string>() != nullptr && name == *key.as<std::string>()) {
        return value;
      }
    }
  }
  return Value::undefined(fmt::format("{} has no member '{}'", object.kind_name(), key.text()));
}

}  // namespace tarn::model::jinja
