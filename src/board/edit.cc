#include "board/edit.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "board/channels.h"

namespace tarn::board {
namespace {

// A file's lines, without their ends.
std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const auto end = text.find('\n');
    auto line = text.substr(0, end);
    if (line.ends_with('\r'))
      line.remove_suffix(1);
    lines.emplace_back(line);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return lines;
}

std::string text_of(const std::vector<std::string>& lines) {
  return fmt::format("{}\n", fmt::join(lines, "\n"));
}

size_t indent_of(const std::string& line) {
  return std::min(line.find_first_not_of(' '), line.size());
}

bool is_blank(const std::string& line) {
  return line.find_first_not_of(" \t") == std::string::npos;
}

// Lines [begin, end) of one tile; its dash stands in column `dash`, its keys in column `keys` (both from 0).
struct Span {
  size_t begin = 0, end = 0;
  size_t dash = 0, keys = 0;
};

Error not_editable(const BoardConfig& config, const Place& place) {
  return {Code::kInvalid,
          fmt::format("{}: this tile is written in a way that only an editor can change; put '- ' "
                      "and its first key on one line of their own",
                      to_string(Place{config.file.path, place.line, place.column}))};
}

Result<Span> span_of(const BoardConfig& config, const std::vector<std::string>& lines,
                     const TileConfig& tile) {
  const auto row = static_cast<size_t>(std::max(tile.place.line, 1)) - 1;
  const auto keys = static_cast<size_t>(std::max(tile.place.column, 1)) - 1;
  if (row >= lines.size() || keys > lines[row].size())
    return not_editable(config, tile.place);
  const auto dash = lines[row].find_first_not_of(' ');
  const bool dashed = dash < keys && lines[row][dash] == '-' &&
                      lines[row].find_first_not_of(' ', dash + 1) == keys && lines[row][keys] != '{';
  if (!dashed)
    return not_editable(config, tile.place);
  Span span{.begin = row, .end = row + 1, .dash = dash, .keys = keys};
  for (size_t at = row + 1; at < lines.size() && (is_blank(lines[at]) || indent_of(lines[at]) > dash); ++at) {
    if (!is_blank(lines[at]))
      span.end = at + 1;
  }
  return span;
}

const TileConfig* find_tile(const BoardConfig& config, const std::string& id) {
  const auto found =
      std::find_if(config.tiles.begin(), config.tiles.end(), [&](const auto& tile) { return tile.id == id; });
  return found == config.tiles.end() ? nullptr : &*found;
}

Result<const TileConfig*> tile_to_change(const BoardConfig& config, const std::string& id) {
  if (config.broken)
    return Error{Code::kInvalid, fmt::format("{} has mistakes: mend them first", config.file.path)};
  const auto* tile = find_tile(config, id);
  if (tile == nullptr)
    return Error{Code::kNotFound, fmt::format("board {} has no tile '{}' any more", config.name, id)};
  return tile;
}

bool is_plain(const std::string& text) {
  constexpr std::array<std::string_view, 10> kWords = {"true", "false", "yes", "no", "on",
                                                       "off",  "null",  "y",   "n",  "~"};
  std::string small = text;
  std::transform(small.begin(), small.end(), small.begin(), ::tolower);
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  const auto good = [&](char c) {
    return letter(c) || (c >= '0' && c <= '9') || c == ' ' || c == '_' || c == '-';
  };
  return !text.empty() && letter(text.front()) && text.back() != ' ' &&
         std::all_of(text.begin(), text.end(), good) &&
         std::find(kWords.begin(), kWords.end(), small) == kWords.end();
}

// JSON's strings are YAML's strings in double quotes.
std::string scalar(const std::string& text) {
  return is_plain(text) ? text
                        : nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string list(const std::vector<std::string>& texts) {
  if (texts.size() == 1)
    return scalar(texts.front());
  std::vector<std::string> written;
  for (const auto& text : texts)
    written.push_back(scalar(text));
  return fmt::format("[{}]", fmt::join(written, ", "));
}

// A block keeps its lines as they are; what a block cannot hold exactly is quoted.
void add_long(std::vector<std::string>& lines, const std::string& indent, std::string_view key,
              std::string text) {
  while (!text.empty() &&
         (text.back() == '\n' || text.back() == ' ' || text.back() == '\r' || text.back() == '\t'))
    text.pop_back();
  const bool fits = !text.empty() && text.front() != ' ' && text.front() != '\n' &&
                    std::all_of(text.begin(), text.end(), [](char c) {
                      return c == '\n' || (static_cast<unsigned char>(c) >= ' ' && c != 0x7F);
                    });
  if (!fits) {
    lines.push_back(fmt::format("{}{}: {}", indent, key, scalar(text)));
    return;
  }
  lines.push_back(fmt::format("{}{}: |", indent, key));
  for (const auto& line : lines_of(text))
    lines.push_back(line.empty() ? "" : fmt::format("{}  {}", indent, line));
}

std::string box_line(const Box& box) {
  return fmt::format("at: [{}, {}, {}, {}]", box.x, box.y, box.width, box.height);
}

std::vector<std::string> lines_of(const TileDraft& tile, size_t dash) {
  const std::string indent(dash + 2, ' ');
  std::vector<std::string> lines;
  const auto add = [&](std::string_view key, const std::string& value) {
    if (!value.empty())
      lines.push_back(fmt::format("{}{}: {}", indent, key, scalar(value)));
  };
  lines.push_back(fmt::format("{}type: {}", indent, name_of(tile.type)));
  add("title", tile.title);
  add("id", tile.id);
  add("description", tile.description);
  if (tile.type == TileType::kText)
    add_long(lines, indent, "text", tile.text);
  else
    add_long(lines, indent, "query", tile.query);
  for (const auto& rule : channels_of(tile.type)) {
    const auto channel = tile.channels.find(std::string(rule.name));
    if (channel != tile.channels.end() && !channel->second.empty())
      lines.push_back(fmt::format("{}{}: {}", indent, rule.name, list(channel->second)));
  }
  add("unit", tile.unit);
  add("format", tile.format);
  if (tile.at)
    lines.push_back(indent + box_line(*tile.at));
  lines.front()[dash] = '-';
  return lines;
}

// The text must say what was meant, whatever was in the form.
Result<std::string> checked(const BoardConfig& before, const std::vector<std::string>& lines, size_t tiles) {
  auto text = text_of(lines);
  Diagnostics mistakes;
  const auto config = read_config(text, before.file.path, mistakes);
  if (!mistakes.empty())
    return Error{Code::kInvalid, mistakes.front().message};
  if (config->tiles.size() != tiles)
    return Error{Code::kInvalid,
                 fmt::format("{} cannot be changed by machine: edit it by hand", before.file.path)};
  return text;
}

// Where a tile that has no place yet goes: below all others.
Box below_all(const BoardConfig& config, TileType type) {
  Box box = usual_size(type);
  for (const auto& tile : config.tiles)
    box.y = std::max(box.y, tile.box.y + tile.box.height);
  return box;
}

}  // namespace

std::string new_board(const std::string& title) {
  return fmt::format("title: {}\n\ntiles: []\n", scalar(title));
}

Result<std::string> add_tile(const BoardConfig& config, const TileDraft& tile) {
  if (config.broken)
    return Error{Code::kInvalid, fmt::format("{} has mistakes: mend them first", config.file.path)};
  auto lines = lines_of(config.file.text);
  auto draft = tile;
  // Where places are written all of them are; else it flows with the others.
  const bool placed =
      std::any_of(config.tiles.begin(), config.tiles.end(), [](const auto& one) { return one.placed; });
  if (!draft.at && placed)
    draft.at = below_all(config, draft.type);
  size_t at = 0, dash = 2;
  if (config.tiles.empty()) {
    const auto empty = std::find_if(lines.begin(), lines.end(),
                                    [](const std::string& line) { return line.starts_with("tiles:"); });
    if (empty == lines.end())
      return Error{Code::kInvalid, fmt::format("{} has no line 'tiles:' to write below", config.file.path)};
    *empty = "tiles:";
    at = static_cast<size_t>(empty - lines.begin()) + 1;
  } else {
    const auto last =
        std::max_element(config.tiles.begin(), config.tiles.end(),
                         [](const auto& a, const auto& b) { return a.place.line < b.place.line; });
    TARN_TRY(const auto span, span_of(config, lines, *last));
    at = span.end;
    dash = span.dash;
  }
  auto written = lines_of(draft, dash);
  if (!config.tiles.empty())
    written.insert(written.begin(), "");
  lines.insert(lines.begin() + static_cast<std::ptrdiff_t>(at), written.begin(), written.end());
  return checked(config, lines, config.tiles.size() + 1);
}

Result<std::string> replace_tile(const BoardConfig& config, const std::string& id, const TileDraft& tile) {
  TARN_TRY(const auto* before, tile_to_change(config, id));
  auto lines = lines_of(config.file.text);
  TARN_TRY(const auto span, span_of(config, lines, *before));
  auto draft = tile;
  if (!draft.at && before->placed)
    draft.at = before->box;
  const auto written = lines_of(draft, span.dash);
  const auto begin = lines.begin() + static_cast<std::ptrdiff_t>(span.begin);
  lines.erase(begin, lines.begin() + static_cast<std::ptrdiff_t>(span.end));
  lines.insert(lines.begin() + static_cast<std::ptrdiff_t>(span.begin), written.begin(), written.end());
  return checked(config, lines, config.tiles.size());
}

Result<std::string> remove_tile(const BoardConfig& config, const std::string& id) {
  TARN_TRY(const auto* tile, tile_to_change(config, id));
  auto lines = lines_of(config.file.text);
  TARN_TRY(auto span, span_of(config, lines, *tile));
  while (span.end < lines.size() && is_blank(lines[span.end]))
    ++span.end;
  lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(span.begin),
              lines.begin() + static_cast<std::ptrdiff_t>(span.end));
  if (config.tiles.size() == 1) {
    const auto head = std::find_if(lines.begin(), lines.end(),
                                   [](const std::string& line) { return line.starts_with("tiles:"); });
    if (head == lines.end())
      return not_editable(config, tile->place);
    *head = "tiles: []";
  }
  return checked(config, lines, config.tiles.size() - 1);
}

Result<std::string> set_layout(const BoardConfig& config, const std::map<std::string, Box>& boxes) {
  auto lines = lines_of(config.file.text);
  // From the last to the first, so that lines that come in move nothing that is still to be looked at.
  std::vector<const TileConfig*> tiles;
  for (const auto& [id, box] : boxes) {
    TARN_TRY(const auto* tile, tile_to_change(config, id));
    tiles.push_back(tile);
  }
  std::sort(tiles.begin(), tiles.end(),
            [](const auto* a, const auto* b) { return a->place.line > b->place.line; });
  for (const auto* tile : tiles) {
    TARN_TRY(auto span, span_of(config, lines, *tile));
    const auto is_key = [&](size_t row, std::string_view key) {
      const auto rest = std::string_view(lines[row]).substr(std::min(span.keys, lines[row].size()));
      return (row == span.begin || indent_of(lines[row]) == span.keys) && rest.starts_with(key);
    };
    for (size_t row = span.end; --row > span.begin;) {
      if (!is_key(row, "size:"))
        continue;
      lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(row));
      --span.end;
    }
    size_t at = span.begin;
    while (at < span.end && !is_key(at, "at:"))
      ++at;
    if (at < span.end)
      lines[at] = lines[at].substr(0, span.keys) + box_line(boxes.at(tile->id));
    else
      lines.insert(lines.begin() + static_cast<std::ptrdiff_t>(span.begin) + 1,
                   std::string(span.keys, ' ') + box_line(boxes.at(tile->id)));
  }
  return checked(config, lines, config.tiles.size());
}

}  // namespace tarn::board
