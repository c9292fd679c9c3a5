// Landed bytes into the table: rows, quarantined rows, token and cursors in one commit.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "flow/task.h"
#include "source/config.h"
#include "source/kind.h"

namespace tarn::source {

struct LoadRequest {
  const SourceConfig& config;
  flow::TaskContext& task;
  std::vector<Landed> landed;  // of one run
  std::string run;             // _tarn_run of the rows
  std::string token;
  std::vector<engine::CursorChange> cursors;  // of the fetch; load adds those of `since`
  std::function<Status()> before_commit;      // may be empty
  bool replay = false;                        // the run's former rows and quarantine go out first
};

Status load(const LoadRequest& request);

}  // namespace tarn::source
