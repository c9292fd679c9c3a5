#include "base/time.h"

#include <charconv>
#include <ctime>

#include <fmt/format.h>

namespace tarn {
namespace {

// Of the years 0000 to 9999, which can be written.
constexpr int64_t kFirstSecond = -62167219200;
constexpr int64_t kLastSecond = 253402300799;

struct Fields {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  int64_t micros = 0;
};

Fields fields_of(Timestamp time) {
  int64_t micros = time.time_since_epoch().count();
  int64_t seconds = micros >= 0 ? micros / 1000000 : -((-micros + 999999) / 1000000);
  std::time_t clock = seconds;
  std::tm parts{};
  gmtime_r(&clock, &parts);
  return {parts.tm_year + 1900, parts.tm_mon + 1,          parts.tm_mday, parts.tm_hour, parts.tm_min,
          parts.tm_sec,         micros - seconds * 1000000};
}

// Reads exactly `digits` digits from the front.
bool take_number(std::string_view& text, size_t digits, int& value) {
  if (text.size() < digits) {
    return false;
  }
  auto [end, error] = std::from_chars(text.data(), text.data() + digits, value);
  if (error != std::errc() || end != text.data() + digits || text[0] == '-') {
    return false;
  }
  text.remove_prefix(digits);
  return true;
}

bool take(std::string_view& text, char wanted) {
  if (text.empty() || text[0] != wanted) {
    return false;
  }
  text.remove_prefix(1);
  return true;
}

bool take_fraction(std::string_view& text, int64_t& micros) {
  int64_t scale = 100000;
  bool any = false;
  while (!text.empty() && text[0] >= '0' && text[0] <= '9') {
    micros += (text[0] - '0') * scale;
    scale /= 10;
    any = true;
    text.remove_prefix(1);
  }
  return any;
}

bool take_clock(std::string_view& text, Fields& f) {
  if (!take_number(text, 2, f.hour) || !take(text, ':') || !take_number(text, 2, f.minute)) {
    return false;
  }
  if (!take(text, ':')) {
    return true;
  }
  return take_number(text, 2, f.second) && (!take(text, '.') || take_fraction(text, f.micros));
}

bool take_zone(std::string_view& text, int& offset_minutes) {
  if (text.empty() || take(text, 'Z')) {
    return true;
  }
  int sign = take(text, '+') ? 1 : take(text, '-') ? -1 : 0;
  int hours = 0;
  int minutes = 0;
  if (sign == 0 || !take_number(text, 2, hours)) {
    return false;
  }
  if (!text.empty() && (take(text, ':'), true) && !take_number(text, 2, minutes)) {
    return false;
  }
  offset_minutes = sign * (hours * 60 + minutes);
  return true;
}

bool in_range(const Fields& f) {
  return f.month >= 1 && f.month <= 12 && f.day >= 1 && f.day <= 31 && f.hour < 24 && f.minute < 60 &&
         f.second < 60;
}

}  // namespace

std::string format_utc(Timestamp time) {
  Fields f = fields_of(time);
  std::string text =
      fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", f.year, f.month, f.day, f.hour, f.minute, f.second);
  if (f.micros != 0) {
    text += fmt::format(".{:06}", f.micros);
  }
  return text + "Z";
}

std::string format_compact_utc(Timestamp time) {
  Fields f = fields_of(time);
  return fmt::format("{:04}{:02}{:02}T{:02}{:02}{:02}", f.year, f.month, f.day, f.hour, f.minute, f.second);
}

Result<Timestamp> parse_time(std::string_view text) {
  std::string_view rest = text;
  Fields f;
  int offset_minutes = 0;
  bool good = take_number(rest, 4, f.year) && take(rest, '-') && take_number(rest, 2, f.month) &&
              take(rest, '-') && take_number(rest, 2, f.day);
  if (good && !rest.empty() && (take(rest, 'T') || take(rest, ' '))) {
    good = take_clock(rest, f) && take_zone(rest, offset_minutes);
  }
  if (!good || !rest.empty() || !in_range(f)) {
    return Error{Code::kInvalid,
                 fmt::format("not a time: '{}'; write 2026-11-21, or 2026-11-21T06:35:00Z", text)};
  }
  std::tm parts{};
  parts.tm_year = f.year - 1900;
  parts.tm_mon = f.month - 1;
  parts.tm_mday = f.day;
  parts.tm_hour = f.hour;
  parts.tm_min = f.minute;
  parts.tm_sec = f.second;
  int64_t seconds = static_cast<int64_t>(timegm(&parts)) - int64_t{60} * offset_minutes;
  bool real_day = parts.tm_mday == f.day;  // the 30th of February would be a day of March
  if (!real_day || seconds < kFirstSecond || seconds > kLastSecond) {
    return Error{Code::kInvalid, fmt::format("there is no such time: '{}'", text)};
  }
  return Timestamp(Duration(seconds * 1000000 + f.micros));
}

Result<Duration> parse_duration(std::string_view text) {
  int64_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  std::string_view unit(end, static_cast<size_t>(text.data() + text.size() - end));
  int64_t scale = unit == "ms"  ? 1000
                  : unit == "s" ? 1000000
                  : unit == "m" ? 60000000
                  : unit == "h" ? 3600000000
                  : unit == "d" ? 86400000000
                                : 0;
  if (error != std::errc() || number < 0 || scale == 0 || number > INT64_MAX / scale) {
    return Error{Code::kInvalid, fmt::format("not a duration: '{}'; write 250ms, 30s, 5m, 2h or 7d", text)};
  }
  return Duration(number * scale);
}

std::string format_duration(Duration duration) {
  int64_t ms = duration.count() / 1000;
  if (ms < 1000) {
    return fmt::format("{} ms", ms);
  }
  if (ms < 60000) {
    return fmt::format("{:.1f} s", static_cast<double>(ms) / 1000);
  }
  if (ms < 3600000) {
    return fmt::format("{} min {} s", ms / 60000, ms / 1000 % 60);
  }
  return fmt::format("{} h {} min", ms / 3600000, ms / 60000 % 60);
}

}  // namespace tarn
