// Methods of texts, lists and dicts, and functions without context.
#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "model/jinja/builtins.h"
#include "model/jinja/text.h"

namespace tarn::model::jinja {
namespace {

constexpr std::string_view kTextMethods =
    " upper lower strip lstrip rstrip replace split startswith endswith join format title capitalize find "
    "count "
    "isdigit splitlines ";
constexpr std::string_view kTupleMethods = " index count ";
constexpr std::string_view kListMethods = " append extend insert pop index count reverse ";
constexpr std::string_view kDictMethods = " items keys values get update pop setdefault ";

bool among(std::string_view all, std::string_view name) {
  return name.find(' ') == std::string_view::npos &&
         all.find(fmt::format(" {} ", name)) != std::string_view::npos;
}

Error bad(std::string message) {
  return {Code::kInvalid, std::move(message)};
}

std::string first_text(const Arguments& arguments, std::string_view fallback) {
  const Value* given = arguments.find(0, "chars");
  return given != nullptr && !given->is_none() ? given->text() : std::string(fallback);
}

Value texts(const std::vector<std::string>& parts) {
  List out;
  for (const auto& part : parts) {
    out.emplace_back(part);
  }
  return Value::list(std::move(out));
}

// "{} and {0} and {name}".format(...): without format specifications.
Result<Value> format_braces(const std::string& text, const Arguments& arguments) {
  std::string out;
  size_t next = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if ((text[i] == '{' || text[i] == '}') && i + 1 < text.size() && text[i + 1] == text[i]) {
      out += text[i++];
      continue;
    }
    if (text[i] != '{') {
      out += text[i];
      continue;
    }
    size_t end = text.find('}', i);
    if (end == std::string::npos) {
      return bad("a '{' in the format is never closed");
    }
    std::string name = text.substr(i + 1, end - i - 1);
    auto number = read_number(name);
    const Value* value = name.empty() ? arguments.find(next++, "")
                         : number && number->as<int64_t>() != nullptr && *number->as<int64_t>() >= 0
                             ? arguments.find(static_cast<size_t>(*number->as<int64_t>()), "")
                             : arguments.find(SIZE_MAX, name);
    if (value == nullptr) {
      return bad(fmt::format("format() was given no value for '{{{}}}'", name));
    }
    out += value->text();
    if (out.size() > kTextBytesMax) {
      return bad("this text is too long");
    }
    i = end;
  }
  return Value(std::move(out));
}

Result<Value> split_text(const std::string& text, const Arguments& arguments) {
  const Value* separator = arguments.find(0, "sep");
  const Value* most = arguments.find(1, "maxsplit");
  if (separator == nullptr || separator->is_none()) {
    return texts(split_blanks(text));
  }
  const auto* limit = most != nullptr ? most->as<int64_t>() : nullptr;
  return texts(split(text, separator->text(), limit != nullptr ? *limit : -1));
}

Result<Value> text_method(const std::string& text, std::string_view name, const Arguments& arguments) {
  constexpr std::string_view kBlanks = " \t\r\n\f\v";
  if (name == "upper" || name == "lower" || name == "capitalize" || name == "replace") {
    return apply_filter(name, Value(text), arguments);
  }
  if (name == "title") {
    return Value(to_title_of_letters(text));
  }
  if (name == "strip" || name == "lstrip" || name == "rstrip") {
    return Value(strip(text, first_text(arguments, kBlanks), name != "rstrip", name != "lstrip"));
  }
  if (name == "split") {
    return split_text(text, arguments);
  }
  if (name == "splitlines") {
    return texts(split(text, "\n", -1));
  }
  if (name == "format") {
    return format_braces(text, arguments);
  }
  if (name == "isdigit") {
    return Value(!text.empty() && text.find_first_not_of("0123456789") == std::string::npos);
  }
  if (arguments.positional.empty()) {
    return bad(fmt::format("{}() needs a value", name));
  }
  const Value& given = arguments.positional[0];
  if (name == "startswith") {
    return Value(text.starts_with(given.text()));
  }
  if (name == "endswith") {
    return Value(text.ends_with(given.text()));
  }
  if (name == "join") {
    return apply_filter("join", given, Arguments{{Value(text)}, {}});
  }
  if (name == "find") {
    size_t found = text.find(given.text());
    return Value(found == std::string::npos ? int64_t{-1} : static_cast<int64_t>(found));
  }
  return Value(static_cast<int64_t>(split(text, given.text(), -1).size()) - 1);  // count
}

Result<Value> list_method(Value& object, std::string_view name, const Arguments& arguments) {
  List& list = *object.items();
  if (name == "reverse") {
    std::reverse(list.begin(), list.end());
    return Value();
  }
  if (name == "pop") {
    const auto* given = arguments.positional.empty() ? nullptr : arguments.positional[0].as<int64_t>();
    int64_t at = given != nullptr ? *given : -1;
    at += at < 0 ? static_cast<int64_t>(list.size()) : 0;
    if (at < 0 || at >= static_cast<int64_t>(list.size())) {
      return bad("pop() from outside of the list");
    }
    Value out = list[static_cast<size_t>(at)];
    list.erase(list.begin() + at);
    return out;
  }
  if (arguments.positional.empty()) {
    return bad(fmt::format("{}() needs a value", name));
  }
  const Value& given = arguments.positional.back();
  if (name == "index" || name == "count") {
    auto same = [&](const Value& item) { return equal(item, given); };
    if (name == "count") {
      return Value(static_cast<int64_t>(std::count_if(list.begin(), list.end(), same)));
    }
    auto found = std::find_if(list.begin(), list.end(), same);
    return found == list.end() ? Result<Value>(bad(fmt::format("{} is not in the list", given.repr())))
                               : Value(static_cast<int64_t>(found - list.begin()));
  }
  if (holds(given, object)) {
    return bad("a list cannot hold itself");
  }
  if (name == "extend") {
    TARN_TRY(List more, elements_of(given));
    list.insert(list.end(), more.begin(), more.end());
  } else if (name == "insert" && arguments.positional.size() == 2) {
    const auto* wanted = arguments.positional[0].as<int64_t>();
    int64_t at = std::clamp<int64_t>(wanted != nullptr ? *wanted : 0, 0, static_cast<int64_t>(list.size()));
    list.insert(list.begin() + at, given);
  } else if (name == "append") {
    list.push_back(given);
  } else {
    return bad(fmt::format("{}() was given the wrong number of values", name));
  }
  return Value();
}

Status put(Value& object, const Value& key, const Value& value) {
  if (holds(value, object) || holds(key, object)) {
    return bad("a dict cannot hold itself");
  }
  for (auto& [name, member] : *object.entries()) {
    if (equal(name, key)) {
      member = value;
      return ok();
    }
  }
  object.entries()->emplace_back(key, value);
  return ok();
}

Result<Value> update(Value& object, const Arguments& arguments) {
  for (const Value& given : arguments.positional) {
    const Dict* more = given.entries();
    if (more == nullptr) {
      return bad(fmt::format("update() needs a dict, not {}", given.kind_name()));
    }
    Dict copy = *more;
    for (const auto& [key, value] : copy) {
      TARN_CHECK(put(object, key, value));
    }
  }
  for (const auto& [key, value] : arguments.named) {
    TARN_CHECK(put(object, Value(key), value));
  }
  return Value();
}

Result<Value> dict_method(Value& object, std::string_view name, const Arguments& arguments) {
  Dict& dict = *object.entries();
  if (name == "update") {
    return update(object, arguments);
  }
  if (name == "items" || name == "keys" || name == "values") {
    List out;
    for (const auto& [key, value] : dict) {
      out.push_back(name == "keys" ? key : name == "values" ? value : Value::tuple({key, value}));
    }
    return Value::list(std::move(out));
  }
  const Value* key = arguments.find(0, "key");
  const Value* other = arguments.find(1, "default");
  if (key == nullptr) {
    return bad(fmt::format("{}() needs a key", name));
  }
  for (auto it = dict.begin(); it != dict.end(); ++it) {
    if (equal(it->first, *key)) {
      Value found = it->second;
      if (name == "pop") {
        dict.erase(it);
      }
      return found;
    }
  }
  if (name == "setdefault" && other != nullptr) {
    TARN_CHECK(put(object, *key, *other));
  }
  if (name == "pop" && other == nullptr) {
    return bad(fmt::format("the dict has no key {}", key->repr()));
  }
  return other != nullptr ? *other : Value();
}

Result<Value> range(const Arguments& arguments) {
  int64_t part[3] = {0, 0, 1};
  const auto& given = arguments.positional;
  if (given.empty() || given.size() > 3) {
    return bad("range() takes 1 to 3 numbers");
  }
  for (size_t i = 0; i < given.size(); ++i) {
    const auto* number = given[i].as<int64_t>();
    if (number == nullptr || *number > INT32_MAX || *number < INT32_MIN) {
      return bad("range() takes whole numbers");
    }
    part[given.size() == 1 ? 1 : i] = *number;
  }
  if (part[2] == 0) {
    return bad("range() cannot have a step of 0");
  }
  List out;
  for (int64_t at = part[0]; part[2] > 0 ? at < part[1] : at > part[1]; at += part[2]) {
    if (static_cast<int64_t>(out.size()) >= kRangeMax) {
      return bad(fmt::format("range() is longer than {}", kRangeMax));
    }
    out.emplace_back(at);
  }
  return Value::list(std::move(out));
}

Result<Value> make_dict(const Arguments& arguments) {
  Value made = Value::dict({});
  TARN_CHECK(update(made, arguments));
  return made;
}

Result<Value> make_namespace(const Arguments& arguments) {
  auto made = std::make_shared<Namespace>();
  made->members = arguments.named;
  return Value(Value::Variant(std::move(made)));
}

Result<Value> zip(const Arguments& arguments) {
  std::vector<List> columns;
  size_t rows = arguments.positional.empty() ? 0 : SIZE_MAX;
  for (const Value& given : arguments.positional) {
    TARN_TRY(List column, elements_of(given));
    rows = std::min(rows, column.size());
    columns.push_back(std::move(column));
  }
  List out;
  for (size_t i = 0; i < rows; ++i) {
    List row;
    for (const List& column : columns) {
      row.push_back(column[i]);
    }
    out.push_back(Value::tuple(std::move(row)));
  }
  return Value::list(std::move(out));
}

Value from_json(const nlohmann::json& json) {
  switch (json.type()) {
    case nlohmann::json::value_t::boolean: return Value(json.get<bool>());
    case nlohmann::json::value_t::number_unsigned:
    case nlohmann::json::value_t::number_integer: return Value(json.get<int64_t>());
    case nlohmann::json::value_t::number_float: return Value(json.get<double>());
    case nlohmann::json::value_t::string: return Value(json.get<std::string>());
    case nlohmann::json::value_t::array: {
      List out;
      for (const auto& item : json) {
        out.push_back(from_json(item));
      }
      return Value::list(std::move(out));
    }
    case nlohmann::json::value_t::object: {
      Dict out;
      for (const auto& [key, member] : json.items()) {
        out.emplace_back(Value(key), from_json(member));
      }
      return Value::dict(std::move(out));
    }
    default: return Value();
  }
}

// nlohmann's parser and destructor are bounded by this before they see the text.
bool too_deep(std::string_view text) {
  int depth = 0;
  for (char c : text) {
    depth += c == '[' || c == '{' ? 1 : c == ']' || c == '}' ? -1 : 0;
    if (depth > 100) {
      return true;
    }
  }
  return false;
}

Result<Value> read_json(const Arguments& arguments) {
  TARN_CHECK(arguments.expect("fromjson", 1, 2, {"value", "default"}));
  const Value* given = arguments.find(0, "value");
  const Value* other = arguments.find(1, "default");
  std::string text = given != nullptr ? given->text() : "";
  auto json = too_deep(text) ? nlohmann::json(nlohmann::json::value_t::discarded)
                             : nlohmann::json::parse(text, nullptr, false);
  return json.is_discarded() ? (other != nullptr ? *other : Value()) : from_json(json);
}

Result<Value> write_json(const Arguments& arguments) {
  TARN_CHECK(arguments.expect("tojson", 1, 3, {"value", "default", "sort_keys"}));
  const Value* given = arguments.find(0, "value");
  return given != nullptr ? Value(to_json(*given)) : Value("");
}

}  // namespace

Value loop_object(const List& all, size_t i) {
  auto number = [](size_t n) { return Value(static_cast<int64_t>(n)); };
  Object loop{.text = "<loop>", .members = {}, .call = {}};
  loop.members = {
      {"index", number(i + 1)},
      {"index0", number(i)},
      {"revindex", number(all.size() - i)},
      {"revindex0", number(all.size() - i - 1)},
      {"first", Value(i == 0)},
      {"last", Value(i + 1 == all.size())},
      {"length", number(all.size())},
      {"previtem", i == 0 ? Value::undefined("the first turn has no previtem") : all[i - 1]},
      {"nextitem", i + 1 == all.size() ? Value::undefined("the last turn has no nextitem") : all[i + 1]}};
  loop.members.emplace_back("cycle", Value::function("cycle", [i](const Arguments& given) -> Result<Value> {
                              if (given.positional.empty()) {
                                return Error{Code::kInvalid, "cycle() needs values"};
                              }
                              return given.positional[i % given.positional.size()];
                            }));
  return Value::object(std::move(loop));
}

bool has_method(const Value& object, std::string_view name) {
  return (object.as<std::string>() != nullptr && among(kTextMethods, name)) ||
         (object.items() != nullptr && among(object.is_tuple() ? kTupleMethods : kListMethods, name)) ||
         (object.entries() != nullptr && among(kDictMethods, name));
}

Result<Value> call_method(Value& object, std::string_view name, const Arguments& arguments) {
  if (const auto* text = object.as<std::string>()) {
    return text_method(*text, name, arguments);
  }
  if (object.items() != nullptr) {
    return list_method(object, name, arguments);
  }
  if (object.entries() != nullptr) {
    return dict_method(object, name, arguments);
  }
  return bad(fmt::format("{} has no method '{}'", object.kind_name(), name));
}

const std::map<std::string, Value>& builtin_functions() {
  static const std::map<std::string, Value> kAll = {
      {"range", Value::function("range", range)},
      {"dict", Value::function("dict", make_dict)},
      {"namespace", Value::function("namespace", make_namespace)},
      {"zip", Value::function("zip", zip)},
      {"tojson", Value::function("tojson", write_json)},
      {"fromjson", Value::function("fromjson", read_json)},
  };
  return kAll;
}

}  // namespace tarn::model::jinja
