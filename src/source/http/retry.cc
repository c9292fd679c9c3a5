#include "source/http/retry.h"

#include <algorithm>
#include <cmath>

namespace tarn::source::http {

using std::chrono::milliseconds;

Duration retry_delay(const Retry& retry, int64_t attempt, std::optional<Duration> retry_after,
                     Random& random) {
  if (retry_after) {
    return *retry_after;
  }
  double grown =
      static_cast<double>(retry.first_delay.count()) * std::pow(2.0, static_cast<double>(attempt - 1));
  double capped = std::min(grown, static_cast<double>(retry.delay_max.count()));
  double jitter = 0.5 + 0.5 * static_cast<double>(random.next() % 1024) / 1024.0;
  return Duration(static_cast<int64_t>(capped * jitter));
}

bool sleep_until_cancelled(Clock& clock, Duration duration, const std::function<bool()>& cancelled) {
  constexpr Duration kSlice = milliseconds(100);
  while (duration.count() > 0) {
    if (cancelled && cancelled()) {
      return false;
    }
    Duration slice = std::min(duration, kSlice);
    clock.sleep_for(slice);
    duration -= slice;
  }
  return !(cancelled && cancelled());
}

Duration RateLimit::take() {
  std::lock_guard lock(mutex_);
  Duration now = clock_.steady();
  Duration start = std::max(now, next_);
  if (rate_ > 0) {
    next_ = start + Duration(static_cast<int64_t>(1e6 / rate_));
  }
  return start - now;
}

void RateLimit::hold(Duration duration) {
  std::lock_guard lock(mutex_);
  next_ = std::max(next_, clock_.steady() + duration);
}

}  // namespace tarn::source::http
