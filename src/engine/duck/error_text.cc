#include "engine/duck/error_text.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <map>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "codec/text_distance.h"

namespace tarn::engine {
namespace {

constexpr size_t kListedMax = 6;

// `seen` is DuckDB's message, where each {} stands for any text. In `said`, {0} is the first of those texts,
// {0:type} the same with the names that people use for types, {0:near 1} a proposal for {0} among the quoted
// names in {1}, and {0:forms} the argument lists of the functions that {0} lists.
struct Wording {
  std::string_view seen;
  std::string_view said;
};

constexpr Wording kWordings[] = {
    // Names
    {"Referenced column \"{}\" not found in FROM clause!{}", "there is no column \"{0}\"{0:near 1}"},
    {"Referenced column \"{}\" was not found because the FROM clause is missing{}",
     "there is no column \"{0}\": the statement has no FROM"},
    {"Table \"{}\" does not have a column named \"{}\"{}", "{0} has no column \"{1}\"{1:near 2}"},
    {"Table \"{}\" does not have a column with name \"{}\"{}", "{0} has no column \"{1}\"{1:near 2}"},
    {"Referenced table \"{}\" not found!{}", "the FROM has no table \"{0}\"{0:near 1}"},
    {"Table with name \"{}\" does not exist because schema \"{}\" does not exist.{}",
     "there is no schema \"{1}\", so no table {0}{1:near 2}"},
    {"Table with name {} does not exist!{}", "there is no table \"{0}\"{0:near 1}"},
    {"View with name {} does not exist!{}", "there is no view \"{0}\"{0:near 1}"},
    {"Type with name {} does not exist!{}", "there is no type \"{0}\"{0:near 1}"},
    {"Scalar Function with name {} does not exist!{}",
     "there is no plain function {0}; a window function needs OVER (…)"},
    {"Aggregate Function with name {} does not exist!{}", "there is no aggregate function {0}{0:near 1}"},
    {"Table Function with name {} does not exist!{}", "there is no table function {0}{0:near 1}"},
    {"Column \"{}\" in EXCLUDE list not found in FROM clause{}",
     "EXCLUDE names a column \"{0}\", which the FROM has not"},
    {"Column \"{}\" in REPLACE list not found in FROM clause{}",
     "REPLACE names a column \"{0}\", which the FROM has not"},
    {"Column \"{}\" does not exist on {} side of join!{}",
     "USING names a column \"{0}\", which the {1} side of the join has not"},
    {"Column with name {} already exists!", "the column {0} stands here twice"},
    {"Ambiguous reference to column name \"{}\" (use: {})",
     "the column \"{0}\" is in more than one table: write {1}"},
    {"Ambiguous reference to table \"{}\" {}",
     "two tables are called \"{0}\" here: give one of them another name with AS"},
    {"Could not find key \"{}\" in struct{}", "the struct has no member \"{0}\"{0:near 1}"},
    {"Cannot extract field '{}' from expression \"{}\" because it is not a struct, union, map, or json",
     "\"{1}\" has no member \"{0}\": it is not a struct"},
    // Functions and types
    {"No function matches the given name and argument types '{}({})'. You might need to add explicit type "
     "casts.{}",
     "{0:type} does not take ({1:type}); it takes {2:forms}: cast the values"},
    {"Could not choose a best candidate function for the function call \"{}({})\". In order to select one, "
     "please add "
     "explicit type casts.{}",
     "{0:type} can be understood in more than one way for ({1:type}): cast the values to one of {2:forms}"},
    {"Could not convert string '{}' to {} when casting from source column {}",
     "column {2} holds '{0}', which is not of type {1:type}"},
    {"Could not convert string '{}' to {}", "'{0}' is not of type {1:type}"},
    {"invalid date field format: \"{}\", expected format is (YYYY-MM-DD){}",
     "'{0}' is not a date: write YYYY-MM-DD"},
    {"date field value out of range: \"{}\"{}", "there is no day '{0}'"},
    {"invalid timestamp field format: \"{}\", expected format is ({}){}",
     "'{0}' is not a timestamp: write {1}"},
    {"timestamp field value out of range: \"{}\"{}", "there is no time '{0}'"},
    {"Type {} with value {} can't be cast because the value is out of range for the destination type {}",
     "{1} does not fit into {2:type}"},
    {"Type {} with value {} can't be cast to the destination type {}", "{1} is not of type {2:type}"},
    {"Casting value \"{}\" to type {} failed: value is out of range!", "{0} does not fit into {1:type}"},
    {"Overflow in {} of {} ({})!",
     "{2} is too large for {1:type}: cast a value to a wider type, such as double"},
    {"Unimplemented type for cast ({} -> {})", "a value of type {0:type} cannot be cast to {1:type}"},
    {"Cannot mix values of type {} and {} in {} - an explicit cast is required",
     "{2} compares {0:type} with {1:type}: cast one of them"},
    {"Cannot compare values of type {} and {} - an explicit cast is required",
     "{0:type} cannot be compared with {1:type}: cast one of them"},
    // Shapes of statements
    {"column \"{}\" must appear in the GROUP BY clause or must be part of an aggregate function.{}",
     "column \"{0}\" is neither grouped nor aggregated: add it to GROUP BY, or write any_value({0}) where "
     "any of its "
     "values will do"},
    {"GROUP BY term out of range - should be between 1 and {}",
     "GROUP BY names a column by a number from 1 to {0}"},
    {"ORDER term out of range - should be between 1 and {}",
     "ORDER BY names a column by a number from 1 to {0}"},
    {"WHERE clause cannot contain aggregates!",
     "WHERE is asked before rows are aggregated: write the condition into HAVING"},
    {"WHERE clause cannot contain window functions!",
     "WHERE is asked before window functions: write the condition into QUALIFY"},
    {"GROUP BY clause cannot contain aggregates!", "GROUP BY cannot contain an aggregate: group by a column"},
    {"aggregate function calls cannot be nested",
     "an aggregate cannot stand in another: compute the inner one in a subquery"},
    {"Subquery returns {} columns - expected 1",
     "a subquery used as a value has one column, and this one has {0}"},
    {"More than one row returned by a subquery used as an expression{}",
     "a subquery used as a value has at most one row, and this one has more: add a condition, an aggregate "
     "or LIMIT 1"},
    {"Set operations can only apply to expressions with the same number of result columns",
     "both sides of UNION, INTERSECT or EXCEPT need the same number of columns"},
    {"table {} has {} columns but {} values were supplied",
     "table {0} has {1} columns, but {2} values are given"},
    {"No columns found to join on in NATURAL JOIN.{}",
     "NATURAL JOIN finds no column that both sides have: write JOIN … ON or CROSS JOIN"},
    {"Values were not provided for the following prepared statement parameters: {}",
     "parameter {0} got no value"},
    {"LIMIT/OFFSET cannot be negative", "LIMIT and OFFSET cannot be negative"},
    {"Malformed JSON at byte {} of input: {}.  Input: \"{}\"", "this is not JSON ({1} at byte {0}): {2}"},
    {"CSV Error on Line: {}\nOriginal Line: {}\nExpected Number of Columns: {} Found: {}\n{}",
     "line {0} has {3} columns instead of {2}: {1}"},
    {"CSV Error on Line: {}\nOriginal Line: {}\nValue with unterminated quote{}",
     "line {0} has a quote that is never closed, or text behind a closed one: {1}"},
    {"Invalid Input Error: CSV Error on Line: {}\nOriginal Line: {}\nInvalid unicode{}",
     "line {0} is not UTF-8 text"},
    {"CSV Error on Line: {}\nOriginal Line: {}\nInvalid unicode{}", "line {0} is not UTF-8 text"},
    {"CSV Error on Line: {}\nOriginal Line: {}\n{}\n{}", "line {0} cannot be read ({2}): {1}"},
    {"syntax error at end of input", "the statement ends too early"},
};

// One of the words that begin a clause; misspelt, they are the commonest syntax error.
const std::vector<std::string>& clause_words() {
  static const std::vector<std::string> kWords = {
      "select",   "from",   "where",   "group",   "order", "having", "limit",    "offset", "join",
      "left",     "right",  "inner",   "outer",   "cross", "using",  "union",    "except", "values",
      "distinct", "insert", "create",  "replace", "table", "view",   "drop",     "alter",  "update",
      "delete",   "with",   "between", "case",    "when",  "then",   "else",     "over",   "into",
      "schema",   "on",     "qualify", "as",      "by",    "and",    "partition"};
  return kWords;
}

// The texts that the pattern's {} stand for; nullopt when it does not fit.
std::optional<std::vector<std::string>> match(std::string_view pattern, std::string_view text) {
  std::vector<std::string> found;
  size_t hole = pattern.find("{}");
  if (text.substr(0, hole) != pattern.substr(0, hole)) {
    return std::nullopt;
  }
  while (hole != std::string_view::npos) {
    text.remove_prefix(hole);
    pattern.remove_prefix(hole + 2);
    hole = pattern.find("{}");
    auto literal = pattern.substr(0, hole);
    auto at = literal.empty()                  ? text.size()
              : hole == std::string_view::npos ? text.rfind(literal)
                                               : text.find(literal);
    if (at == std::string_view::npos) {
      return std::nullopt;
    }
    found.emplace_back(text.substr(0, at));
    text.remove_prefix(at);
  }
  return text == pattern ? std::optional(found) : std::nullopt;
}

bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

// DuckDB's inner names of types and operators, replaced word by word.
std::string with_type_names(std::string_view text) {
  static const std::map<std::string, std::string_view, std::less<>> kNames = {
      {"INT8", "TINYINT"},     {"INT16", "SMALLINT"},         {"INT32", "INTEGER"},
      {"INT64", "BIGINT"},     {"INT128", "HUGEINT"},         {"UINT8", "UTINYINT"},
      {"UINT16", "USMALLINT"}, {"UINT32", "UINTEGER"},        {"UINT64", "UBIGINT"},
      {"BOOL", "BOOLEAN"},     {"STRING_LITERAL", "VARCHAR"}, {"INTEGER_LITERAL", "INTEGER"},
      {"~~", "LIKE"},          {"!~~", "NOT LIKE"},           {"~~*", "ILIKE"},
      {"!~~*", "NOT ILIKE"}};
  if (auto whole = kNames.find(text); whole != kNames.end()) {
    return std::string(whole->second);
  }
  std::string out;
  for (size_t at = 0; at < text.size();) {
    size_t end = at;
    while (end < text.size() && is_word(text[end])) {
      ++end;
    }
    end = std::max(end, at + 1);
    auto name = kNames.find(text.substr(at, end - at));
    out += name != kNames.end() ? name->second : text.substr(at, end - at);
    at = end;
  }
  return out;
}

// The texts between double quotes, without what DuckDB keeps for itself.
std::vector<std::string> quoted_names(std::string_view text) {
  std::vector<std::string> names;
  for (size_t open = text.find('"'); open != std::string_view::npos; open = text.find('"', open)) {
    size_t close = text.find('"', open + 1);
    if (close == std::string_view::npos) {
      break;
    }
    auto name = text.substr(open + 1, close - open - 1);
    bool own = name.starts_with("pg_") || name.starts_with("duckdb_") || name.starts_with("sqlite_") ||
               name.starts_with("pragma_");
    if (!own) {
      names.emplace_back(name);
    }
    open = close + 1;
  }
  return names;
}

// ": did you mean "a"?" for the nearest one, else what there is.
std::string proposal(const std::string& wrong, std::string_view list) {
  std::vector<std::string> names = quoted_names(list);
  std::vector<std::string> last_parts;
  for (const std::string& name : names) {
    last_parts.push_back(lower(name.substr(name.rfind('.') + 1)));
  }
  std::string near = codec::nearest(lower(wrong.substr(wrong.rfind('.') + 1)), last_parts);
  if (!near.empty()) {
    auto at = std::find(last_parts.begin(), last_parts.end(), near) - last_parts.begin();
    return fmt::format(": did you mean \"{}\"?", names[static_cast<size_t>(at)]);
  }
  // DuckDB's own "Did you mean" of something that is not near helps nobody.
  if (names.empty() || list.find("Did you mean") != std::string_view::npos) {
    return "";
  }
  return fmt::format("; there {} \"{}\"", names.size() == 1 ? "is" : "are", fmt::join(names, "\", \""));
}

// "(VARCHAR, BIGINT) or (VARCHAR)" out of "\tlower(VARCHAR, BIGINT) -> VARCHAR\n…".
std::string forms(std::string_view list) {
  std::vector<std::string> all;
  while (!list.empty()) {
    auto line = list.substr(0, list.find('\n'));
    list.remove_prefix(std::min(list.size(), line.size() + 1));
    size_t open = line.find('(');
    size_t close = line.find(") -> ");
    close = close == std::string_view::npos ? line.rfind(')') : close;
    if (line.starts_with("\t") && open != std::string_view::npos && close != std::string_view::npos) {
      all.push_back(with_type_names(line.substr(open, close + 1 - open)));
    }
  }
  all.erase(std::unique(all.begin(), all.end()), all.end());
  bool cut = all.size() > kListedMax;
  all.resize(std::min(all.size(), kListedMax));
  return all.empty() ? "other values" : fmt::format("{}{}", fmt::join(all, ", "), cut ? " and others" : "");
}

// What one {…} of `said` becomes.
std::string filled(std::string_view hole, const std::vector<std::string>& found) {
  const std::string& text = found[static_cast<size_t>(hole[0] - '0')];
  auto how = hole.substr(1);
  if (how == ":type") {
    return with_type_names(text);
  }
  if (how == ":forms") {
    return forms(text);
  }
  if (how.starts_with(":near ")) {
    return proposal(text, found[static_cast<size_t>(how.back() - '0')]);
  }
  return text;
}

std::string say(std::string_view said, const std::vector<std::string>& found) {
  std::string out;
  while (true) {
    size_t open = said.find('{');
    out += said.substr(0, open);
    if (open == std::string_view::npos) {
      return out;
    }
    size_t close = said.find('}', open);
    out += filled(said.substr(open + 1, close - open - 1), found);
    said.remove_prefix(close + 1);
  }
}

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

// The keyword that a word was meant to be; empty when it is one already, or like none.
std::string keyword_near(std::string_view word) {
  const auto& words = clause_words();
  std::string small = lower(word);
  if (small.size() < 3 || std::find(words.begin(), words.end(), small) != words.end()) {
    return "";
  }
  return upper(codec::nearest(small, words, small.size() < 6 ? 1 : 2));
}

std::string_view last_word(std::string_view text) {
  size_t end = text.size();
  while (end > 0 && !is_word(text[end - 1])) {
    --end;
  }
  size_t begin = end;
  while (begin > 0 && is_word(text[begin - 1])) {
    --begin;
  }
  return text.substr(begin, end - begin);
}

// The parser stumbles over a misspelt keyword, or over the word behind it.
std::string syntax_error(const std::string& word, std::string_view before) {
  std::string text = fmt::format("syntax error at or near \"{}\"", word);
  for (auto candidate : {std::string_view(word), last_word(before)}) {
    if (auto keyword = keyword_near(candidate); !keyword.empty()) {
      return fmt::format("{}: did you mean {} instead of {}?", text, keyword, candidate);
    }
  }
  return text;
}

}  // namespace

std::string error_text(std::string_view message, std::string_view before) {
  if (auto word = match("syntax error at or near \"{}\"", message)) {
    return syntax_error(word->front(), before);
  }
  for (const Wording& wording : kWordings) {
    if (auto found = match(wording.seen, message)) {
      return say(wording.said, *found);
    }
  }
  return std::string(message);
}

}  // namespace tarn::engine
