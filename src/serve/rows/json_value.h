// A cell, which comes as DuckDB's text, as JSON: numbers and truth values as such, lists, structs and maps as
// arrays and objects, the rest as strings.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tarn::serve {

// A type's name taken apart once, for many cells. "STRUCT(a INTEGER, b VARCHAR[])[]"
struct JsonShape {
  enum class Kind { kText, kNumber, kTruth, kJson, kList, kStruct, kMap };
  Kind kind = Kind::kText;
  std::vector<std::string> names;   // struct
  std::vector<JsonShape> children;  // list: the element; map: key, value; struct: its fields
};

JsonShape json_shape_of(std::string_view type);

// Appends the value. Text that does not fit the shape is written as a string.
void append_json(const JsonShape& shape, std::string_view text, std::string& out);

// Appends a quoted and escaped JSON string; bytes that are not UTF-8 become U+FFFD.
void append_json_string(std::string_view text, std::string& out);

bool is_number_type(std::string_view type);

}  // namespace tarn::serve
