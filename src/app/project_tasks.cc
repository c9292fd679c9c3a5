#include "app/project_tasks.h"

#include <fmt/format.h>

namespace tarn::app {

Result<ProjectPlan> plan_project(Env& env, const project::Project& project, const serve::Vars& vars) {
  ProjectPlan plan;
  TARN_TRY(auto current, project::load_project(*env.files, project.root, plan.mistakes));
  for (const auto& [name, value] : vars)
    current.vars[name] = value;
  return plan;
}

Result<std::vector<std::shared_ptr<flow::Task>>> select_tasks(
    const std::vector<std::shared_ptr<flow::Task>>& tasks, const serve::RunRequest& request) {
  return tasks;
}

std::string selection_text(const serve::RunRequest& request) {
  std::string text;
  for (const auto& word : request.selection)
    text += (text.empty() ? "" : " ") + word;
  for (const auto& word : request.exclude)
    text += (text.empty() ? "--exclude " : " --exclude ") + word;
  return text;
}

Error mistakes_error(const Diagnostics& mistakes) {
  std::string text;
  for (const auto& mistake : mistakes)
    text += (text.empty() ? "" : "\n") + to_string(mistake);
  return Error{Code::kInvalid, std::move(text)};
}

}  // namespace tarn::app
