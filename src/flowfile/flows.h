// Flows: flows/*.yml, tasks in an order that people write down. Immutable after reading; see docs/flows.md.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/diagnostic.h"
#include "base/env/env.h"
#include "base/result.h"
#include "flowfile/flow_file.h"
#include "flowfile/step.h"
#include "model/model.h"
#include "project/project.h"
#include "report/report.h"
#include "session/draft.h"

namespace tarn::flowfile {

// What pages and lists show of one task.
struct TaskSummary {
  std::string name, kind;
  std::string what;  // "raw_bars+", "POST https://…", "scripts/fit.py"
  std::vector<std::string> after;
  std::string if_before, when, for_each;
};

struct FlowSummary {
  std::string name, title, description, path;
  std::string mistake;  // the first one; empty: it can be run
  std::vector<report::FormField> fields;
  std::vector<TaskSummary> tasks;
};

// Names of the project's tasks that a selection takes.
using Select = std::function<Result<std::set<std::string>>(const std::vector<std::string>& take,
                                                           const std::vector<std::string>& leave)>;

class Flows {
 public:
  // Reads all flows; mistakes go to `diagnostics`. `models` may be null when they have mistakes themselves.
  static Result<std::shared_ptr<const Flows>> read(Env& env, const project::Project& project,
                                                   std::shared_ptr<const model::ModelProject> models,
                                                   std::shared_ptr<const report::Reports> reports,
                                                   Diagnostics& diagnostics);

  [[nodiscard]] const std::vector<std::shared_ptr<const FlowConfig>>& configs() const {
    return folder_.configs();
  }
  // kNotFound says which there are.
  [[nodiscard]] Result<std::shared_ptr<const FlowConfig>> find(const std::string& name) const {
    return folder_.find(name);
  }
  // kInvalid with the first mistake of a broken flow.
  [[nodiscard]] Result<std::shared_ptr<const FlowConfig>> find_whole(const std::string& name) const {
    return folder_.find_whole(name);
  }

  // Adds the mistakes that only the project and the engine can see. Models have put their tables into the
  // draft.
  Status check(session::Draft& draft, const Select& select, Diagnostics& diagnostics) const;

  // Names of the project's tasks that its parts run.
  Result<std::set<std::string>> tasks_of(const FlowConfig& flow, const Select& select) const;

  [[nodiscard]] FlowSummary summary(const FlowConfig& flow) const;
  // With choices that come from queries, and dates settled.
  Result<FlowSummary> form(const FlowConfig& flow, session::SessionService& sessions) const;
  // Values for its parameters: given, or by default.
  Result<std::vector<engine::Parameter>> settle(const FlowConfig& flow, const report::Given& given,
                                                session::SessionService& sessions) const;

  [[nodiscard]] const project::Project& project() const { return project_; }
  [[nodiscard]] std::shared_ptr<const model::ModelProject> models() const { return models_; }
  [[nodiscard]] std::shared_ptr<const report::Reports> reports() const { return reports_; }

 private:
  Flows(Env& env, project::Project project, std::shared_ptr<const model::ModelProject> models,
        std::shared_ptr<const report::Reports> reports)
      : env_(env), project_(std::move(project)), models_(std::move(models)), reports_(std::move(reports)) {}

  Env& env_;
  const project::Project project_;
  std::shared_ptr<const model::ModelProject> models_;
  std::shared_ptr<const report::Reports> reports_;
  project::YamlFolder<FlowConfig> folder_;
};

}  // namespace tarn::flowfile
