#include "report/query_checker.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "codec/text_distance.h"
#include "engine/parse.h"
#include "report/compiled_query.h"
#include "report/parameters.h"

namespace tarn::report {
namespace {

constexpr std::string_view kFront = "SELECT * FROM (\n";

std::string did_you_mean(std::string_view wrong, const std::vector<std::string>& known,
                         const std::string& otherwise) {
  const auto near = codec::nearest(wrong, known);
  return near.empty() ? otherwise : fmt::format("did you mean '{}'?", near);
}

// True: a $name stands there that nothing declares, and is told.
bool has_unknown_parameter(const QueryContext& context, const Query& query,
                           const engine::StatementFacts& facts, Diagnostics& found) {
  std::vector<std::string> names;
  for (const auto& parameter : context.parameters)
    names.push_back(parameter.name);
  for (const auto& name : facts.parameter_names) {
    const bool known = std::any_of(names.begin(), names.end(),
                                   [&](const auto& one) { return engine::fold(one) == engine::fold(name); });
    if (known)
      continue;
    const auto at = query.text.find("$" + name);
    const auto place = at == std::string::npos ? query.place : place_in_text(context.file, query, at);
    const auto declare = fmt::format("declare it under {}", context.parameters_key);
    found.push_back(
        {place, fmt::format("${} is not declared: {}", name, did_you_mean(name, names, declare))});
    return true;
  }
  return false;
}

}  // namespace

std::optional<std::vector<engine::Column>> check_query(const QueryContext& context, const Query& query,
                                                       session::Draft& draft, Diagnostics& found) {
  Diagnostic mistake;
  const auto compiled = compile_query(context.models, context.file, query, mistake);
  if (!compiled) {
    found.push_back(std::move(mistake));
    return std::nullopt;
  }
  const auto facts = engine::parse(compiled->rendered.text);
  if (!facts || has_unknown_parameter(context, query, facts->front(), found) ||
      draft.is_blind(facts->front()))
    return std::nullopt;
  const auto sql = fmt::format("{}{}\n) LIMIT 0", kFront, compiled->rendered.text);
  const auto columns = draft.describe(sql, blank_values(context.parameters));
  if (columns)
    return *columns;
  found.push_back(mistake_in(context.file, query, *compiled, columns.error(), kFront));
  return std::nullopt;
}

const engine::Column* check_column(const std::vector<engine::Column>& columns, const std::string& name,
                                   const std::string& what, const Place& place, Diagnostics& found) {
  const auto same = std::find_if(columns.begin(), columns.end(), [&](const engine::Column& column) {
    return engine::fold(column.name) == engine::fold(name);
  });
  if (same != columns.end())
    return &*same;
  std::vector<std::string> names;
  for (const auto& column : columns)
    names.push_back(column.name);
  found.push_back(
      {place, fmt::format("{} has no column '{}': {}", what, name,
                          did_you_mean(name, names, fmt::format("it has {}", fmt::join(names, ", "))))});
  return nullptr;
}

}  // namespace tarn::report
