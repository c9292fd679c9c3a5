// The schedules that a project's text asks for, checked against its tasks.
#pragma once

#include <functional>
#include <string>

#include "app/backend/project_tasks.h"
#include "flow/scheduler.h"

namespace tarn::app {

// All schedules of sources and tarn.yml, with the project's time zone where they name none. Mistakes are
// those of the schedules alone: a name that is taken, a selection that selects nothing, an unknown name in
// `after`, schedules that start each other in a circle. `is_table` knows tables that no task writes.
flow::SchedulePlan schedules_of(const ProjectPlan& plan,
                                const std::function<bool(const std::string&)>& is_table);

}  // namespace tarn::app
