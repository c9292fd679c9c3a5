// Politeness: when to ask again, and how fast. Thread-safe where it says so.
#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <string_view>

#include "base/env/env.h"
#include "base/result.h"
#include "source/http/config.h"

namespace tarn::source::http {

// True for answers that may be different next time: 408, 425, 429, 500, 502, 503, 504.
bool is_passing_status(int status);

// Seconds or an HTTP date.
std::optional<Duration> parse_retry_after(std::string_view header, Timestamp now);

// How long to wait after failed attempt `attempt` (from 1): what the server asks for, else exponential with
// jitter.
Duration retry_delay(const Retry& retry, int64_t attempt, std::optional<Duration> retry_after,
                     Random& random);

// Sleeps in slices; false when `cancelled` said so.
bool sleep_until_cancelled(Clock& clock, Duration duration, const std::function<bool()>& cancelled);

// Hands out starting times `rate` a second apart. Thread-safe.
class RateLimit {
 public:
  RateLimit(Clock& clock, double rate) : clock_(clock), rate_(rate) {}
  // How long the caller must wait before its request.
  Duration take();
  // Nobody starts before this has passed: the server asked for it.
  void hold(Duration duration);

 private:
  Clock& clock_;
  const double rate_;
  std::mutex mutex_;
  Duration next_{0};
};

}  // namespace tarn::source::http
