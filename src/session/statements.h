// What runs at this moment, for people who look: the table `_tarn.statements`.
#pragma once

#include <memory>
#include <string>

#include "base/env/env.h"
#include "engine/table_source.h"

namespace tarn::session {

class Watchdog;

struct StatementInfo {
  std::string sql;
  std::string state;       // "waiting" for a slot, "running", "stopping"
  bool of_person = false;  // false: Tarn's own
  Timestamp started_at;
};

// For a service and the table about it: SessionServiceOptions::watchdog.
std::shared_ptr<Watchdog> make_watchdog(Env& env, int slots);
std::shared_ptr<engine::TableSource> statements_table(std::shared_ptr<Watchdog> watchdog);

}  // namespace tarn::session
