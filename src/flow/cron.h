// When something happens again: the five fields of cron in a time zone, or every so often.
//   minute hour day-of-month month day-of-week, each *, a number, a name (jan, mon), a range 1-5, a step */2
//   or 1-9/3, or a list of these; Sunday is 0 and 7; L as a day of the month is its last day.
//   @hourly @daily (@midnight) @weekly @monthly @yearly (@annually)
// As in cron, two day fields that both say something (neither begins with *) mean: either.
// Where clocks are changed: with `*` as the hour it happens whenever the clock shows such a time, so in the
// hour that comes twice both times and never in an hour that is left out. Otherwise every time of the day
// happens once: one that is left out at the moment of the change (several together once), one that comes
// twice the first time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/env/env.h"
#include "base/result.h"
#include "base/time_zone.h"

namespace tarn::flow {

struct Cron {
  uint64_t minutes = 0;     // bit n: minute n
  uint32_t hours = 0;       // bit n: hour n
  uint32_t month_days = 0;  // bit n: day n, from 1
  bool last_day = false;    // L
  uint32_t months = 0;      // bit n: month n, from 1
  uint32_t week_days = 0;   // bit n: n days after Sunday
  bool either_day = false;  // day of month or day of week; else both
  bool every_hour = false;  // the hour field says *
  std::string text;         // as written
};

// A mistake names the field and what to write; `*mistake_at` gets its place in the text, from 0.
Result<Cron> parse_cron(std::string_view text, size_t* mistake_at = nullptr);

// The first matching time on the wall after `after`, by whole minutes. nullopt: there is none (30 February).
std::optional<WallTime> next_on_wall(const Cron& cron, WallTime after);

// The first moment after `after` at which it is due. nullopt: never.
std::optional<Timestamp> next_due(const Cron& cron, const TimeZone& zone, Timestamp after);

// Every so often: whole multiples since 1970-01-01T00:00:00Z, whatever the clocks on the wall do.
Timestamp next_due(Duration every, Timestamp after);

}  // namespace tarn::flow
