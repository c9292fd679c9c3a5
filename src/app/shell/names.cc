#include "app/shell/names.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <set>

namespace tarn::app {
namespace {

constexpr size_t kColumnsMax = 20'000;
constexpr std::array<std::string_view, 60> kKeywords = {
    "select", "from",        "where",     "group by", "order by", "having",      "limit",     "offset",
    "join",   "left join",   "using",     "on",       "as",       "distinct",    "union all", "with",
    "case",   "when",        "then",      "else",     "end",      "and",         "or",        "not",
    "in",     "between",     "like",      "ilike",    "is null",  "is not null", "create",    "table",
    "view",   "schema",      "replace",   "insert",   "into",     "values",      "drop",      "alter",
    "add",    "column",      "rename",    "comment",  "describe", "explain",     "show",      "summarize",
    "asc",    "desc",        "count(*)",  "sum(",     "avg(",     "min(",        "max(",      "round(",
    "cast(",  "date_trunc(", "coalesce(", "exclude"};

bool starts_with(std::string_view text, std::string_view start) {
  return text.size() >= start.size() &&
         std::equal(start.begin(), start.end(), text.begin(),
                    [](unsigned char a, unsigned char b) { return std::tolower(a) == std::tolower(b); });
}

}  // namespace

void Names::refresh(serve::Backend& backend) {
  const auto answer =
      backend.sql({.sql = "select table_schema, table_name, column_name from information_schema.columns",
                   .as_of = std::nullopt});
  if (!answer)
    return;
  std::vector<Column> found;
  while (found.size() < kColumnsMax) {
    const auto batch = (*answer)->rows().next_text();
    if (!batch)
      return;
    if (!*batch)
      break;
    const auto& cells = (*batch)->columns;
    for (size_t i = 0; i < (*batch)->rows; ++i) {
      found.push_back({cells[0].text[i], cells[1].text[i], cells[2].text[i]});
    }
  }
  columns_ = std::move(found);
}

std::vector<std::string> Names::candidates(std::string_view word) const {
  std::set<std::string> found;
  const auto dot = word.rfind('.');
  if (dot != std::string_view::npos) {
    const auto owner = word.substr(0, dot);
    const auto start = word.substr(dot + 1);
    const auto take = [&](const std::string& name) {
      if (starts_with(name, start))
        found.insert(std::string(owner) + "." + name);
    };
    for (const auto& column : columns_) {
      if (column.table == owner || column.schema + "." + column.table == owner)
        take(column.name);
      if (column.schema == owner)
        take(column.table);
    }
  } else {
    for (const auto keyword : kKeywords) {
      if (starts_with(keyword, word))
        found.insert(std::string(keyword));
    }
    for (const auto& column : columns_) {
      for (const auto* name : {&column.schema, &column.table, &column.name}) {
        if (starts_with(*name, word))
          found.insert(*name);
      }
    }
  }
  return {found.begin(), found.end()};
}

std::string common_start(const std::vector<std::string>& words) {
  if (words.empty())
    return "";
  auto common = words[0];
  for (const auto& word : words) {
    const auto [mine, theirs] = std::mismatch(common.begin(), common.end(), word.begin(), word.end());
    common.erase(mine, common.end());
  }
  return common;
}

}  // namespace tarn::app
