// Dates as people write them into a form: "2026-11-21", "today - 30 days", "start of month - 1 month".
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tarn::report {

// kInvalid says what to write instead. Weeks start on Monday; a month later than the 31st is the last day.
Result<std::chrono::year_month_day> resolve_date(std::string_view text, std::chrono::year_month_day today);

// "2026-11-21"
std::string format_date(std::chrono::year_month_day date);

}  // namespace tarn::report
