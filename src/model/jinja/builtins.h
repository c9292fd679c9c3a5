// Filters, tests, methods and functions that need no context: `x | upper`, `x is none`, `x.split(',')`,
// range(). Error messages are sentences without a place; the interpreter adds the place.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "model/jinja/value.h"

namespace tarn::model::jinja {

inline constexpr size_t kTextBytesMax = 16u << 20;  // of one text
inline constexpr int64_t kRangeMax = 10'000;

Result<Value> apply_filter(std::string_view name, const Value& input, const Arguments& arguments);
// The sentence for a filter that there is not; empty when there is.
std::string unknown_filter(std::string_view name);
Result<bool> apply_test(std::string_view name, const Value& input, const Arguments& arguments);
bool has_method(const Value& object, std::string_view name);
Result<Value> call_method(Value& object, std::string_view name, const Arguments& arguments);
// "+", "-", "==", "in" ...; not "and" and "or".
Result<Value> apply_operator(std::string_view op, const Value& left, const Value& right);
// range, dict, namespace, zip, tojson, fromjson, return is not among them.
const std::map<std::string, Value>& builtin_functions();

// Members of a list, keys of a dict, letters of a text; an error for what cannot be gone through.
Result<List> elements_of(const Value& value);
// `loop` in turn `i` of a for over `all`.
Value loop_object(const List& all, size_t i);
Result<Value> member_of(const Value& object, const Value& key);
// Python's "%s and %d" % values.
Result<std::string> format_percent(std::string_view format, const List& values);

}  // namespace tarn::model::jinja
