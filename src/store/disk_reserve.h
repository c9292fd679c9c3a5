// The part of the disk that is kept free for records: below it nothing new is written, while reading goes on.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>

#include "base/env/env.h"
#include "base/result.h"

namespace tarn::store {

// Thread-safe. The disk is asked once a second at most.
class DiskReserve {
 public:
  // `bytes`: nothing: 2 % of the disk, at least 500 MB; 0: none is kept.
  DiskReserve(Env& env, std::string folder, std::optional<uint64_t> bytes)
      : env_(env), folder_(std::move(folder)), bytes_(bytes) {}

  // kDiskFull, with what is free and what to do.
  Status check();

 private:
  Env& env_;
  const std::string folder_;
  const std::optional<uint64_t> bytes_;
  std::mutex mutex_;  // guards the two below
  std::optional<Duration> asked_at_;
  Status answer_;
};

// Of a disk of that size.
uint64_t default_reserve(uint64_t disk_bytes);

}  // namespace tarn::store
