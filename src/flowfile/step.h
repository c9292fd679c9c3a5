// What a task of a flow does: one function a kind. Each returns the task's result; errors are of the attempt.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/env/env.h"
#include "base/result.h"
#include "flow/executor.h"
#include "flow/runs.h"
#include "flow/task.h"
#include "flowfile/flow_file.h"
#include "flowfile/records.h"
#include "flowfile/scope.h"
#include "model/model.h"
#include "project/project.h"
#include "report/mail/sent_log.h"
#include "report/report.h"

namespace tarn::flowfile {

// A run of the project's tasks that is a part of a flow's run.
struct PartRequest {
  std::string run_id;   // the same for each attempt: what it had done stays done
  std::string part_of;  // "run/task"
  std::vector<std::string> take, leave;
  bool full_refresh = false;
  std::map<std::string, std::string> vars;
};
using RunPart = std::function<Result<flow::RunOutcome>(
    const PartRequest& request, flow::RunObserver& observer, const flow::CancelFlag& cancel)>;

// What steps use of the process; outlives the flow's run.
struct Host {
  Env& env;
  FlowRecords& records;
  report::mail::SentLog& sent;
  flow::Runs& runs;
  std::string spill_folder;  // absolute
  RunPart run_part;
};

// Of one run of a flow. Shared by its tasks; immutable but for the results.
struct FlowRun {
  Host host;
  project::Project project;
  std::shared_ptr<const model::ModelProject> models;
  std::shared_ptr<const report::Reports> reports;
  std::shared_ptr<const FlowConfig> flow;
  std::vector<engine::Parameter> parameters;
  std::map<std::string, std::string> vars;  // of the request, over those of tarn.yml
  RunFacts facts;
  Results results;
};

struct StepContext {
  FlowRun& run;
  const TaskConfig& config;
  flow::TaskContext& task;
  Scope scope;
};

Result<Json> run_step(StepContext& context);  // by its kind

Result<Json> run_selection(StepContext& context);
Result<Json> run_sql(StepContext& context);
Result<Json> run_report(StepContext& context);
Result<Json> run_http(StepContext& context);
Result<Json> run_script_step(StepContext& context);

// Whether `when` holds.
Result<bool> ask_when(StepContext& context);
// The rows of `for_each`.
Result<std::vector<Json>> ask_rows(StepContext& context);

// Something done outside, once: recorded before and after. `work` fills the end that it came to; its error is
// the attempt's. Done by an attempt of before: that one's result.
Result<Json> once(StepContext& context, const std::string& what,
                  const std::function<Result<Json>(EffectEnd& end)>& work);

}  // namespace tarn::flowfile
