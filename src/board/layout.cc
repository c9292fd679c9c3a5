#include "board/layout.h"

#include <algorithm>

namespace tarn::board {

bool overlap(const Box& a, const Box& b) {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}

void lay_out(std::vector<TileConfig>& tiles) {
  std::vector<Box> taken;
  for (const auto& tile : tiles) {
    if (tile.placed)
      taken.push_back(tile.box);
  }
  int row = 0;  // no tile stands above the one before it
  for (auto& tile : tiles) {
    if (tile.placed)
      continue;
    for (Box at = tile.box;; ++row) {
      at.y = row;
      const auto is_free = [&] {
        return std::none_of(taken.begin(), taken.end(), [&](const Box& other) { return overlap(at, other); });
      };
      for (at.x = 0; at.x + at.width <= kGridColumns && !is_free();)
        ++at.x;
      if (at.x + at.width <= kGridColumns) {
        tile.box = at;
        taken.push_back(at);
        break;
      }
    }
  }
}

}  // namespace tarn::board
