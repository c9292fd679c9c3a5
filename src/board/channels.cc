#include "board/channels.h"

#include <array>

namespace tarn::board {
namespace {

constexpr std::array kSeries{ChannelRule{.name = "x", .required = true},
                             ChannelRule{.name = "y", .required = true, .several = true, .number = true},
                             ChannelRule{.name = "series"}};
constexpr std::array kScatter{
    ChannelRule{.name = "x", .required = true}, ChannelRule{.name = "y", .required = true, .number = true},
    ChannelRule{.name = "series"}, ChannelRule{.name = "label"}, ChannelRule{.name = "size", .number = true}};
constexpr std::array kHeatMap{ChannelRule{.name = "x", .required = true},
                              ChannelRule{.name = "y", .required = true},
                              ChannelRule{.name = "value", .required = true, .number = true}};
constexpr std::array kCandlestick{ChannelRule{.name = "x", .required = true},
                                  ChannelRule{.name = "open", .required = true, .number = true},
                                  ChannelRule{.name = "high", .required = true, .number = true},
                                  ChannelRule{.name = "low", .required = true, .number = true},
                                  ChannelRule{.name = "close", .required = true, .number = true}};
constexpr std::array kTable{ChannelRule{.name = "columns", .several = true}};
constexpr std::array kPivot{ChannelRule{.name = "rows", .required = true, .several = true},
                            ChannelRule{.name = "columns", .required = true},
                            ChannelRule{.name = "value", .required = true, .number = true}};
constexpr std::array kNumber{ChannelRule{.name = "value", .required = true, .number = true},
                             ChannelRule{.name = "compare", .number = true}, ChannelRule{.name = "label"}};

}  // namespace

std::span<const ChannelRule> channels_of(TileType type) {
  switch (type) {
    case TileType::kLine:
    case TileType::kArea:
    case TileType::kBar:
    case TileType::kStacked: return kSeries;
    case TileType::kScatter: return kScatter;
    case TileType::kHeatMap: return kHeatMap;
    case TileType::kCandlestick: return kCandlestick;
    case TileType::kTable: return kTable;
    case TileType::kPivot: return kPivot;
    case TileType::kNumber: return kNumber;
    case TileType::kText: return {};
  }
  return {};
}

Box usual_size(TileType type) {
  switch (type) {
    case TileType::kNumber: return {.width = 3, .height = 2};
    case TileType::kText: return {.width = 12, .height = 1};
    case TileType::kTable:
    case TileType::kPivot: return {.width = 6, .height = 5};
    default: return {.width = 6, .height = 4};
  }
}

}  // namespace tarn::board
