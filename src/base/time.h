// Times as text. All in UTC unless the name says otherwise.
#pragma once

#include <string>
#include <string_view>

#include "base/env/env.h"

namespace tarn {

// "2026-11-21T06:35:00.123456Z"; the fraction is left out when it is 0.
std::string format_utc(Timestamp time);

// "20261121T063500"
std::string format_compact_utc(Timestamp time);

// Reads "2026-11-21", "2026-11-21 06:35[:00[.123456]]" with 'T' or a blank between, and "Z" or "+01:00" at
// the end; without a zone it is UTC.
Result<Timestamp> parse_time(std::string_view text);

// Reads "250ms", "30s", "5m", "2h", "7d".
Result<Duration> parse_duration(std::string_view text);

// "1.2 s", "3 min 5 s", "12 ms": for people.
std::string format_duration(Duration duration);

}  // namespace tarn
