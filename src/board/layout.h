// Gives every tile its place on the grid.
#pragma once

#include <vector>

#include "board/config.h"

namespace tarn::board {

// Tiles with a written place stay there; the others follow in the order of the file, row by row, each at the
// first place that is free and not above the one before it.
void lay_out(std::vector<TileConfig>& tiles);

bool overlap(const Box& a, const Box& b);

}  // namespace tarn::board
