#include "engine/parse.h"

#include <charconv>

#include "duckdb/parser/parser.hpp"
#include "engine/duck/errors.h"
#include "engine/duck/facts_walker.h"

namespace tarn::engine {
namespace {

using Statements = duckdb::vector<duckdb::unique_ptr<duckdb::SQLStatement>>;

Statements parse_text(std::string_view sql) {
  duckdb::Parser parser;
  parser.ParseQuery(std::string(sql));
  return std::move(parser.statements);
}

// Where the statement stands in `text`, without blanks, comments and the semicolon around it.
std::pair<size_t, size_t> extent(std::string_view text) {
  size_t begin = 0;
  size_t end = text.size();
  bool first = true;
  for (const auto& token : duckdb::Parser::Tokenize(std::string(text))) {
    if (text[token.start] == ';') {
      if (first) {
        continue;
      }
      end = token.start;
      break;
    }
    begin = first ? token.start : begin;
    first = false;
  }
  while (end > begin && std::isspace(static_cast<unsigned char>(text[end - 1])) != 0) {
    --end;
  }
  return {begin, end};
}

StatementFacts facts_of(duckdb::SQLStatement& statement, std::string_view text, size_t begin) {
  StatementFacts facts;
  auto [first, last] = extent(text);
  facts.begin = begin + first;
  facts.end = begin + last;
  facts.text = text.substr(first, last - first);
  facts.parameters = static_cast<int>(statement.named_param_map.size());
  for (const auto& [name, number] : statement.named_param_map)
    facts.parameter_names.push_back(name);
  facts.kind = FactsWalker(facts, begin).statement(statement);
  return facts;
}

}  // namespace

Result<std::vector<StatementFacts>> parse(std::string_view sql) {
  try {
    std::vector<StatementFacts> all;
    auto statements = parse_text(sql);
    if (statements.size() == 1) {
      all.push_back(facts_of(*statements[0], sql, 0));
      return all;
    }
    size_t cursor = 0;
    for (auto& whole : statements) {
      // Each again on its own, so that the places in its tree count from its own begin.
      auto begin = sql.find(whole->query, cursor);
      begin = begin == std::string_view::npos ? cursor : begin;  // exotic blanks were replaced in the copy
      auto alone = parse_text(whole->query);
      if (alone.size() != 1) {
        return Error{Code::kInternal,
                     fmt::format("a statement parsed differently on its own: {}", whole->query)};
      }
      all.push_back(facts_of(*alone[0], whole->query, begin));
      cursor = std::min(sql.size(), begin + whole->query.size());
    }
    return all;
  } catch (const std::exception& exception) {
    return to_error(exception, sql);
  }
}

std::optional<size_t> take_place(std::string_view sql, std::string& message) {
  size_t line = 0;
  size_t column = 0;
  const char* end = message.data() + message.size();
  auto [after_line, line_problem] = std::from_chars(message.data(), end, line);
  if (line_problem != std::errc() || after_line == end || *after_line != ':') {
    return std::nullopt;
  }
  auto [after, problem] = std::from_chars(after_line + 1, end, column);
  if (problem != std::errc() || !std::string_view(after, end).starts_with(": ") || line == 0 || column == 0) {
    return std::nullopt;
  }
  message.erase(0, static_cast<size_t>(after + 2 - message.data()));
  size_t offset = 0;
  for (size_t i = 1; i < line && offset < sql.size(); ++i) {
    offset = std::min(sql.find('\n', offset), sql.size() - 1) + 1;
  }
  return std::min(offset + column - 1, sql.size());
}

std::string_view name_of(StatementKind kind) {
  switch (kind) {
    case StatementKind::kSelect: return "SELECT";
    case StatementKind::kInsert: return "INSERT";
    case StatementKind::kUpdate: return "UPDATE";
    case StatementKind::kDelete: return "DELETE";
    case StatementKind::kMerge: return "MERGE";
    case StatementKind::kCreateTable: return "CREATE TABLE";
    case StatementKind::kCreateView: return "CREATE VIEW";
    case StatementKind::kCreateSchema: return "CREATE SCHEMA";
    case StatementKind::kCreateMacro: return "CREATE MACRO";
    case StatementKind::kCreateOther: return "CREATE of an index, type, sequence or secret";
    case StatementKind::kDrop: return "DROP";
    case StatementKind::kAlter: return "ALTER";
    case StatementKind::kComment: return "COMMENT";
    case StatementKind::kCopyFrom: return "COPY FROM";
    case StatementKind::kCopyTo: return "COPY TO";
    case StatementKind::kTransaction: return "BEGIN, COMMIT or ROLLBACK";
    case StatementKind::kExplain: return "EXPLAIN";
    case StatementKind::kPrepare: return "PREPARE";
    case StatementKind::kExecute: return "EXECUTE";
    case StatementKind::kDeallocate: return "DEALLOCATE";
    case StatementKind::kShow: return "SHOW";
    case StatementKind::kUse: return "USE";
    case StatementKind::kSet: return "SET";
    case StatementKind::kPragma: return "PRAGMA";
    case StatementKind::kCall: return "CALL";
    case StatementKind::kAttach: return "ATTACH";
    case StatementKind::kDetach: return "DETACH";
    case StatementKind::kLoad: return "INSTALL or LOAD";
    case StatementKind::kExport: return "EXPORT";
    case StatementKind::kImport: return "IMPORT";
    case StatementKind::kVacuum: return "VACUUM or ANALYZE";
    case StatementKind::kOther: return "this kind of statement";
  }
  return "this kind of statement";
}

}  // namespace tarn::engine
