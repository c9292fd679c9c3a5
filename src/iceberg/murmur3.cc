#include "iceberg/murmur3.h"

#include <bit>
#include <cstring>

namespace tarn::iceberg {
namespace {

uint32_t scramble(uint32_t block) {
  return std::rotl(block * 0xCC9E2D51U, 15) * 0x1B873593U;
}

}  // namespace

uint32_t murmur3_32(std::string_view bytes) {
  uint32_t hash = 0;
  size_t at = 0;
  for (; at + 4 <= bytes.size(); at += 4) {
    uint32_t block = 0;
    std::memcpy(&block, bytes.data() + at, 4);
    hash = std::rotl(hash ^ scramble(block), 13) * 5 + 0xE6546B64U;
  }
  uint32_t tail = 0;
  for (size_t i = bytes.size(); i > at; --i) {
    tail = (tail << 8) | static_cast<unsigned char>(bytes[i - 1]);
  }
  hash ^= scramble(tail);
  hash ^= static_cast<uint32_t>(bytes.size());
  hash = (hash ^ (hash >> 16)) * 0x85EBCA6BU;
  hash = (hash ^ (hash >> 13)) * 0xC2B2AE35U;
  return hash ^ (hash >> 16);
}

}  // namespace tarn::iceberg
