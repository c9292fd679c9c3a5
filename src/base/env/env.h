// The outside world, handed in by constructor: clock, randomness, files. No code outside base/env calls
// now(), rand() or open() itself, so tests can set the time, seed the ids and fail the disk.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "base/env/file_system.h"

namespace tarn {

// Microseconds since 1970-01-01T00:00:00Z.
using Timestamp = std::chrono::time_point<std::chrono::system_clock, std::chrono::microseconds>;
using Duration = std::chrono::microseconds;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Timestamp now() = 0;
  // Time since an arbitrary start, never running back.
  virtual Duration steady() = 0;
  virtual void sleep_for(Duration duration) = 0;
};

class Random {
 public:
  virtual ~Random() = default;
  virtual uint64_t next() = 0;
};

struct Env {
  FileSystem* files;
  Clock* clock;
  Random* random;
};

// The real machine. Lives for the whole process. Thread-safe.
Env& real_env();

}  // namespace tarn
