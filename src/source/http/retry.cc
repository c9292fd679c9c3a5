#include "source/http/retry.h"

#include <curl/curl.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string>

namespace tarn::source::http {

using std::chrono::milliseconds;

namespace {

constexpr int64_t kSecondsMax = 1'000'000'000;  // a server that asks for thirty years is not understood

}  // namespace

bool is_passing_status(int status) {
  return status == 408 || status == 425 || status == 429 || status == 500 || status == 502 || status == 503 ||
         status == 504;
}

std::optional<Duration> parse_retry_after(std::string_view header, Timestamp now) {
  int64_t seconds = 0;
  auto [end, error] = std::from_chars(header.data(), header.data() + header.size(), seconds);
  if (error == std::errc() && end == header.data() + header.size() && seconds >= 0 && seconds < kSecondsMax) {
    return std::chrono::seconds(seconds);
  }
  time_t date = header.empty() ? -1 : curl_getdate(std::string(header).c_str(), nullptr);
  const auto now_seconds = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
  if (date < 0 || date - now_seconds >= kSecondsMax) {
    return std::nullopt;
  }
  Duration left = Timestamp(std::chrono::seconds(date)) - now;
  return std::max(left, Duration(0));
}

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
