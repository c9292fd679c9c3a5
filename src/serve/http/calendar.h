// What was due and what comes next, gathered by day or hour of one time zone, so that a schedule of every
// minute is one line. Pure.
#pragma once

#include <vector>

#include "base/time_zone.h"
#include "flow/scheduler.h"
#include "serve/http/json.h"

namespace tarn::serve {

enum class CalendarStep { kHour, kDay };

// {"at": "2026-11-23T03:00" on the wall, "schedule", "state": as of Due, or "due", "count", "first_at",
// "last_at", "run": of the newest, "reason": of the newest}, by time, then schedule.
Json calendar_cells(const std::vector<flow::Due>& past, const std::vector<flow::Upcoming>& coming,
                    const TimeZone& zone, CalendarStep step);

}  // namespace tarn::serve
