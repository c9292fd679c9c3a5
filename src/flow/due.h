// What is due: pure, from a schedule, what was due last, and the time.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/env/env.h"
#include "flow/schedule.h"

namespace tarn::flow {

// The first due time after `after`; nullopt: there is none, or it follows tables and tasks.
std::optional<Timestamp> next_due(const Schedule& schedule, Timestamp after);

// Due times one after the other that are treated as one.
struct DueSpan {
  Timestamp first, last;
  int64_t count = 1;
  bool runs = true;    // else it is left out, for the reason:
  std::string reason;  // empty when it runs
  bool operator==(const DueSpan&) const = default;
};

struct Decision {
  std::vector<DueSpan> due;       // oldest first; together every due time in (last_due_at, now], each once
  std::optional<Timestamp> next;  // the first due time after now
};

// `last_due_at`: everything up to it was decided before.
Decision decide(const Schedule& schedule, Timestamp last_due_at, Timestamp now);

}  // namespace tarn::flow
