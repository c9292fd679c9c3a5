// What data tests said in each run, in control.sqlite: `_tarn.tests`. Written with the end of their task;
// goes with the run's own records (retention/clean.h), for failing rows are data.
#pragma once

#include <string>
#include <vector>

#include "base/env/env.h"
#include "base/result.h"
#include "flow/task.h"
#include "store/store.h"

namespace tarn::flow {

store::Migrations test_migrations();

struct TestsOf {
  std::string run_id;
  std::string task;
  Timestamp at;
};
// In the transaction of a write. What the task's tests said before in this run goes.
Status write_tests(store::Connection& db, const TestsOf& of, const std::vector<TestOutcome>& tests);

}  // namespace tarn::flow
