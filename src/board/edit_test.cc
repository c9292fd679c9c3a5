// Goal: a change by mouse changes one tile and leaves the rest of the file as it was written. Method: texts
// in, texts out; whatever stands in a form is read back as it was.
#include "board/edit.h"

#include <random>

#include <gmock/gmock.h>

namespace tarn::board {
namespace {

constexpr std::string_view kFile =
    "# My prices\n"
    "title: Prices\n"
    "tiles:\n"
    "  # the big one\n"
    "  - type: number   # of today\n"
    "    title: Last\n"
    "    query: |\n"
    "      select 1 as v\n"
    "\n"
    "      -- at: the end\n"
    "    value: v\n"
    "\n"
    "  # and the table\n"
    "  - type: table\n"
    "    size: [4, 4]\n"
    "    title: All\n"
    "    query: select 2 as a\n"
    "# the end\n";

std::shared_ptr<const BoardConfig> config_of(std::string_view text) {
  Diagnostics found;
  auto config = read_config(text, "boards/b.yml", found);
  EXPECT_TRUE(found.empty()) << to_string(found.front()) << "\n" << text;
  return config;
}

std::string replaced(std::string_view text, std::string_view from, std::string_view to) {
  std::string out(text);
  const auto at = out.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return out.replace(at, from.size(), to);
}

TEST(BoardEditTest, AddsBelowTheLast) {
  TileDraft tile{.type = TileType::kLine, .title = "Close", .query = "select day, a\nfrom t\n"};
  tile.channels = {{"x", {"day"}}, {"y", {"a", "b: c"}}};
  const auto text = add_tile(*config_of(kFile), tile);
  ASSERT_TRUE(text) << text.error().message;
  EXPECT_EQ(*text,
            replaced(kFile, "# the end",
                     "\n  - type: line\n    title: Close\n    query: |\n      select day, a\n      from t\n"
                     "    x: day\n    y: [a, \"b: c\"]\n# the end"));
}

TEST(BoardEditTest, AddsTheFirst) {
  const auto text = add_tile(*config_of(new_board("A: b")), {.type = TileType::kText, .text = "hello"});
  ASSERT_TRUE(text) << text.error().message;
  EXPECT_EQ(*text, "title: \"A: b\"\n\ntiles:\n  - type: text\n    text: |\n      hello\n");
  const auto empty = remove_tile(*config_of(*text), "text");
  ASSERT_TRUE(empty) << empty.error().message;
  EXPECT_EQ(*empty, "title: \"A: b\"\n\ntiles: []\n");
}

TEST(BoardEditTest, ReplacesAndRemovesOne) {
  const auto config = config_of(kFile);
  const auto text =
      replace_tile(*config, "last", {.type = TileType::kTable, .title = "Last", .query = "select 3"});
  ASSERT_TRUE(text) << text.error().message;
  EXPECT_EQ(*text,
            replaced(kFile,
                     "  - type: number   # of today\n    title: Last\n    query: |\n      select 1 as v\n\n"
                     "      -- at: the end\n    value: v\n",
                     "  - type: table\n    title: Last\n    query: |\n      select 3\n"));
  const auto less = remove_tile(*config, "all");
  ASSERT_TRUE(less) << less.error().message;
  EXPECT_EQ(
      *less,
      replaced(kFile, "  - type: table\n    size: [4, 4]\n    title: All\n    query: select 2 as a\n", ""));
  EXPECT_EQ(remove_tile(*config, "alll").error().code, Code::kNotFound);
}

TEST(BoardEditTest, WritesPlacesOnly) {
  const auto text = set_layout(*config_of(kFile), {{"last", {0, 0, 3, 2}}, {"all", {3, 0, 9, 4}}});
  ASSERT_TRUE(text) << text.error().message;
  auto wanted = replaced(kFile, "    title: Last\n", "    at: [0, 0, 3, 2]\n    title: Last\n");
  wanted = replaced(wanted, "    size: [4, 4]\n", "    at: [3, 0, 9, 4]\n");
  EXPECT_EQ(*text, wanted);
  const auto again = set_layout(*config_of(*text), {{"all", {0, 2, 12, 4}}});
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(*again, replaced(wanted, "[3, 0, 9, 4]", "[0, 2, 12, 4]"));
  EXPECT_FALSE(set_layout(*config_of(kFile), {{"last", {10, 0, 3, 2}}}));
}

TEST(BoardEditTest, RefusesWhatItCannotReadAsLines) {
  const auto config = config_of("tiles: [{type: table, query: select 1, title: a}]\n");
  for (const auto& done : {add_tile(*config, {.query = "select 1"}), remove_tile(*config, "a"),
                           replace_tile(*config, "a", {.query = "select 1"})}) {
    ASSERT_FALSE(done);
    EXPECT_THAT(done.error().message, testing::HasSubstr("boards/b.yml:1:9: this tile is written in a way"));
  }
}

// Any text of a form comes back as it was.
TEST(BoardEditTest, AnyTextSurvives) {
  const std::vector<std::string> pieces = {"a", " ", "\n", "\"", "'",  ":", "#",   "- ", "|",
                                           "{", "}", "é",  "\t", "\\", "%", "yes", "0",  "\r"};
  const auto seed = std::random_device()();
  std::mt19937 dice(seed);
  for (int round = 0; round < 2000; ++round) {
    const auto any = [&](bool lines) {
      std::string text = "x";
      for (unsigned i = dice() % 8; i > 0; --i) {
        const auto& piece = pieces[dice() % pieces.size()];
        text += !lines && piece == "\n" ? " " : piece;
      }
      return text + "x";
    };
    TileDraft tile{.title = any(false), .description = any(false), .query = any(true), .unit = any(false)};
    tile.channels = {{"columns", {any(false), any(false)}}};
    const auto text =
        dice() % 2 == 0 ? add_tile(*config_of(kFile), tile) : replace_tile(*config_of(kFile), "all", tile);
    ASSERT_TRUE(text) << text.error().message << " seed " << seed;
    const auto config = config_of(*text);
    const auto& last = config->tiles.back();
    ASSERT_EQ(last.title, tile.title) << "seed " << seed << "\n" << *text;
    ASSERT_EQ(last.description, tile.description) << "seed " << seed;
    ASSERT_EQ(last.unit, tile.unit) << "seed " << seed;
    ASSERT_EQ(last.channels.at("columns").columns, tile.channels.at("columns")) << "seed " << seed;
    auto query = last.query.text;
    if (query.ends_with('\n'))
      query.pop_back();
    ASSERT_EQ(query, tile.query) << "seed " << seed << "\n" << *text;
  }
}

}  // namespace
}  // namespace tarn::board
