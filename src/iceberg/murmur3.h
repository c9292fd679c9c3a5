// MurmurHash3 x86 32 bit with seed 0: the hash of bucket partitions.
#pragma once

#include <cstdint>
#include <string_view>

namespace tarn::iceberg {

uint32_t murmur3_32(std::string_view bytes);

}  // namespace tarn::iceberg
