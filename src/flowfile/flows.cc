#include "flowfile/flows.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "flowfile/check.h"
#include "report/ask.h"
#include "report/form.h"

namespace tarn::flowfile {
namespace {

std::string_view name_of_join(flow::Join join) {
  switch (join) {
    case flow::Join::kAllDone: return "done";
    case flow::Join::kSomeFailed: return "failed";
    case flow::Join::kAllEnded: return "ended";
  }
  return "done";
}

std::string what_of(const TaskConfig& task) {
  switch (task.kind) {
    case Kind::kRun: return fmt::format("{}", fmt::join(task.run.take, " "));
    case Kind::kSql: return task.sql.text;
    case Kind::kReport: return task.report.report;
    case Kind::kHttp: return task.http.method + " " + task.http.url.text;
    case Kind::kScript: return task.script.file.empty() ? task.script.shell : task.script.file;
  }
  return "";
}

}  // namespace

Result<std::shared_ptr<const Flows>> Flows::read(Env& env, const project::Project& project,
                                                 std::shared_ptr<const model::ModelProject> models,
                                                 std::shared_ptr<const report::Reports> reports,
                                                 Diagnostics& diagnostics) {
  auto flows = std::shared_ptr<Flows>(new Flows(env, project, std::move(models), std::move(reports)));
  TARN_TRY(flows->folder_,
           project::YamlFolder<FlowConfig>::read(*env.files, project.root, {.folder = "flows", .one = "flow"},
                                                 read_flow, diagnostics));
  return std::shared_ptr<const Flows>(std::move(flows));
}

Status Flows::check(session::Draft& draft, const Select& select, Diagnostics& diagnostics) const {
  for (const auto& config : configs()) {
    if (!config->broken)
      check_flow(*this, *config, draft, select, diagnostics);
  }
  return ok();
}

Result<std::set<std::string>> Flows::tasks_of(const FlowConfig& flow, const Select& select) const {
  std::set<std::string> names;
  for (const auto& task : flow.tasks) {
    if (task.kind != Kind::kRun)
      continue;
    const auto some = select(task.run.take, task.run.leave);
    if (!some)
      return Error{Code::kInvalid, to_string(Diagnostic{task.kind_place, fmt::format("task {}: {}", task.name,
                                                                                     some.error().message)})};
    names.insert(some->begin(), some->end());
  }
  return names;
}

FlowSummary Flows::summary(const FlowConfig& flow) const {
  FlowSummary summary{
      .name = flow.name, .title = flow.title, .description = flow.description, .path = flow.file.path};
  if (const auto whole = find_whole(flow.name); !whole)
    summary.mistake = whole.error().message;
  summary.fields = report::fields_of(flow.parameters);
  for (const auto& task : flow.tasks) {
    TaskSummary one{.name = task.name, .kind = std::string(name_of(task.kind)), .what = what_of(task)};
    for (const auto& before : task.after)
      one.after.push_back(before.name);
    one.if_before = name_of_join(task.join);
    one.when = task.when.text;
    one.for_each = task.for_each.text;
    summary.tasks.push_back(std::move(one));
  }
  return summary;
}

Result<FlowSummary> Flows::form(const FlowConfig& flow, session::SessionService& sessions) const {
  auto form = summary(flow);
  if (!form.mistake.empty() || flow.parameters.empty())
    return form;
  TARN_TRY(const auto session, sessions.open({}));
  report::Asker asker(*session, env_, models_.get(), flow.file);
  TARN_CHECK(report::settle_fields("flow " + flow.name, form.fields, flow.parameters, asker));
  return form;
}

Result<std::vector<engine::Parameter>> Flows::settle(const FlowConfig& flow, const report::Given& given,
                                                     session::SessionService& sessions) const {
  std::vector<engine::Parameter> parameters;
  if (flow.parameters.empty() && given.empty())
    return parameters;
  TARN_TRY(const auto session, sessions.open({}));
  report::Asker asker(*session, env_, models_.get(), flow.file);
  TARN_TRY(const auto today, asker.today());
  TARN_TRY(const auto values, report::settle_values("flow " + flow.name, flow.parameters, given, today,
                                                    [&asker](const report::ParameterConfig& parameter) {
                                                      return asker.choices(parameter,
                                                                           report::kCheckedChoicesMax);
                                                    }));
  parameters.reserve(values.size());
  for (const auto& value : values)
    parameters.push_back(value.bound);
  return parameters;
}

}  // namespace tarn::flowfile
