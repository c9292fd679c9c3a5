#include "base/time_zone.h"

#include <algorithm>
#include <cctype>
#include <exception>

#include <date/tz.h>
#include <fmt/format.h>

namespace tarn {
namespace {

const date::time_zone& zone_of(const void* zone) {
  return *static_cast<const date::time_zone*>(zone);
}

// The library's times are in seconds.
date::sys_seconds seconds_of(Timestamp time) {
  return date::sys_seconds(std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()));
}

// The ends of time of the library do not fit into microseconds.
Timestamp timestamp_of(date::sys_seconds time) {
  constexpr int64_t kSecondsMax = INT64_MAX / 1'000'000 - 1;
  const auto seconds = std::clamp<int64_t>(time.time_since_epoch().count(), -kSecondsMax, kSecondsMax);
  return Timestamp(Duration(seconds * 1'000'000));
}

std::string lower(std::string_view text) {
  std::string folded(text);
  std::transform(folded.begin(), folded.end(), folded.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return folded;
}

// "amsterdam" for Europe/Amsterdam: the last word decides.
std::string proposal_for(std::string_view name) {
  const auto last = [](std::string_view text) { return lower(text.substr(text.rfind('/') + 1)); };
  const auto wanted = last(name);
  for (const auto& zone : date::get_tzdb().zones) {
    if (!wanted.empty() && last(zone.name()) == wanted)
      return fmt::format("did you mean '{}'?", zone.name());
  }
  return "write a name such as Europe/Amsterdam or UTC";
}

}  // namespace

Result<TimeZone> TimeZone::find(std::string_view name) {
  TimeZone zone;
  if (name == "UTC" || name == "Etc/UTC" || name == "Z")
    return zone;
  try {
    zone.zone_ = date::locate_zone(name);
    zone.name_ = name;
    return zone;
  } catch (const std::exception&) {
    try {
      return Error{Code::kInvalid, fmt::format("there is no time zone '{}': {}", name, proposal_for(name))};
    } catch (const std::exception&) {
      return Error{Code::kUnavailable,
                   fmt::format("the time zone '{}' cannot be looked up: this machine has no time zone data; "
                               "install the package tzdata, or write UTC",
                               name)};
    }
  }
}

TimeZone::Span TimeZone::span_at(Timestamp time) const {
  if (zone_ == nullptr)
    return {Timestamp::min(), Timestamp::max(), Duration(0)};
  const auto info = zone_of(zone_).get_info(seconds_of(time));
  return {timestamp_of(info.begin), timestamp_of(info.end),
          std::chrono::duration_cast<Duration>(info.offset)};
}

WallTime TimeZone::wall_at(Timestamp time) const {
  return WallTime(time.time_since_epoch() + span_at(time).offset);
}

Timestamp TimeZone::first_at(WallTime wall) const {
  if (zone_ == nullptr)
    return Timestamp(wall.time_since_epoch());
  const auto seconds = std::chrono::floor<std::chrono::seconds>(wall.time_since_epoch());
  const auto info = zone_of(zone_).get_info(date::local_seconds(seconds));
  if (info.result == date::local_info::nonexistent)
    return timestamp_of(info.second.begin);
  return Timestamp(wall.time_since_epoch() - std::chrono::duration_cast<Duration>(info.first.offset));
}

}  // namespace tarn
