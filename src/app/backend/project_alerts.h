// The alerts that a project's text asks for, checked against its tasks.
#pragma once

#include "alert/plan.h"
#include "app/backend/project_tasks.h"

namespace tarn::app {

// Mistakes are those of `alerts:` alone: also a selection that selects nothing, and mail without `mail:`.
alert::Plan alerts_of(const ProjectPlan& plan);

}  // namespace tarn::app
