#include "board/config.h"

#include <algorithm>
#include <array>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "board/channels.h"
#include "board/layout.h"
#include "codec/sha256.h"

namespace tarn::board {
namespace {

using codec::YamlNode;
using codec::YamlReader;

constexpr int kRowsMax = 1000;
constexpr int kHeightMax = 100;
constexpr size_t kTilesMax = 100;
constexpr std::array<std::pair<std::string_view, TileType>, 11> kTypes = {{
    {"line", TileType::kLine},
    {"area", TileType::kArea},
    {"bar", TileType::kBar},
    {"stacked", TileType::kStacked},
    {"scatter", TileType::kScatter},
    {"heatmap", TileType::kHeatMap},
    {"candlestick", TileType::kCandlestick},
    {"table", TileType::kTable},
    {"pivot", TileType::kPivot},
    {"number", TileType::kNumber},
    {"text", TileType::kText},
}};

class ConfigReader {
 public:
  ConfigReader(BoardConfig& config, Diagnostics& diagnostics) : config_(config), diagnostics_(diagnostics) {}

  void read(const YamlNode& node) {
    YamlReader reader(node, "the board", diagnostics_);
    config_.title = reader.text("title", config_.name);
    config_.description = reader.text("description");
    if (const auto* filters = reader.child("filters"))
      config_.filters = report::read_parameters(*filters, diagnostics_);
    if (const auto* tiles = reader.child("tiles"))
      read_tiles(*tiles, reader);
    else
      reader.mistake(node, "a board needs tiles: a list, each with a type and a query");
    reader.finish();
    lay_out(config_.tiles);
  }

 private:
  void read_tiles(const YamlNode& node, YamlReader& reader) {
    if (node.kind != YamlNode::Kind::kSequence)
      return reader.mistake(node, "tiles is a list: each entry starts with '- '");
    if (node.items.size() > kTilesMax)
      return reader.mistake(node, fmt::format("a board has at most {} tiles", kTilesMax));
    for (const auto& item : node.items)
      read_tile(item);
  }

  void read_tile(const YamlNode& node) {
    TileConfig tile;
    tile.place = node.place;
    YamlReader reader(node, "a tile", diagnostics_);
    const bool has_type = read_type(reader, tile);
    tile.title = reader.text("title");
    tile.description = reader.text("description");
    tile.unit = reader.text("unit");
    tile.format = reader.text("format");
    tile.text = reader.text("text");
    const bool is_text = tile.type == TileType::kText;
    if (is_text && tile.text.empty())
      reader.mistake(node, "a text tile needs text");
    if (!is_text && !tile.text.empty())
      reader.mistake(*node.find("text"), "only a tile of type text has text");
    if (is_text && node.find("query") != nullptr)
      reader.mistake(*node.find("query"), "a text tile has no query");
    tile.query = report::read_query(reader, "query", node, !is_text);
    if (has_type) {
      for (const auto& rule : channels_of(tile.type))
        read_channel(reader, node, rule, tile);
    }
    read_id(reader, node, tile);
    read_box(reader, node, tile);
    if (has_type)
      reader.finish();
    config_.tiles.push_back(std::move(tile));
  }

  static bool read_type(YamlReader& reader, TileConfig& tile) {
    std::vector<std::string> names;
    for (const auto& [name, type] : kTypes)
      names.emplace_back(name);
    const auto text = reader.choice("type", names, "table");
    const auto type = tile_type_of(text);
    tile.type = type.value_or(TileType::kTable);
    return type.has_value();
  }

  static void read_channel(YamlReader& reader, const YamlNode& node, const ChannelRule& rule,
                           TileConfig& tile) {
    const auto key = std::string(rule.name);
    const auto columns = reader.texts(key);
    const auto* at = node.find(key);
    if (!columns || columns->empty()) {
      if (rule.required && at == nullptr)
        reader.mistake(node, fmt::format("a tile of type {} needs {}: the column to show as such",
                                         name_of(tile.type), key));
      return;
    }
    if (columns->size() > 1 && !rule.several)
      return reader.mistake(*at, fmt::format("{} is one column of the query", key));
    tile.channels[key] = {.columns = *columns, .place = at->place};
  }

  // An id that is not written follows the title, so that links to a tile live as long as its title.
  void read_id(YamlReader& reader, const YamlNode& node, TileConfig& tile) {
    tile.id = reader.text("id");
    if (!tile.id.empty()) {
      if (id_of(tile.id) != tile.id)
        reader.mistake(*node.find("id"), "an id is of small letters, digits and '-'");
      if (!ids_.insert(tile.id).second)
        reader.mistake(*node.find("id"), fmt::format("two tiles have the id '{}'", tile.id));
      return;
    }
    const auto base = tile.title.empty() ? std::string(name_of(tile.type)) : id_of(tile.title);
    tile.id = base;
    for (int i = 2; !ids_.insert(tile.id).second; ++i)
      tile.id = fmt::format("{}-{}", base, i);
  }

  // "at: [x, y, width, height]", or "size: [width, height]".
  static void read_box(YamlReader& reader, const YamlNode& node, TileConfig& tile) {
    tile.box = usual_size(tile.type);
    const auto numbers = [&](const char* key, size_t count) -> std::optional<std::vector<int>> {
      const auto* list = reader.child(key);
      if (list == nullptr)
        return std::nullopt;
      std::vector<int> found;
      for (const auto& item : list->items) {
        const bool good = !item.text.empty() && item.text.size() < 6 &&
                          item.text.find_first_not_of("0123456789") == std::string::npos;
        found.push_back(good ? std::stoi(item.text) : -1);
      }
      if (found.size() == count && std::find(found.begin(), found.end(), -1) == found.end())
        return found;
      reader.mistake(*list, count == 4 ? "at is [column, row, width, height] in cells of a grid of 12 columns"
                                       : "size is [width, height] in cells of a grid of 12 columns");
      return std::nullopt;
    };
    if (const auto size = numbers("size", 2)) {
      tile.box.width = (*size)[0];
      tile.box.height = (*size)[1];
    }
    if (const auto at = numbers("at", 4)) {
      tile.box = {.x = (*at)[0], .y = (*at)[1], .width = (*at)[2], .height = (*at)[3]};
      tile.placed = true;
    }
    const auto& box = tile.box;
    if (box.width < 1 || box.height < 1 || box.height > kHeightMax || box.x + box.width > kGridColumns ||
        box.y > kRowsMax) {
      const auto* where = node.find(tile.placed ? "at" : "size");
      if (where != nullptr)
        reader.mistake(*where, fmt::format("a tile is 1 to 12 columns wide, 1 to {} rows high and within the "
                                           "12 columns of the grid",
                                           kHeightMax));
      tile.box = usual_size(tile.type);
      tile.placed = false;
    }
  }

  BoardConfig& config_;
  Diagnostics& diagnostics_;
  std::set<std::string> ids_;
};

}  // namespace

std::string_view name_of(TileType type) {
  const auto* found =
      std::find_if(kTypes.begin(), kTypes.end(), [&](const auto& one) { return one.second == type; });
  return found->first;
}

std::optional<TileType> tile_type_of(std::string_view name) {
  const auto* found =
      std::find_if(kTypes.begin(), kTypes.end(), [&](const auto& one) { return one.first == name; });
  return found == kTypes.end() ? std::nullopt : std::optional(found->second);
}

std::string id_of(std::string_view title) {
  std::string id;
  for (const char c : title) {
    const bool small = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    const bool large = c >= 'A' && c <= 'Z';
    if (small || large)
      id += large ? static_cast<char>(c - 'A' + 'a') : c;
    else if (!id.empty() && id.back() != '-')
      id += '-';
  }
  while (!id.empty() && id.back() == '-')
    id.pop_back();
  return id.empty() ? "tile" : id;
}

std::shared_ptr<const BoardConfig> read_config(std::string_view text, const std::string& path,
                                               Diagnostics& diagnostics) {
  constexpr size_t kStampLength = 16;
  auto config = project::read_named<BoardConfig>(
      {path, std::string(text)}, diagnostics,
      [](const auto& node, auto& board, auto& found) { ConfigReader(board, found).read(node); });
  config->stamp = codec::sha256_hex(text).substr(0, kStampLength);
  return config;
}

}  // namespace tarn::board
