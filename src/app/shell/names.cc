#include "app/shell/names.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <set>

#include "guard/functions.h"
#include "session/session.h"

namespace tarn::app {
namespace {

constexpr size_t kColumnsMax = 20'000;
constexpr auto kKeywords = std::to_array<std::string_view>({"select",
                                                            "from",
                                                            "where",
                                                            "group by",
                                                            "order by",
                                                            "having",
                                                            "qualify",
                                                            "limit",
                                                            "offset",
                                                            "join",
                                                            "left join",
                                                            "inner join",
                                                            "using",
                                                            "on",
                                                            "as",
                                                            "distinct",
                                                            "union",
                                                            "union all",
                                                            "except",
                                                            "intersect",
                                                            "with",
                                                            "recursive",
                                                            "case",
                                                            "when",
                                                            "then",
                                                            "else",
                                                            "end",
                                                            "and",
                                                            "or",
                                                            "not",
                                                            "in",
                                                            "between",
                                                            "like",
                                                            "ilike",
                                                            "is null",
                                                            "is not null",
                                                            "null",
                                                            "true",
                                                            "false",
                                                            "create",
                                                            "or replace",
                                                            "table",
                                                            "temp",
                                                            "view",
                                                            "schema",
                                                            "macro",
                                                            "insert into",
                                                            "values",
                                                            "drop",
                                                            "alter",
                                                            "add",
                                                            "column",
                                                            "rename",
                                                            "comment on",
                                                            "describe",
                                                            "explain",
                                                            "show tables",
                                                            "summarize",
                                                            "begin",
                                                            "commit",
                                                            "rollback",
                                                            "asc",
                                                            "desc",
                                                            "nulls last",
                                                            "over",
                                                            "partition by",
                                                            "exclude",
                                                            "pivot",
                                                            "unpivot",
                                                            "at (version =>",
                                                            "at (timestamp =>"});
constexpr auto kCommands =
    std::to_array<std::string_view>({".exit", ".format", ".help", ".quit", ".rows", ".schema", ".tables"});

bool is_upper(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](unsigned char c) { return std::isupper(c) != 0; }) &&
         std::none_of(text.begin(), text.end(), [](unsigned char c) { return std::islower(c) != 0; });
}

std::string upper(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return result;
}

// As it has to be written: in quotes unless it is plain.
std::string written(const std::string& name) {
  const bool plain = !name.empty() && std::isdigit(static_cast<unsigned char>(name[0])) == 0 &&
                     std::all_of(name.begin(), name.end(), [](unsigned char c) {
                       return std::isalnum(c) != 0 || c == '_' || c >= 0x80;
                     });
  return plain ? name : session::quote_identifier(name);
}

bool starts_with(std::string_view text, std::string_view start) {
  return text.size() >= start.size() &&
         std::equal(start.begin(), start.end(), text.begin(),
                    [](unsigned char a, unsigned char b) { return std::tolower(a) == std::tolower(b); });
}

}  // namespace

void Names::refresh(serve::SqlSession& session) {
  const auto answer =
      session.sql({.sql = "select case when table_catalog in ('lake', 'system', 'temp') then '' "
                          "else table_catalog end, table_schema, table_name, column_name "
                          "from information_schema.columns where column_name <> '…'"});
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
      found.push_back({cells[0].text[i], cells[1].text[i], cells[2].text[i], cells[3].text[i]});
    }
  }
  columns_ = std::move(found);
}

std::vector<std::string> Names::candidates(std::string_view word) const {
  std::set<std::string> found;
  const auto take = [&](std::string_view start, const std::string& name, const std::string& before) {
    if (starts_with(name, start))
      found.insert(before + written(name));
  };
  const auto dot = word.rfind('.');
  if (dot == 0) {
    for (const auto command : kCommands) {
      if (starts_with(command, word))
        found.insert(std::string(command));
    }
  } else if (dot != std::string_view::npos) {
    const auto owner = word.substr(0, dot);
    const auto before = std::string(owner) + ".";
    const auto start = word.substr(dot + 1);
    for (const auto& column : columns_) {
      const bool outside = !column.database.empty();
      const auto schema = outside ? written(column.database) + "." + written(column.schema) : column.schema;
      if (column.table == owner || schema + "." + column.table == owner)
        take(start, column.name, before);
      if (schema == owner)
        take(start, column.table, before);
      if (outside && written(column.database) == owner)
        take(start, column.schema, before);
    }
  } else {
    for (const auto keyword : kKeywords) {
      if (starts_with(keyword, word))
        found.insert(is_upper(word) ? upper(keyword) : std::string(keyword));
    }
    for (const auto& column : columns_) {
      const bool outside = !column.database.empty();  // its tables have no name without it
      take(word, outside ? column.database : column.schema, "");
      if (!outside)
        take(word, column.table, "");
      take(word, column.name, "");
    }
    for (const auto function : guard::allowed_functions()) {
      if (!word.empty() && std::isalpha(static_cast<unsigned char>(function[0])) != 0 &&
          starts_with(function, word)) {
        found.insert(std::string(function) + "(");
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
