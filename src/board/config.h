// One boards/*.yml as read: filters and tiles. Immutable after reading. Every mistake is a Diagnostic with
// its place; docs/boards.md is the reference.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostic.h"
#include "base/env/file_system.h"
#include "base/result.h"
#include "project/yaml_folder.h"
#include "report/parameter_config.h"
#include "report/query.h"

namespace tarn::board {

enum class TileType {
  kLine,
  kArea,
  kBar,
  kStacked,
  kScatter,
  kHeatMap,
  kCandlestick,
  kTable,
  kPivot,
  kNumber,
  kText,
};
std::string_view name_of(TileType type);
std::optional<TileType> tile_type_of(std::string_view name);

// Where a tile stands: columns 0 to 11, rows from 0, in cells.
struct Box {
  int x = 0, y = 0, width = 0, height = 0;
  bool operator==(const Box&) const = default;
};
inline constexpr int kGridColumns = 12;

// What a tile shows of its query's columns: "x" -> {"day"}, "y" -> {"close", "volume"}.
struct Channel {
  std::vector<std::string> columns;
  Place place;
};

struct TileConfig {
  std::string id;  // of the file, or made of the title; unique in the board
  Place place;
  TileType type = TileType::kTable;
  std::string title;
  std::string description;
  report::Query query;  // empty for text
  std::map<std::string, Channel> channels;
  std::string unit;     // shown at axes and numbers
  std::string format;   // "number(2)", "percent(1)", "integer"; empty: by the values
  std::string text;     // of a text tile: paragraphs, **bold**, links, lists
  Box box;              // as written, or laid out
  bool placed = false;  // its place is written
};

struct BoardConfig {
  std::string name;  // of the file, without ".yml"
  project::YamlFile file;
  std::string stamp;    // another one when the text is another
  bool broken = false;  // has mistakes: it may lack anything but name and file, and is not shown
  std::string title;
  std::string description;
  std::vector<report::ParameterConfig> filters;
  std::vector<TileConfig> tiles;
};

// Reads one text to its end; all mistakes are in `diagnostics`.
std::shared_ptr<const BoardConfig> read_config(std::string_view text, const std::string& path,
                                               Diagnostics& diagnostics);

// "Close by day" -> "close-by-day".
std::string id_of(std::string_view title);

}  // namespace tarn::board
