// What is the matter, from the records of runs and the clock: opens and closes episodes, and writes an alert
// for each channel that wants to hear of it. Looks at the newest outcome of each task, so that it does not
// matter how often, when and in which order it is asked.
#pragma once

#include "alert/plan.h"
#include "alert/records.h"

namespace tarn::alert {

struct Verdict {
  bool told = false;              // there are new alerts
  bool changed = false;           // episodes or alerts are not what they were
  std::optional<Timestamp> next;  // when a promise may break next
};

// One transaction. A run that its schedule will try again is not judged before its last try.
Result<Verdict> judge(store::Store& store, const Plan& plan, Timestamp now);

}  // namespace tarn::alert
