// Time zones of the machine (tzdata) by their names: what the clock on the wall shows at a moment, and when
// it shows a given time. Rules are known until the end of 2037; after that the last offset stays.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/env/env.h"
#include "base/result.h"

namespace tarn {

// What a clock on the wall shows: microseconds since 1970-01-01 00:00 there.
struct WallTag {};
using WallTime = std::chrono::time_point<WallTag, std::chrono::microseconds>;

// A value; copying is cheap. Thread-safe.
class TimeZone {
 public:
  TimeZone() = default;  // UTC
  // "Europe/Amsterdam"; kInvalid proposes a near name. "UTC" needs no tzdata.
  static Result<TimeZone> find(std::string_view name);

  // A span of time in which the clocks are not changed.
  struct Span {
    Timestamp begin, end;  // end is not part of it
    Duration offset{0};    // wall time less UTC
  };
  [[nodiscard]] Span span_at(Timestamp time) const;
  [[nodiscard]] WallTime wall_at(Timestamp time) const;
  // The first moment at which the clock shows this time or a later one: of a time that comes twice the first,
  // of one that is left out the moment of the change.
  [[nodiscard]] Timestamp first_at(WallTime wall) const;

  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  std::string name_ = "UTC";
  const void* zone_ = nullptr;  // of the library, which keeps it for the whole process; null: UTC
};

}  // namespace tarn
