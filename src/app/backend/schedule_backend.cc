// Workspace: what concerns schedules, for a process that has the project open itself.
#include <fmt/format.h>

#include "app/backend/project_alerts.h"
#include "app/backend/project_schedules.h"
#include "app/backend/workspace.h"
#include "app/backend/workspace_parts.h"
#include "iceberg/metadata.h"

namespace tarn::app {
namespace {

// Runs things where they are asked for, one after the other.
class InlineHost final : public flow::SchedulerHost {
 public:
  InlineHost(serve::Backend& backend, flow::RunObserver& observer, const flow::CancelFlag& cancel)
      : backend_(backend), observer_(observer), cancel_(cancel) {}

  Status launch(const flow::Launch& launch, OnEnd on_end) override {
    serve::RunRequest request;
    request.id = launch.run_id;
    request.selection = launch.selection;
    request.exclude = launch.exclude;
    request.full_refresh = launch.full_refresh;
    request.vars = launch.vars;
    request.schedule = launch.schedule;
    request.due_at = launch.due_at;
    request.resume = true;
    request.timeout = launch.timeout;
    request.task_timeout = launch.task_timeout;
    auto outcome = backend_.run(request, observer_, cancel_);
    if (!outcome)
      return outcome.error();
    failed += outcome->run.exit_code == 0 ? 0 : 1;
    on_end(outcome->run);
    last = std::move(*outcome);
    return ok();
  }
  std::optional<flow::SchedulePlan> reload() override { return std::nullopt; }
  Result<std::map<std::string, std::string>> versions(const std::set<std::string>&) override {
    return std::map<std::string, std::string>();
  }
  void changed(const std::string&) override {}

  std::optional<flow::RunOutcome> last;
  int failed = 0;

 private:
  serve::Backend& backend_;
  flow::RunObserver& observer_;
  const flow::CancelFlag& cancel_;
};

const engine::LakeTable* find_table(const engine::LakeVersion& lake, const std::string& name) {
  const auto dot = name.rfind('.');
  if (dot == std::string::npos)
    return nullptr;
  const auto schema = lake.schemas.find(engine::fold(name.substr(0, dot)));
  if (schema == lake.schemas.end())
    return nullptr;
  const auto table = schema->second->tables.find(engine::fold(name.substr(dot + 1)));
  return table == schema->second->tables.end() ? nullptr : table->second.get();
}

}  // namespace

flow::Scheduler& Workspace::scheduler() {
  return *parts_->scheduler;
}

Result<flow::SchedulePlan> Workspace::planned_schedules(const ProjectPlan& plan) {
  TARN_TRY(const auto lake, parts_->lake->catalog().head());
  return schedules_of(plan, [&lake](const std::string& name) { return find_table(*lake, name) != nullptr; });
}

Result<flow::SchedulePlan> Workspace::schedule_plan() {
  TARN_TRY(auto plan,
           plan_project(parts_->env, parts_->project, {}, *parts_->fetches, parts_->lake->catalog()));
  TARN_TRY(auto found, planned_schedules(plan));
  {
    const std::lock_guard lock(parts_->writers_mutex);
    parts_->writers.clear();
    for (const auto& task : plan.tasks) {
      for (const auto& table : task->writes())
        parts_->writers[engine::fold(table)] = task->name();
    }
  }
  // Of a project with mistakes the alerts stay as they were; from its start on a server tells what it can.
  if (plan.mistakes.empty()) {
    parts_->alerts->load(alerts_of(plan));
  } else if (plan.sources && !parts_->alerts->has_plan()) {
    auto alerts = alerts_of(plan);
    alerts.tasks.clear();  // not all are known
    parts_->alerts->load(std::move(alerts));
  }
  found.mistakes.insert(found.mistakes.begin(), plan.mistakes.begin(), plan.mistakes.end());
  return found;
}

// A name with a dot is a table, another one a task. A view has no versions: the task that makes it stands for
// it.
Result<std::map<std::string, std::string>> Workspace::versions(const std::set<std::string>& names) {
  std::map<std::string, std::string> task_of;
  std::set<std::string> tasks;
  {
    const std::lock_guard lock(parts_->writers_mutex);
    for (const auto& name : names) {
      const auto writer = parts_->writers.find(engine::fold(name));
      task_of[name] = writer == parts_->writers.end() ? name : writer->second;
      tasks.insert(task_of[name]);
    }
  }
  TARN_TRY(const auto done, parts_->runs->newest_done(tasks));
  TARN_TRY(const auto lake, parts_->lake->catalog().head());
  std::map<std::string, std::string> versions;
  for (const auto& name : names) {
    if (const auto* table = find_table(*lake, name); table != nullptr) {
      TARN_TRY(const auto metadata, table->metadata());
      versions[name] = std::to_string(metadata->current_snapshot_id.value_or(0));
    } else if (const auto found = done.find(task_of[name]); found != done.end()) {
      versions[name] = found->second;
    }
  }
  return versions;
}

TimeZone Workspace::time_zone() {
  Diagnostics mistakes;
  const auto now = project::load_project(*parts_->env.files, parts_->project.root, mistakes);
  return TimeZone::find(now ? now->time_zone : parts_->project.time_zone).value_or(TimeZone());
}

alert::Desk& Workspace::desk() {
  return *parts_->alerts;
}

Result<alert::Overview> Workspace::alerts() {
  const bool is_told = parts_->alerts->is_running();
  if (!is_told)
    TARN_CHECK(schedule_plan());
  TARN_TRY(auto overview, parts_->alerts->overview(serve::kAlertsShown));
  if (overview.problem.empty() && !is_told)
    overview.problem = "no server runs, so nobody is told: start one with 'tarn serve'";
  return overview;
}

Status Workspace::settle_alert(int64_t id, bool done) {
  if (!parts_->alerts->is_running())
    TARN_CHECK(schedule_plan());
  return parts_->alerts->settle(id, done);
}

Result<std::vector<alert::TestResult>> Workspace::test_alerts(const std::string& channel,
                                                              const flow::CancelFlag& cancel) {
  TARN_TRY([[maybe_unused]] const auto plan, schedule_plan());
  return parts_->alerts->test(channel, [&cancel] { return cancel.is_set(); });
}

Result<serve::ScheduleList> Workspace::schedules() {
  TARN_TRY(auto plan, schedule_plan());
  if (!plan.mistakes.empty())
    return mistakes_error(plan.mistakes);
  parts_->scheduler->load(std::move(plan));
  serve::ScheduleList list;
  TARN_TRY(list.schedules, parts_->scheduler->list());
  list.problem = "no server runs, so nothing is started by time: start one with 'tarn serve'";
  return list;
}

Status Workspace::pause_schedule(const std::string& name, bool paused) {
  TARN_TRY([[maybe_unused]] const auto list, schedules());
  return parts_->scheduler->set_paused(name, paused);
}

Result<flow::RunOutcome> Workspace::run_schedule(const std::string& name, flow::RunObserver& observer,
                                                 const flow::CancelFlag& cancel) {
  TARN_TRY([[maybe_unused]] const auto list, schedules());
  InlineHost host(*this, observer, cancel);
  const auto id = parts_->scheduler->run_now(name, host);
  TARN_CHECK(parts_->scheduler->settle_ended());
  if (!id)
    return id.error();
  if (!host.last)
    return Error{Code::kInternal, "the schedule's run left no outcome"};
  return std::move(*host.last);
}

Result<serve::StartedBackfill> Workspace::backfill(const flow::BackfillRequest& request, bool dry_run,
                                                   flow::RunObserver& observer,
                                                   const flow::CancelFlag& cancel) {
  serve::StartedBackfill started;
  serve::RunRequest check;
  check.selection = request.selection;
  check.exclude = request.exclude;
  TARN_TRY(auto steps, flow::backfill_steps(request, time_zone()));
  if (!steps.empty())
    check.vars = {{"from", steps.front().from}, {"to", steps.front().to}};
  TARN_TRY([[maybe_unused]] const auto tasks, tasks_of(check));
  if (dry_run) {
    started.plan.steps = std::move(steps);
    return started;
  }
  TARN_TRY(started.plan, parts_->scheduler->backfill(request, time_zone()));
  InlineHost host(*this, observer, cancel);
  TARN_CHECK(parts_->scheduler->finish("backfill " + started.plan.id, host, cancel));
  started.failed = host.failed;
  return started;
}

}  // namespace tarn::app
