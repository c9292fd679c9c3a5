// What a project's text says about alerts, with what its tasks promise. A value, made anew when the text
// changed.
#pragma once

#include <string>
#include <vector>

#include "alert/config.h"
#include "base/diagnostic.h"
#include "base/time_zone.h"
#include "project/project.h"

namespace tarn::alert {

// A task whose newest success may not be older than this.
struct Promise {
  std::string task, kind, path;
  Duration error_after{0};
};

struct Plan {
  std::vector<Channel> channels;
  std::vector<Promise> promises;
  std::set<std::string> tasks;  // all names: what is told of others is over
  project::Project project;
  Timestamp read_at;     // what began later may be of a newer text
  TimeZone zone;         // of the project
  Diagnostics mistakes;  // of `alerts:`; channels with mistakes are left out
};

}  // namespace tarn::alert
