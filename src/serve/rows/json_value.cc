#include "serve/rows/json_value.h"

#include <algorithm>
#include <array>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace tarn::serve {
namespace {

constexpr int kDepthMax = 64;

std::string_view trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ')
    text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ')
    text.remove_suffix(1);
  return text;
}

// Splits at commas outside of brackets and quotes.
std::vector<std::string_view> split_type(std::string_view text) {
  std::vector<std::string_view> parts;
  int depth = 0;
  bool quoted = false;
  size_t start = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"')
      quoted = !quoted;
    if (quoted)
      continue;
    if (c == '(')
      ++depth;
    if (c == ')')
      --depth;
    if (c == ',' && depth == 0) {
      parts.push_back(trim(text.substr(start, i - start)));
      start = i + 1;
    }
  }
  parts.push_back(trim(text.substr(start)));
  return parts;
}

// Takes the field's name from the front of "name TYPE" or "\"a b\" TYPE".
std::string take_name(std::string_view& text) {
  std::string name;
  if (text.empty() || text[0] != '"') {
    const auto blank = text.find(' ');
    name = std::string(text.substr(0, blank));
    text.remove_prefix(blank == std::string_view::npos ? text.size() : blank);
    return name;
  }
  size_t i = 1;
  for (; i < text.size(); ++i) {
    if (text[i] != '"') {
      name += text[i];
    } else if (i + 1 < text.size() && text[i + 1] == '"') {
      name += text[i++];
    } else {
      break;
    }
  }
  text.remove_prefix(std::min(text.size(), i + 1));
  return name;
}

JsonShape shape_of(std::string_view type, int depth) {
  type = trim(type);
  JsonShape shape;
  if (depth > kDepthMax || type.empty())
    return shape;
  if (type.back() == ']') {
    shape.kind = JsonShape::Kind::kList;
    shape.children.push_back(shape_of(type.substr(0, type.rfind('[')), depth + 1));
  } else if (type.starts_with("STRUCT(") && type.back() == ')') {
    shape.kind = JsonShape::Kind::kStruct;
    for (auto field : split_type(type.substr(7, type.size() - 8))) {
      shape.names.push_back(take_name(field));
      shape.children.push_back(shape_of(field, depth + 1));
    }
  } else if (type.starts_with("MAP(") && type.back() == ')') {
    const auto parts = split_type(type.substr(4, type.size() - 5));
    if (parts.size() != 2)
      return shape;
    shape.kind = JsonShape::Kind::kMap;
    for (const auto part : parts)
      shape.children.push_back(shape_of(part, depth + 1));
  } else if (is_number_type(type)) {
    shape.kind = JsonShape::Kind::kNumber;
  } else if (type == "BOOLEAN") {
    shape.kind = JsonShape::Kind::kTruth;
  } else if (type == "JSON") {
    shape.kind = JsonShape::Kind::kJson;
  }
  return shape;
}

// DuckDB's text of numbers is JSON's, but for what JSON does not have.
bool is_json_number(std::string_view text) {
  const auto digits = [&text] {
    const size_t count = std::min(text.find_first_not_of("0123456789"), text.size());
    text.remove_prefix(count);
    return count;
  };
  const auto take = [&text](std::string_view any) {
    const bool found = !text.empty() && any.find(text.front()) != std::string_view::npos;
    text.remove_prefix(found ? 1 : 0);
    return found;
  };
  take("-");
  const bool zero = text.starts_with('0');
  const size_t whole = digits();
  if (whole == 0 || (zero && whole > 1) || (take(".") && digits() == 0))
    return false;
  if (take("eE")) {
    take("+-");
    if (digits() == 0)
      return false;
  }
  return text.empty();
}

// Reads DuckDB's text of nested values: [1, NULL, 'a''b'], {'a': 1, 'b': x}, {k=1}.
class NestedText {
 public:
  explicit NestedText(std::string_view text) : text_(text) {}

  bool value(const JsonShape& shape, std::string& out, int depth) {
    if (depth > kDepthMax)
      return false;
    skip();
    switch (shape.kind) {
      case JsonShape::Kind::kList: return is_null(out) || list(shape, out, depth);
      case JsonShape::Kind::kStruct: return is_null(out) || members(shape, out, depth);
      case JsonShape::Kind::kMap: return is_null(out) || entries(shape, out, depth);
      default: return leaf(shape, out);
    }
  }
  [[nodiscard]] bool at_end() {
    skip();
    return at_ == text_.size();
  }

 private:
  void skip() {
    while (at_ < text_.size() && text_[at_] == ' ')
      ++at_;
  }
  bool take(char wanted) {
    skip();
    if (at_ >= text_.size() || text_[at_] != wanted)
      return false;
    ++at_;
    return true;
  }
  bool is_null(std::string& out) {
    if (text_.substr(at_, 4) != "NULL")
      return false;
    at_ += 4;
    out += "null";
    return true;
  }
  bool list(const JsonShape& shape, std::string& out, int depth) {
    if (!take('['))
      return false;
    out += '[';
    if (take(']')) {
      out += ']';
      return true;
    }
    do {
      if (out.back() != '[')
        out += ',';
      if (!value(shape.children[0], out, depth + 1))
        return false;
    } while (take(','));
    out += ']';
    return take(']');
  }
  bool members(const JsonShape& shape, std::string& out, int depth) {
    if (!take('{'))
      return false;
    out += '{';
    for (size_t i = 0; i < shape.children.size(); ++i) {
      if (i > 0 && !take(','))
        return false;
      const auto name = word(":");
      if (!name || !take(':'))
        return false;
      if (i > 0)
        out += ',';
      append_json_string(shape.names[i], out);
      out += ':';
      if (!value(shape.children[i], out, depth + 1))
        return false;
    }
    out += '}';
    return take('}');
  }
  bool entries(const JsonShape& shape, std::string& out, int depth) {
    if (!take('{'))
      return false;
    out += '{';
    if (take('}')) {
      out += '}';
      return true;
    }
    do {
      if (out.back() != '{')
        out += ',';
      const auto key = word("=");
      if (!key || !take('='))
        return false;
      append_json_string(*key, out);
      out += ':';
      if (!value(shape.children[1], out, depth + 1))
        return false;
    } while (take(','));
    out += '}';
    return take('}');
  }
  bool leaf(const JsonShape& shape, std::string& out) {
    const bool quoted = at_ < text_.size() && text_[at_] == '\'';
    const auto text = word(",]}");
    if (!text)
      return false;
    if (!quoted && *text == "NULL") {
      out += "null";
    } else {
      append_json(shape, *text, out);
    }
    return true;
  }
  // A quoted word, or everything up to one of `ends`.
  std::optional<std::string> word(std::string_view ends) {
    skip();
    std::string result;
    if (at_ < text_.size() && text_[at_] == '\'') {
      for (++at_; at_ < text_.size(); ++at_) {
        const char c = text_[at_];
        if (c == '\\' && at_ + 1 < text_.size()) {
          result += text_[++at_];
        } else if (c == '\'') {
          ++at_;
          return result;
        } else {
          result += c;
        }
      }
      return std::nullopt;
    }
    const auto end = std::min(text_.size(), text_.find_first_of(ends, at_));
    result = std::string(trim(text_.substr(at_, end - at_)));
    at_ = end;
    return result;
  }

  std::string_view text_;
  size_t at_ = 0;
};

}  // namespace

bool is_number_type(std::string_view type) {
  static constexpr std::array<std::string_view, 12> kNames = {"TINYINT", "SMALLINT", "INTEGER",   "BIGINT",
                                                              "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER",
                                                              "UBIGINT", "UHUGEINT", "FLOAT",     "DOUBLE"};
  return std::find(kNames.begin(), kNames.end(), type) != kNames.end() ||
         (type.starts_with("DECIMAL(") && type.back() == ')');
}

JsonShape json_shape_of(std::string_view type) {
  return shape_of(type, 0);
}

void append_json_string(std::string_view text, std::string& out) {
  const bool plain = std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
  });
  if (plain) {
    out += '"';
    out += text;
    out += '"';
    return;
  }
  out += nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

void append_json(const JsonShape& shape, std::string_view text, std::string& out) {
  const size_t start = out.size();
  switch (shape.kind) {
    case JsonShape::Kind::kNumber:
      if (is_json_number(text)) {
        out += text;
        return;
      }
      break;
    case JsonShape::Kind::kTruth:
      if (text == "true" || text == "false") {
        out += text;
        return;
      }
      break;
    case JsonShape::Kind::kJson:
      // To the library a zero byte is the end of the text.
      if (text.find('\0') == std::string_view::npos && nlohmann::json::accept(text)) {
        out += text;
        return;
      }
      break;
    case JsonShape::Kind::kText: break;
    default: {
      NestedText nested(text);
      if (nested.value(shape, out, 0) && nested.at_end())
        return;
      out.resize(start);
    }
  }
  append_json_string(text, out);
}

}  // namespace tarn::serve
