// Runs one data test in a session and judges its failing rows.
#pragma once

#include <optional>
#include <string>

#include "flow/task.h"
#include "model/project.h"
#include "session/session.h"

namespace tarn::model {

struct Verdict {
  enum class Kind { kPassed, kWarned, kFailed };
  Kind kind = Kind::kPassed;
  int64_t rows = 0;
  std::string message;  // "unique_orders_id: 3 rows fail: (unique_field=1, n_records=2), …"
};

// The error is for a test that cannot be run at all; it has the test's place in front. What it said goes to
// `outcomes`, in any case.
Result<Verdict> run_test(const ModelProject& project, const DataTest& test, session::Session& session,
                         std::vector<flow::TestOutcome>& outcomes);

}  // namespace tarn::model
