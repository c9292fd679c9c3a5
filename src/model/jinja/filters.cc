// Filters and tests.
#include <algorithm>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

#include "codec/text_distance.h"
#include "model/jinja/builtins.h"
#include "model/jinja/text.h"

namespace tarn::model::jinja {
namespace {

using Filter = Result<Value> (*)(const Value& input, const Arguments& arguments);

Error bad(std::string message) {
  return {Code::kInvalid, std::move(message)};
}

Status only(const Arguments& arguments, std::string_view name, size_t most,
            const std::vector<std::string>& names = {}) {
  return arguments.expect(name, 0, most, names);
}

Result<Value> upper(const Value& in, const Arguments&) {
  return Value(to_upper(in.text()));
}
Result<Value> lower(const Value& in, const Arguments&) {
  return Value(to_lower(in.text()));
}
Result<Value> trim(const Value& in, const Arguments& arguments) {
  const Value* which = arguments.find(0, "chars");
  return Value(strip(in.text(), which != nullptr ? which->text() : " \t\r\n\f\v", true, true));
}
Result<Value> capitalize(const Value& in, const Arguments&) {
  return Value(to_capital(in.text()));
}
Result<Value> title(const Value& in, const Arguments&) {
  return Value(to_title(in.text()));
}
Result<Value> text(const Value& in, const Arguments&) {
  return Value(in.text());
}
Result<Value> json(const Value& in, const Arguments&) {
  return Value(to_json(in));
}
Result<Value> same(const Value& in, const Arguments&) {
  return in;
}

Result<Value> length(const Value& in, const Arguments&) {
  if (const Dict* dict = in.entries()) {
    return Value(static_cast<int64_t>(dict->size()));
  }
  TARN_TRY(List all, elements_of(in));
  return Value(static_cast<int64_t>(all.size()));
}

Result<Value> fallback(const Value& in, const Arguments& arguments) {
  TARN_CHECK(only(arguments, "default", 2, {"default_value", "boolean"}));
  const Value* other = arguments.find(0, "default_value");
  const Value* also_false = arguments.find(1, "boolean");
  bool use = in.is_undefined() || (also_false != nullptr && also_false->truthy() && !in.truthy());
  return !use ? in : other != nullptr ? *other : Value("");
}

Result<Value> pick_attribute(const Value& item, const std::string& path) {
  Value at = item;
  for (size_t begin = 0; begin <= path.size();) {
    size_t dot = std::min(path.find('.', begin), path.size());
    std::string name = path.substr(begin, dot - begin);
    int64_t index = 0;
    auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), index);
    bool number = error == std::errc() && end == name.data() + name.size() && !name.empty();
    TARN_TRY(at, member_of(at, number ? Value(index) : Value(name)));
    begin = dot + 1;
  }
  return at;
}

Result<List> picked(const Value& in, const Value* attribute) {
  TARN_TRY(List all, elements_of(in));
  if (attribute != nullptr && !attribute->is_none()) {
    for (Value& item : all) {
      TARN_TRY(item, pick_attribute(item, attribute->text()));
    }
  }
  return all;
}

Result<Value> join(const Value& in, const Arguments& arguments) {
  TARN_CHECK(only(arguments, "join", 2, {"d", "attribute"}));
  const Value* between = arguments.find(0, "d");
  TARN_TRY(List all, picked(in, arguments.find(1, "attribute")));
  std::string separator = between != nullptr ? between->text() : "";
  std::string out;
  for (size_t i = 0; i < all.size(); ++i) {
    if (const auto* nothing = all[i].as<Undefined>()) {
      return bad(nothing->name);
    }
    out += (i == 0 ? "" : separator) + all[i].text();
    if (out.size() > kTextBytesMax) {
      return bad("this text is too long");
    }
  }
  return Value(std::move(out));
}

Result<Value> replace(const Value& in, const Arguments& arguments) {
  TARN_CHECK(arguments.expect("replace", 2, 3, {"old", "new", "count"}));
  const Value* from = arguments.find(0, "old");
  const Value* to = arguments.find(1, "new");
  if (from == nullptr || to == nullptr) {
    return bad("replace needs what to replace and by what");
  }
  return replace_all(in.text(), from->text(), to->text());
}

Result<Value> as_list(const Value& in, const Arguments&) {
  TARN_TRY(List all, elements_of(in));
  return Value::list(std::move(all));
}

Result<Value> integer(const Value& in, const Arguments& arguments) {
  const Value* other = arguments.find(0, "default");
  if (in.is_number()) {
    double number = in.number();
    if (in.as<double>() != nullptr && !(std::abs(number) < 9e18)) {
      return bad("this number is too large");
    }
    return in.as<int64_t>() != nullptr ? in : Value(static_cast<int64_t>(number));
  }
  auto number = read_number(in.text());
  if (!number || !(std::abs(number->number()) < 9e18)) {
    return other != nullptr ? *other : Value(0);
  }
  return number->as<int64_t>() != nullptr ? *number : Value(static_cast<int64_t>(number->number()));
}

Result<Value> real(const Value& in, const Arguments& arguments) {
  const Value* other = arguments.find(0, "default");
  if (in.is_number()) {
    return Value(in.number());
  }
  auto number = read_number(in.text());
  return number ? Value(number->number()) : other != nullptr ? *other : Value(0.0);
}

Result<Value> first(const Value& in, const Arguments&) {
  TARN_TRY(List all, elements_of(in));
  return all.empty() ? Value::undefined("the first of an empty list does not exist") : all.front();
}

Result<Value> last(const Value& in, const Arguments&) {
  TARN_TRY(List all, elements_of(in));
  return all.empty() ? Value::undefined("the last of an empty list does not exist") : all.back();
}

Result<Value> map(const Value& in, const Arguments& arguments) {
  if (const Value* attribute = arguments.find(99, "attribute")) {
    TARN_TRY(List all, picked(in, attribute));
    return Value::list(std::move(all));
  }
  if (arguments.positional.empty()) {
    return bad("map needs attribute='name' or a filter's name");
  }
  TARN_TRY(List all, elements_of(in));
  Arguments rest{{arguments.positional.begin() + 1, arguments.positional.end()}, arguments.named};
  for (Value& item : all) {
    TARN_TRY(item, apply_filter(arguments.positional[0].text(), item, rest));
  }
  return Value::list(std::move(all));
}

Result<Value> unique(const Value& in, const Arguments&) {
  TARN_TRY(List all, elements_of(in));
  List out;
  size_t compared = 0;
  for (const Value& item : all) {
    compared += out.size();
    if (compared > 20'000'000) {
      return bad("the list is too long for unique");
    }
    if (std::none_of(out.begin(), out.end(), [&](const Value& known) { return equal(known, item); })) {
      out.push_back(item);
    }
  }
  return Value::list(std::move(out));
}

// Stable, and safe with values that have no order among them (nan), unlike std::sort.
void merge_sort(std::vector<size_t>& order, const std::function<bool(size_t, size_t)>& less) {
  std::vector<size_t> other(order.size());
  auto at = [&](std::vector<size_t>& all, size_t i) {
    return all.begin() + static_cast<std::ptrdiff_t>(std::min(i, all.size()));
  };
  for (size_t width = 1; width < order.size(); width *= 2) {
    for (size_t i = 0; i < order.size(); i += 2 * width) {
      std::merge(at(order, i), at(order, i + width), at(order, i + width), at(order, i + 2 * width),
                 at(other, i), less);
    }
    order.swap(other);
  }
}

Result<Value> sort(const Value& in, const Arguments& arguments) {
  TARN_CHECK(only(arguments, "sort", 3, {"reverse", "case_sensitive", "attribute"}));
  TARN_TRY(List all, elements_of(in));
  TARN_TRY(List keys, picked(in, arguments.find(2, "attribute")));
  for (size_t i = 1; i < keys.size(); ++i) {
    if (!compare(keys[0], keys[i])) {
      return bad(fmt::format("cannot sort {} and {} together", keys[0].kind_name(), keys[i].kind_name()));
    }
  }
  std::vector<size_t> order(all.size());
  for (size_t i = 0; i < order.size(); ++i) {
    order[i] = i;
  }
  const Value* reverse = arguments.find(0, "reverse");
  bool down = reverse != nullptr && reverse->truthy();
  merge_sort(order, [&](size_t a, size_t b) {
    return compare(keys[down ? b : a], keys[down ? a : b]).value_or(0) < 0;
  });
  List out;
  for (size_t i : order) {
    out.push_back(all[i]);
  }
  return Value::list(std::move(out));
}

Result<Value> reverse(const Value& in, const Arguments&) {
  TARN_TRY(List all, elements_of(in));
  std::reverse(all.begin(), all.end());
  if (in.as<std::string>() == nullptr) {
    return Value::list(std::move(all));
  }
  std::string out;
  for (const Value& letter : all) {
    out += letter.text();
  }
  return Value(std::move(out));
}

Result<Value> absolute(const Value& in, const Arguments&) {
  if (!in.is_number()) {
    return bad(fmt::format("abs needs a number, not {}", in.kind_name()));
  }
  return in.number() < 0 ? apply_operator("-", Value(0), in) : in;
}

// Python's round(): halves go to the even neighbour, whole numbers stay whole.
Value round_to_even(const Value& in, int digits) {
  if (in.as<double>() == nullptr && digits >= 0) {
    return in;
  }
  if (digits >= 0) {
    return Value(std::stod(fmt::format("{:.{}f}", in.number(), digits)));
  }
  double scale = std::pow(10.0, -digits);
  double rounded = std::nearbyint(in.number() / scale) * scale;
  return in.as<double>() != nullptr ? Value(rounded) : Value(static_cast<int64_t>(rounded));
}

Result<Value> round(const Value& in, const Arguments& arguments) {
  if (!in.is_number()) {
    return bad(fmt::format("round needs a number, not {}", in.kind_name()));
  }
  const Value* precision = arguments.find(0, "precision");
  double digits = precision != nullptr ? std::clamp(precision->number(), -15.0, 15.0) : 0.0;
  const Value* method = arguments.find(1, "method");
  std::string how = method != nullptr ? method->text() : "common";
  if (how == "common") {
    return std::isfinite(in.number()) ? round_to_even(in, static_cast<int>(digits)) : in;
  }
  if (how != "floor" && how != "ceil") {
    return bad(fmt::format("round needs 'common', 'ceil' or 'floor', not '{}'", how));
  }
  double scaled = in.number() * std::pow(10.0, digits);
  return Value((how == "floor" ? std::floor(scaled) : std::ceil(scaled)) / std::pow(10.0, digits));
}

Result<Value> sum(const Value& in, const Arguments& arguments) {
  TARN_TRY(List all, picked(in, arguments.find(0, "attribute")));
  Value total(0);
  for (const Value& item : all) {
    TARN_TRY(total, apply_operator("+", total, item));
  }
  return total;
}

Result<Value> extreme(const Value& in, int wanted) {
  TARN_TRY(List all, elements_of(in));
  if (all.empty()) {
    return Value::undefined("the least or greatest of an empty list does not exist");
  }
  Value best = all.front();
  for (const Value& item : all) {
    auto order = compare(item, best);
    if (!order) {
      return bad(fmt::format("cannot compare {} and {}", item.kind_name(), best.kind_name()));
    }
    best = *order == wanted ? item : best;
  }
  return best;
}

Result<Value> least(const Value& in, const Arguments&) {
  return extreme(in, -1);
}
Result<Value> greatest(const Value& in, const Arguments&) {
  return extreme(in, 1);
}

Result<Value> keep(const Value& in, const Arguments& arguments, bool wanted, bool by_attribute) {
  TARN_TRY(List all, elements_of(in));
  size_t skip = by_attribute ? 1 : 0;
  if (arguments.positional.size() < skip) {
    return bad("selectattr needs the attribute's name");
  }
  bool has_test = arguments.positional.size() > skip;
  std::string test = has_test ? arguments.positional[skip].text() : "truthy";
  Arguments rest;
  if (has_test) {
    rest.positional.assign(arguments.positional.begin() + static_cast<std::ptrdiff_t>(skip) + 1,
                           arguments.positional.end());
  }
  List out;
  for (const Value& item : all) {
    Value looked = item;
    if (by_attribute) {
      TARN_TRY(looked, pick_attribute(item, arguments.positional[0].text()));
    }
    bool passes = looked.truthy();
    if (has_test) {
      TARN_TRY(passes, apply_test(test, looked, rest));
    }
    if (passes == wanted) {
      out.push_back(item);
    }
  }
  return Value::list(std::move(out));
}

Result<Value> select(const Value& in, const Arguments& a) {
  return keep(in, a, true, false);
}
Result<Value> reject(const Value& in, const Arguments& a) {
  return keep(in, a, false, false);
}
Result<Value> select_by(const Value& in, const Arguments& a) {
  return keep(in, a, true, true);
}
Result<Value> reject_by(const Value& in, const Arguments& a) {
  return keep(in, a, false, true);
}

Result<Value> items(const Value& in, const Arguments&) {
  Value copy = in;
  return call_method(copy, "items", {});
}

Result<Value> sorted_items(const Value& in, const Arguments&) {
  TARN_TRY(Value pairs, items(in, {}));
  return sort(pairs, {});
}

Result<Value> indent(const Value& in, const Arguments& arguments) {
  const Value* width = arguments.find(0, "width");
  const Value* also_first = arguments.find(1, "first");
  double blanks = width != nullptr ? width->number() : 4;
  if (blanks < 0 || blanks > 1000) {
    return bad("indent needs a width from 0 to 1000");
  }
  std::string front(static_cast<size_t>(blanks), ' ');
  TARN_TRY(Value out, replace_all(in.text(), "\n", "\n" + front));
  return also_first != nullptr && also_first->truthy() ? Value(front + out.text()) : out;
}

Result<Value> format(const Value& in, const Arguments& arguments) {
  TARN_TRY(std::string out, format_percent(in.text(), arguments.positional));
  return Value(std::move(out));
}

Result<Value> as_bool(const Value& in, const Arguments&) {
  std::string word = to_lower(in.text());
  return Value(in.as<std::string>() != nullptr ? word == "true" || word == "1" || word == "yes"
                                               : in.truthy());
}

Result<Value> as_number(const Value& in, const Arguments&) {
  if (in.is_number()) {
    return in;
  }
  auto number = read_number(in.text());
  return number ? Result<Value>(*number) : Result<Value>(bad(fmt::format("'{}' is not a number", in.text())));
}

const std::map<std::string, Filter, std::less<>>& filters() {
  static const std::map<std::string, Filter, std::less<>> kAll = {
      {"upper", upper},
      {"lower", lower},
      {"trim", trim},
      {"capitalize", capitalize},
      {"title", title},
      {"string", text},
      {"length", length},
      {"count", length},
      {"default", fallback},
      {"d", fallback},
      {"join", join},
      {"replace", replace},
      {"list", as_list},
      {"int", integer},
      {"float", real},
      {"first", first},
      {"last", last},
      {"map", map},
      {"unique", unique},
      {"sort", sort},
      {"reverse", reverse},
      {"abs", absolute},
      {"round", round},
      {"sum", sum},
      {"min", least},
      {"max", greatest},
      {"select", select},
      {"reject", reject},
      {"selectattr", select_by},
      {"rejectattr", reject_by},
      {"items", items},
      {"dictsort", sorted_items},
      {"indent", indent},
      {"format", format},
      {"tojson", json},
      {"as_text", text},
      {"as_bool", as_bool},
      {"as_number", as_number},
      {"as_native", same},
      {"safe", same},
  };
  return kAll;
}

bool is_whole(const Value& value) {
  return value.as<int64_t>() != nullptr;
}

Result<bool> test_with_value(std::string_view name, const Value& in, const Value& other) {
  if (name == "divisibleby") {
    TARN_TRY(Value rest, apply_operator("%", in, other));
    return !rest.truthy();
  }
  static const std::map<std::string, std::string, std::less<>> kOperators = {
      {"eq", "=="}, {"equalto", "=="}, {"sameas", "=="},     {"ne", "!="}, {"lt", "<"},  {"lessthan", "<"},
      {"le", "<="}, {"gt", ">"},       {"greaterthan", ">"}, {"ge", ">="}, {"in", "in"},
  };
  auto found = kOperators.find(name);
  if (found == kOperators.end()) {
    return bad(fmt::format("the test '{}' takes no value", name));
  }
  TARN_TRY(Value answer, apply_operator(found->second, in, other));
  return answer.truthy();
}

using Test = bool (*)(const Value& in);

const std::map<std::string, Test, std::less<>>& tests() {
  static const std::map<std::string, Test, std::less<>> kAll = {
      {"defined", [](const Value& v) { return !v.is_undefined(); }},
      {"undefined", [](const Value& v) { return v.is_undefined(); }},
      {"none", [](const Value& v) { return v.is_none(); }},
      {"string", [](const Value& v) { return v.as<std::string>() != nullptr; }},
      {"number", [](const Value& v) { return v.is_number(); }},
      {"integer", is_whole},
      {"float", [](const Value& v) { return v.as<double>() != nullptr; }},
      {"boolean", [](const Value& v) { return v.as<bool>() != nullptr; }},
      {"true", [](const Value& v) { return v.as<bool>() != nullptr && v.truthy(); }},
      {"false", [](const Value& v) { return v.as<bool>() != nullptr && !v.truthy(); }},
      {"mapping", [](const Value& v) { return v.entries() != nullptr; }},
      {"iterable",
       [](const Value& v) {
         return v.items() != nullptr || v.entries() != nullptr || v.as<std::string>() != nullptr;
       }},
      {"sequence",
       [](const Value& v) {
         return v.items() != nullptr || v.entries() != nullptr || v.as<std::string>() != nullptr;
       }},
      {"callable", [](const Value& v) { return v.as<std::shared_ptr<const Function>>() != nullptr; }},
      {"odd", [](const Value& v) { return is_whole(v) && *v.as<int64_t>() % 2 != 0; }},
      {"even", [](const Value& v) { return is_whole(v) && *v.as<int64_t>() % 2 == 0; }},
      {"upper", [](const Value& v) { return v.text() == to_upper(v.text()); }},
      {"lower", [](const Value& v) { return v.text() == to_lower(v.text()); }},
  };
  return kAll;
}

template <class Table>
std::vector<std::string> names_of(const Table& table) {
  std::vector<std::string> names;
  for (const auto& entry : table) {
    names.push_back(entry.first);
  }
  return names;
}

std::string unknown(std::string_view what, std::string_view name, const std::vector<std::string>& known) {
  std::string near = codec::nearest(name, known);
  return near.empty() ? fmt::format("{} '{}' is not known; known are {}", what, name, fmt::join(known, ", "))
                      : fmt::format("{} '{}' is not known: did you mean '{}'?", what, name, near);
}

}  // namespace

std::string unknown_filter(std::string_view name) {
  return filters().contains(name) ? "" : unknown("filter", name, names_of(filters()));
}

Result<Value> apply_filter(std::string_view name, const Value& input, const Arguments& arguments) {
  auto found = filters().find(name);
  if (found == filters().end()) {
    return bad(unknown_filter(name));
  }
  if (const auto* nothing = input.as<Undefined>(); nothing != nullptr && name != "default" && name != "d") {
    return bad(nothing->name);
  }
  return found->second(input, arguments);
}

Result<bool> apply_test(std::string_view name, const Value& input, const Arguments& arguments) {
  if (!arguments.positional.empty()) {
    return test_with_value(name, input, arguments.positional[0]);
  }
  auto found = tests().find(name);
  if (found == tests().end()) {
    return bad(unknown("test", name, names_of(tests())));
  }
  return found->second(input);
}

}  // namespace tarn::model::jinja
