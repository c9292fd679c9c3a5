// Changes to the text of a board's file that leave everything else in it as its author wrote it: order,
// comments, other tiles. Pure: a text goes in, a text comes out.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "board/config.h"

namespace tarn::board {

// A tile as a form fills it in.
struct TileDraft {
  std::string id;  // empty: as the title says
  TileType type = TileType::kTable;
  std::string title, description;
  std::string query, text, unit, format;
  std::map<std::string, std::vector<std::string>> channels;
  std::optional<Box> at;
};

std::string new_board(const std::string& title);

// All of them fail with kInvalid, in one sentence, when the file has mistakes, is written in a way that
// cannot be changed by machine, or would have mistakes then; an unknown id is kNotFound.
Result<std::string> add_tile(const BoardConfig& config, const TileDraft& tile);
// Comments inside the tile are lost.
Result<std::string> replace_tile(const BoardConfig& config, const std::string& id, const TileDraft& tile);
Result<std::string> remove_tile(const BoardConfig& config, const std::string& id);
// Writes `at:` of the tiles that are named; tiles that are not keep their place.
Result<std::string> set_layout(const BoardConfig& config, const std::map<std::string, Box>& boxes);

}  // namespace tarn::board
