// Goal: a board's file is read whole, every mistake has its place and says what to write, and tiles get
// places that do not overlap. Method: texts in, diagnostics and boxes out.
#include "board/config.h"

#include <gmock/gmock.h>

#include "board/layout.h"

namespace tarn::board {
namespace {

using testing::ElementsAre;

std::vector<std::string> mistakes_of(std::string_view text) {
  Diagnostics found;
  const auto config = read_config(text, "boards/b.yml", found);
  EXPECT_EQ(config->broken, !found.empty());
  std::vector<std::string> all;
  for (const auto& one : found)
    all.push_back(to_string(one));
  return all;
}

TEST(BoardConfigTest, ReadsWhatIsWritten) {
  Diagnostics found;
  const auto config = read_config(
      "title: Prices\n"
      "filters:\n  from: {type: date, default: today - 30 days}\n"
      "tiles:\n"
      "  - {type: number, title: Last close, query: select 1 as v, value: v, unit: EUR}\n"
      "  - type: line\n    query: select day, a, b from t\n    x: day\n    y: [a, b]\n    at: [0, 2, 12, "
      "4]\n",
      "boards/prices.yml", found);
  ASSERT_TRUE(found.empty()) << to_string(found.front());
  EXPECT_EQ(config->name, "prices");
  ASSERT_EQ(config->tiles.size(), 2u);
  EXPECT_EQ(config->tiles[0].id, "last-close");
  EXPECT_EQ(config->tiles[0].unit, "EUR");
  EXPECT_EQ(config->tiles[1].id, "line");
  EXPECT_THAT(config->tiles[1].channels.at("y").columns, ElementsAre("a", "b"));
  EXPECT_EQ(config->tiles[1].box, (Box{0, 2, 12, 4}));
  EXPECT_EQ(config->tiles[0].box, (Box{0, 0, 3, 2}));
  EXPECT_EQ(config->filters.at(0).name, "from");
}

TEST(BoardConfigTest, MistakesSayWhatToWrite) {
  EXPECT_THAT(mistakes_of("title: x\n"),
              ElementsAre("boards/b.yml:1:1: a board needs tiles: a list, each with a type and a query"));
  EXPECT_THAT(mistakes_of("tiles:\n  - type: lin\n    query: select 1\n"),
              ElementsAre(testing::HasSubstr("boards/b.yml:2:11: ")));
  EXPECT_THAT(mistakes_of("tiles:\n  - type: line\n    query: select 1 as a\n    x: a\n"),
              ElementsAre("boards/b.yml:2:5: a tile of type line needs y: the column to show as such"));
  EXPECT_THAT(mistakes_of("tiles:\n  - type: number\n    query: select 1 as a\n    value: [a, b]\n"),
              ElementsAre("boards/b.yml:4:12: value is one column of the query"));
  EXPECT_THAT(mistakes_of("tiles:\n  - type: table\n    query: select 1\n    x: a\n"),
              ElementsAre(testing::HasSubstr("unknown key 'x'")));
  EXPECT_THAT(mistakes_of("tiles:\n  - type: text\n    query: select 1\n    text: hello\n"),
              ElementsAre("boards/b.yml:3:12: a text tile has no query"));
  EXPECT_THAT(mistakes_of("tiles:\n  - type: table\n    query: select 1\n    at: [8, 0, 6, 2]\n"),
              ElementsAre(testing::HasSubstr("boards/b.yml:4:9: a tile is 1 to 12 columns wide")));
  EXPECT_THAT(
      mistakes_of(
          "tiles:\n  - {type: table, query: select 1, id: a}\n  - {type: table, query: select 1, id: a}\n"),
      ElementsAre("boards/b.yml:3:40: two tiles have the id 'a'"));
  EXPECT_THAT(mistakes_of("tiles:\n  - {type: table, query: select 1, id: A b}\n"),
              ElementsAre("boards/b.yml:2:40: an id is of small letters, digits and '-'"));
}

TEST(BoardConfigTest, TilesThatAreNotPlacedFlowAroundThoseThatAre) {
  std::vector<TileConfig> tiles(4);
  tiles[0].box = {.width = 6, .height = 2};
  tiles[1].box = {.x = 0, .y = 0, .width = 4, .height = 3};
  tiles[1].placed = true;
  tiles[2].box = {.width = 6, .height = 2};
  tiles[3].box = {.width = 12, .height = 1};
  lay_out(tiles);
  EXPECT_EQ(tiles[0].box, (Box{4, 0, 6, 2}));
  EXPECT_EQ(tiles[1].box, (Box{0, 0, 4, 3}));
  EXPECT_EQ(tiles[2].box, (Box{4, 2, 6, 2}));
  EXPECT_EQ(tiles[3].box, (Box{0, 4, 12, 1}));
  for (size_t a = 0; a < tiles.size(); ++a) {
    for (size_t b = a + 1; b < tiles.size(); ++b)
      EXPECT_FALSE(overlap(tiles[a].box, tiles[b].box)) << a << " " << b;
  }
}

TEST(BoardConfigTest, IdsOfTitles) {
  EXPECT_EQ(id_of("Close, by day!"), "close-by-day");
  EXPECT_EQ(id_of("Öl"), "l");
  EXPECT_EQ(id_of("天気"), "tile");
}

}  // namespace
}  // namespace tarn::board
