#include "base/ids.h"

#include <ctime>

#include <fmt/format.h>

#include "base/time.h"

namespace tarn {

std::string new_uuid(Random& random) {
  uint64_t high = (random.next() & ~0xF000ULL) | 0x4000ULL;
  uint64_t low = (random.next() & ~(3ULL << 62)) | (2ULL << 62);
  return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", high >> 32, (high >> 16) & 0xFFFF, high & 0xFFFF,
                     low >> 48, low & 0xFFFFFFFFFFFFULL);
}

std::string new_run_id(Clock& clock, Random& random) {
  std::string stamp = format_compact_utc(clock.now());
  return fmt::format("{}-{:06x}", stamp, random.next() & 0xFFFFFF);
}

std::string new_secret(Random& random) {
  std::string text;
  for (int i = 0; i < 4; ++i) {
    text += fmt::format("{:016x}", random.next());
  }
  return text;
}

}  // namespace tarn
