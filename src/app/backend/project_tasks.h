// The tasks that a project's text asks for, and the mistakes in it.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/diagnostic.h"
#include "base/env/env.h"
#include "board/board.h"
#include "flow/task.h"
#include "flowfile/flows.h"
#include "model/model.h"
#include "project/project.h"
#include "report/report.h"
#include "serve/backend.h"
#include "source/source.h"

namespace tarn::app {

struct ProjectPlan {
  std::shared_ptr<const source::Sources> sources;     // null when a mistake stops everything
  std::shared_ptr<const model::ModelProject> models;  // the same
  std::shared_ptr<const report::Reports> reports;     // the same
  std::shared_ptr<const board::Boards> boards;        // the same
  std::shared_ptr<const flowfile::Flows> flows;       // the same
  std::vector<std::unique_ptr<flow::Task>> tasks;
  Diagnostics mistakes;
  Diagnostics page_mistakes;  // of reports, boards and flows: these stop no run of others
};

// Reads the project's text anew, without its tasks: needs nothing but the text. `vars` go over those of
// tarn.yml.
Result<ProjectPlan> read_project(Env& env, const project::Project& project, const serve::Vars& vars,
                                 const std::shared_ptr<const engine::LakeVersion>& lake = nullptr);
// The same with tasks, ordered by what they read in the lake as it stands, too. The records outlive the plan.
Result<ProjectPlan> plan_project(Env& env, const project::Project& project, const serve::Vars& vars,
                                 source::FetchRecords& fetches, engine::LakeCatalog& lake);

// Adds the mistakes that only the engine can see: columns, types, functions.
Status check_by_engine(ProjectPlan& plan, session::SessionService& sessions, source::FetchRecords& fetches);

// Names that a selection takes. "mail:NAME" is the mail of that report, which nothing else selects.
// "flow:NAME" stands alone: itself and the tasks that its parts run.
Result<std::set<std::string>> select_names(const ProjectPlan& plan, const std::vector<std::string>& take,
                                           const std::vector<std::string>& leave);
// The same as a function; the plan outlives it.
flowfile::Select selector_of(const ProjectPlan& plan);
// The flow that a selection runs; empty: none.
std::string flow_of(const std::vector<std::string>& take);
// Of the names of a selection: the reports that are mailed.
std::vector<std::string> mailed_reports(const std::set<std::string>& names);

// The tasks that the request names, without mails; a word that fits none is an error.
Result<std::vector<flow::Task*>> chosen_tasks(const ProjectPlan& plan, const serve::RunRequest& request);

// As the user wrote it, for the records.
std::string selection_text(const serve::RunRequest& request);

// All of them as one error.
Error mistakes_error(const Diagnostics& mistakes);

}  // namespace tarn::app
