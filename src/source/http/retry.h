// Politeness: when to ask again, and how fast. Thread-safe where it says so.
#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <string_view>

#include "base/env/env.h"
#include "base/result.h"
#include "net/retry_after.h"
#include "source/http/config.h"

namespace tarn::source::http {

using net::is_passing_status;
using net::parse_retry_after;

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
