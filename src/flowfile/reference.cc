#include "flowfile/reference.h"

#include <algorithm>

#include <fmt/format.h>

namespace tarn::flowfile {
namespace {

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool is_name_byte(char c) {
  return is_letter(c) || (c >= '0' && c <= '9');
}

// Of a path, "items.0.id" also digits.
bool is_path(std::string_view text) {
  while (true) {
    const auto dot = text.find('.');
    const auto part = text.substr(0, dot);
    if (part.empty() || !std::all_of(part.begin(), part.end(), is_name_byte))
      return false;
    if (dot == std::string_view::npos)
      return true;
    text.remove_prefix(dot + 1);
  }
}

// "day", "row.region", "count.n"; nullopt for anything else.
std::optional<Reference> value_reference(std::string_view inside, size_t offset) {
  const auto dot = inside.find('.');
  const auto first = inside.substr(0, dot);
  if (!is_name(first))
    return std::nullopt;
  Reference reference{.name = std::string(first), .offset = offset};
  if (dot == std::string_view::npos)
    return reference;
  const auto field = inside.substr(dot + 1);
  if (!is_path(field))
    return std::nullopt;
  reference.field = field;
  reference.kind = first == "row"   ? Reference::Kind::kRow
                   : first == "run" ? Reference::Kind::kRun
                                    : Reference::Kind::kResult;
  return reference;
}

std::optional<Reference> text_reference(std::string_view inside, std::string_view whole, size_t offset) {
  if (inside.starts_with("var:") && inside.size() > 4) {
    return Reference{.kind = Reference::Kind::kVar, .name = std::string(inside.substr(4)), .offset = offset};
  }
  const bool secret =
      (inside.starts_with("env:") && inside.size() > 4) || (inside.starts_with("file:") && inside.size() > 5);
  if (secret)
    return Reference{.kind = Reference::Kind::kSecret, .name = std::string(whole), .offset = offset};
  return value_reference(inside, offset);
}

// The end of what begins at `at` and is no SQL: a quote, a comment, a text between dollars. `at` itself where
// nothing begins.
size_t skip_quoted(std::string_view sql, size_t at) {
  const auto rest = sql.substr(at);
  const auto end_of = [&](std::string_view mark, size_t from) {
    const auto found = sql.find(mark, from);
    return found == std::string_view::npos ? sql.size() : found + mark.size();
  };
  if (rest.starts_with("--"))
    return end_of("\n", at + 2);
  if (rest.starts_with("/*"))
    return end_of("*/", at + 2);
  if (rest.front() == '\'' || rest.front() == '"')
    return end_of(rest.substr(0, 1), at + 1);  // a doubled quote begins another one
  if (rest.front() != '$')
    return at;
  size_t tag = 1;
  while (tag < rest.size() && is_name_byte(rest[tag]))
    ++tag;
  const bool opens = tag < rest.size() && rest[tag] == '$' && (tag == 1 || is_letter(rest[1]));
  return opens ? end_of(rest.substr(0, tag + 1), at + tag + 1) : at;
}

// The length of "name.field.field" at the start of `text`.
size_t reference_length(std::string_view text) {
  size_t length = 0;
  while (true) {
    size_t part = length;
    while (part < text.size() && is_name_byte(text[part]))
      ++part;
    if (part == length)
      return length > 0 ? length - 1 : 0;  // without the dot before
    length = part;
    if (length >= text.size() || text[length] != '.')
      return length;
    ++length;
  }
}

}  // namespace

std::string Reference::shown() const {
  return field.empty() ? name : name + "." + field;
}

bool is_name(std::string_view text) {
  return !text.empty() && is_letter(text.front()) && std::all_of(text.begin(), text.end(), is_name_byte);
}

bool is_reserved(std::string_view name) {
  return name == "row" || name == "run";
}

Result<std::vector<TextPiece>> parse_text(std::string_view text, size_t* at) {
  std::vector<TextPiece> pieces;
  std::string plain;
  const auto end_plain = [&] {
    if (!plain.empty())
      pieces.push_back({std::exchange(plain, {}), std::nullopt});
  };
  for (size_t i = 0; i < text.size();) {
    const auto rest = text.substr(i);
    if (rest.starts_with("$${")) {
      plain += "${";
      i += 3;
      continue;
    }
    if (!rest.starts_with("${")) {
      plain += text[i++];
      continue;
    }
    const auto end = rest.find('}');
    const auto inside = end == std::string_view::npos ? std::string_view() : rest.substr(2, end - 2);
    const auto reference = text_reference(inside, rest.substr(0, end + 1), i);
    if (!reference) {
      if (at != nullptr)
        *at = i;
      return Error{
          Code::kInvalid,
          fmt::format("'{}' refers to nothing: write ${{parameter}}, ${{task.field}}, ${{row.column}}, "
                      "${{var:name}} or ${{env:NAME}}, and $${{ for a plain ${{",
                      rest.substr(0, std::min<size_t>(end == std::string_view::npos ? 20 : end + 1, 40)))};
    }
    end_plain();
    pieces.push_back({std::string(rest.substr(0, end + 1)), reference});
    i += end + 1;
  }
  end_plain();
  return pieces;
}

SqlText parse_sql(std::string_view sql) {
  SqlText found{.text = std::string(sql)};
  for (size_t i = 0; i < sql.size();) {
    if (const auto end = skip_quoted(sql, i); end != i) {
      i = end;
      continue;
    }
    const bool follows_name = i > 0 && is_name_byte(sql[i - 1]);  // a dollar may stand inside of a name
    const auto length = sql[i] == '$' && !follows_name ? reference_length(sql.substr(i + 1)) : 0;
    const auto reference = length > 0 ? value_reference(sql.substr(i + 1, length), i) : std::nullopt;
    if (!reference) {
      ++i;
      continue;
    }
    std::replace(found.text.begin() + static_cast<int64_t>(i),
                 found.text.begin() + static_cast<int64_t>(i + 1 + length), '.', '_');
    found.references.push_back(*reference);
    i += 1 + length;
  }
  return found;
}

std::string parameter_name(const Reference& reference) {
  auto name = reference.shown();
  std::replace(name.begin(), name.end(), '.', '_');
  return name;
}

}  // namespace tarn::flowfile
