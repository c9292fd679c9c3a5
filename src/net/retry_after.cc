#include "net/retry_after.h"

#include <curl/curl.h>

#include <algorithm>
#include <charconv>
#include <string>

namespace tarn::net {
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

}  // namespace tarn::net
