// Which columns each type of tile shows, and as what.
#pragma once

#include <span>
#include <string_view>

#include "board/config.h"

namespace tarn::board {

struct ChannelRule {
  std::string_view name;
  bool required = false;
  bool several = false;  // a list of columns is allowed
  bool number = false;   // its columns must be numbers
};

std::span<const ChannelRule> channels_of(TileType type);

// Size in cells where the file does not say any.
Box usual_size(TileType type);

}  // namespace tarn::board
