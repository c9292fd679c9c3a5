// The tasks that a project's text asks for, and the mistakes in it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/diagnostic.h"
#include "base/env/env.h"
#include "flow/task.h"
#include "project/project.h"
#include "serve/backend.h"

namespace tarn::app {

struct ProjectPlan {
  std::vector<std::shared_ptr<flow::Task>> tasks;
  Diagnostics mistakes;
};

// Reads the project's text anew. `vars` go over those of tarn.yml.
Result<ProjectPlan> plan_project(Env& env, const project::Project& project, const serve::Vars& vars);

// The tasks that the request names; a word that fits none is an error.
Result<std::vector<std::shared_ptr<flow::Task>>> select_tasks(
    const std::vector<std::shared_ptr<flow::Task>>& tasks, const serve::RunRequest& request);

// As the user wrote it, for the records.
std::string selection_text(const serve::RunRequest& request);

// All of them as one error.
Error mistakes_error(const Diagnostics& mistakes);

}  // namespace tarn::app
