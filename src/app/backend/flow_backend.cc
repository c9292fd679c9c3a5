// Workspace: what concerns flows, for a process that has the project open itself.
#include <fmt/format.h>

#include "app/backend/project_tasks.h"
#include "app/backend/workspace.h"
#include "app/backend/workspace_parts.h"
#include "base/ids.h"
#include "base/time.h"
#include "flowfile/flow_tasks.h"

namespace tarn::app {
namespace {

// Variables of the request that are names of the flow's parameters are those: schedules and backfills give
// vars.
report::Given given_of(const flowfile::FlowConfig& flow, const serve::RunRequest& request) {
  auto given = request.parameters;
  for (const auto& parameter : flow.parameters) {
    const auto var = request.vars.find(parameter.name);
    if (var != request.vars.end() && !given.contains(parameter.name))
      given[parameter.name] = {var->second};
  }
  return given;
}

serve::RunRequest request_of(const flowfile::PartRequest& part) {
  serve::RunRequest request;
  request.id = part.run_id;
  request.selection = part.take;
  request.exclude = part.leave;
  request.full_refresh = part.full_refresh;
  request.vars = part.vars;
  request.resume = true;
  return request;
}

// The task that started a part hears of it, and so does who watches the flow's run, if anybody does.
class Both final : public flow::RunObserver {
 public:
  Both(flow::RunObserver& task, flow::RunObserver* watcher) : task_(task), watcher_(watcher) {}
  void run_started(const flow::RunRecord& run, size_t tasks) override {
    each([&](auto& one) { one.run_started(run, tasks); });
  }
  void task_started(const flow::TaskRecord& task) override {
    each([&](auto& one) { one.task_started(task); });
  }
  void task_progress(const std::string& task, const std::string& text) override {
    each([&](auto& one) { one.task_progress(task, text); });
  }
  void task_line(const std::string& task, const std::string& text) override {
    each([&](auto& one) { one.task_line(task, text); });
  }
  void task_retried(const std::string& task, const std::string& error, Duration delay) override {
    each([&](auto& one) { one.task_retried(task, error, delay); });
  }
  void task_ended(const flow::TaskRecord& task) override {
    each([&](auto& one) { one.task_ended(task); });
  }
  void run_ended(const flow::RunRecord& run) override {
    each([&](auto& one) { one.run_ended(run); });
  }

 private:
  template <class Tell>
  void each(const Tell& tell) {
    tell(task_);
    if (watcher_ != nullptr)
      tell(*watcher_);
  }

  flow::RunObserver& task_;
  flow::RunObserver* watcher_;
};

}  // namespace

Result<flow::RunOutcome> Workspace::run_flow(const ProjectPlan& plan, const serve::RunRequest& request,
                                             flow::RunObserver& observer, const flow::CancelFlag& cancel) {
  TARN_TRY([[maybe_unused]] const auto names, select_names(plan, request.selection, request.exclude));
  const auto& flows = *plan.flows;
  TARN_TRY(const auto config, flows.find_whole(flow_of(request.selection)));
  const auto run_part = [this, &observer](const flowfile::PartRequest& part, flow::RunObserver& inner,
                                          const flow::CancelFlag& stop) -> Result<flow::RunOutcome> {
    const auto wanted = request_of(part);
    TARN_TRY(const auto now, plan_project(parts_->env, parts_->project, wanted.vars, *parts_->fetches,
                                          parts_->lake->catalog()));
    if (!now.mistakes.empty())
      return mistakes_error(now.mistakes);
    const auto watcher = observer.part(wanted.id);
    Both both(inner, watcher.get());
    return run_selection(now, wanted, part.part_of, both, stop);
  };
  auto run = std::make_shared<flowfile::FlowRun>(
      flowfile::Host{parts_->env, *parts_->flows, *parts_->sent, *parts_->runs, spill_folder(), run_part},
      flows.project(), flows.models(), flows.reports(), config);
  run->facts.id = request.id.empty() ? new_run_id(*parts_->env.clock, *parts_->env.random) : request.id;
  run->facts.schedule = request.schedule;
  run->facts.due_at = request.due_at ? format_utc(*request.due_at) : "";
  run->facts.started_at = format_utc(parts_->env.clock->now());
  std::map<std::string, flow::TaskValues> known;
  std::optional<flowfile::FlowStart> start;
  if (request.resume) {
    TARN_TRY(known, parts_->runs->values(run->facts.id));
    TARN_TRY(start, parts_->flows->start_of(run->facts.id));
    if (const auto before = parts_->runs->get(run->facts.id); before)
      run->facts.started_at = format_utc(before->started_at);
  }
  if (!start) {
    start = flowfile::FlowStart{.flow = config->name, .vars = request.vars};
    TARN_TRY(start->parameters, flows.settle(*config, given_of(*config, request), *parts_->sessions));
    TARN_CHECK(parts_->flows->put_start(run->facts.id, *start));
  }
  run->parameters = std::move(start->parameters);
  run->vars = std::move(start->vars);
  const auto tasks = flowfile::flow_tasks(run, known);
  std::vector<flow::Task*> list;
  list.reserve(tasks.size());
  for (const auto& task : tasks)
    list.push_back(task.get());
  flow::ExecutorOptions options;
  options.threads = config->at_once;
  options.selection = selection_text(request);
  options.data_folder = parts_->project.data_folder;
  options.run_id = run->facts.id;
  options.schedule = request.schedule;
  options.due_at = request.due_at;
  options.resume = request.resume;
  options.timeout = request.timeout;
  options.task_timeout = request.task_timeout;
  options.admit = [this] { return parts_->lake->reserve().check(); };
  return flow::run_tasks(parts_->env, *parts_->sessions, *parts_->runs, list, options, observer, cancel);
}

Result<serve::RunRequest> Workspace::resume_request(const std::string& run_id) {
  TARN_TRY(const auto run, parts_->runs->get(run_id));
  TARN_TRY(const auto start, parts_->flows->start_of(run_id));
  if (!start)
    return Error{Code::kInvalid, fmt::format("run {} is not one of a flow: start it anew", run_id)};
  if (run.state == flow::State::kDone || run.state == flow::State::kRunning ||
      run.state == flow::State::kWaiting)
    return Error{Code::kConflict, fmt::format("run {} is {}: there is nothing to go on with", run_id,
                                              flow::name_of(run.state))};
  TARN_TRY(const bool owned, parts_->scheduler->is_open(run_id));
  if (owned)
    return Error{Code::kConflict,
                 fmt::format("schedule {} goes on with run {} by itself", run.schedule, run_id)};
  serve::RunRequest request;
  request.id = run_id;
  request.selection = {"flow:" + start->flow};
  request.vars = start->vars;
  request.schedule = run.schedule;
  request.due_at = run.due_at;
  request.resume = true;
  return request;
}

Status Workspace::settle_effect(const std::string& run_id, const std::string& task, bool done) {
  const auto key = run_id + "/" + task;
  auto settled = parts_->flows->settle(key, done);
  if (settled || settled.error().code != Code::kNotFound)
    return settled;
  // A mail is no effect of the flow's own records: the log of mails has it under the same key.
  const auto mail = parts_->sent->settle(key, done);
  if (mail || mail.error().code != Code::kNotFound)
    return mail ? ok() : Status(mail.error());
  return settled;
}

Result<std::vector<flowfile::FlowSummary>> Workspace::flows() {
  TARN_TRY(const auto plan, read_project(parts_->env, parts_->project, {}));
  std::vector<flowfile::FlowSummary> all;
  for (const auto& config : plan.flows->configs())
    all.push_back(plan.flows->summary(*config));
  return all;
}

Result<flowfile::FlowSummary> Workspace::flow_form(const std::string& name) {
  TARN_TRY(const auto plan, read_project(parts_->env, parts_->project, {}));
  TARN_TRY(const auto config, plan.flows->find(name));
  return plan.flows->form(*config, *parts_->sessions);
}

}  // namespace tarn::app
