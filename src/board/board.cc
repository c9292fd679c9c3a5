#include "board/board.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "board/channels.h"
#include "board/reads.h"
#include "engine/parse.h"
#include "report/compiled_query.h"
#include "report/query_checker.h"

namespace tarn::board {
namespace {

bool is_number(const std::string& type) {
  constexpr std::array<std::string_view, 13> kNumbers = {
      "TINYINT",  "SMALLINT", "INTEGER",  "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT",
      "UINTEGER", "UBIGINT",  "UHUGEINT", "FLOAT",  "DOUBLE",  "BIGNUM",
  };
  return type.starts_with("DECIMAL") || std::find(kNumbers.begin(), kNumbers.end(), type) != kNumbers.end();
}

void check_tile(const TileConfig& tile, const std::vector<engine::Column>& columns, Diagnostics& found) {
  for (const auto& rule : channels_of(tile.type)) {
    const auto channel = tile.channels.find(std::string(rule.name));
    if (channel == tile.channels.end())
      continue;
    const auto& place = channel->second.place;
    for (const auto& name : channel->second.columns) {
      const auto* column = report::check_column(columns, name, fmt::format("tile {}", tile.id), place, found);
      if (column != nullptr && rule.number && !is_number(column->type)) {
        found.push_back(
            {place, fmt::format("{} needs numbers, and column '{}' is of type {}: cast it in the query",
                                rule.name, name, column->type)});
      }
    }
  }
}

}  // namespace

Result<std::shared_ptr<const Boards>> Boards::read(Env& env, const project::Project& project,
                                                   std::shared_ptr<const model::ModelProject> models,
                                                   Diagnostics& diagnostics) {
  auto boards = std::shared_ptr<Boards>(new Boards(project.root, std::move(models)));
  TARN_TRY(boards->folder_,
           project::YamlFolder<BoardConfig>::read(
               *env.files, project.root, {.folder = "boards", .one = "board"}, read_config, diagnostics));
  return std::shared_ptr<const Boards>(std::move(boards));
}

Status Boards::check(session::Draft& draft, Diagnostics& diagnostics) const {
  for (const auto& config : configs()) {
    if (config->broken || models_ == nullptr)
      continue;
    const report::QueryContext context{models_.get(), config->file, config->filters, "filters"};
    for (const auto& filter : config->filters) {
      if (!filter.choices_query.text.empty())
        (void)report::check_query(context, filter.choices_query, draft, diagnostics);
    }
    for (const auto& tile : config->tiles) {
      if (tile.query.text.empty())
        continue;
      if (const auto columns = report::check_query(context, tile.query, draft, diagnostics))
        check_tile(tile, *columns, diagnostics);
    }
  }
  return ok();
}

TileQuery Boards::query_of(const BoardConfig& config, const report::Query& query) const {
  TileQuery out;
  Diagnostic mistake;
  const auto compiled = report::compile_query(models_.get(), config.file, query, mistake);
  if (!compiled) {
    out.mistake = compiled.error().message;
    return out;
  }
  const auto facts = engine::parse(compiled->rendered.text);
  if (!facts) {
    out.mistake = facts.error().message;
    return out;
  }
  out.sql = compiled->rendered.text;
  out.facts = facts->front();
  out.changes_by_itself = names_restless(out.sql);
  return out;
}

}  // namespace tarn::board
