#include "flowfile/flows.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "codec/text_distance.h"
#include "flowfile/check.h"
#include "report/ask.h"
#include "report/relative_date.h"

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

report::FormField field_of(const report::ParameterConfig& parameter) {
  return {.name = parameter.name,
          .type = std::string(report::name_of(parameter.type)),
          .label = parameter.label,
          .description = parameter.description,
          .required = parameter.required,
          .defaults = parameter.defaults.value_or(std::vector<std::string>()),
          .choices = parameter.choices};
}

}  // namespace

Result<std::shared_ptr<const Flows>> Flows::read(Env& env, const project::Project& project,
                                                 std::shared_ptr<const model::ModelProject> models,
                                                 std::shared_ptr<const report::Reports> reports,
                                                 Diagnostics& diagnostics) {
  auto flows = std::shared_ptr<Flows>(new Flows(env, project, std::move(models), std::move(reports)));
  Diagnostics found;
  TARN_TRY(flows->configs_, read_flows(*env.files, project.root, found));
  for (const auto& mistake : found)
    flows->mistakes_.emplace(mistake.place.file, to_string(mistake));
  diagnostics.insert(diagnostics.end(), found.begin(), found.end());
  return std::shared_ptr<const Flows>(std::move(flows));
}

Result<std::shared_ptr<const FlowConfig>> Flows::find(const std::string& name) const {
  std::vector<std::string> names;
  for (const auto& config : configs_) {
    if (config->name == name)
      return config;
    names.push_back(config->name);
  }
  const auto near = codec::nearest(name, names);
  return Error{Code::kNotFound,
               fmt::format("there is no flow '{}': {}", name,
                           names.empty()  ? "the project has none yet; write flows/NAME.yml"
                           : near.empty() ? fmt::format("the flows are {}", fmt::join(names, ", "))
                                          : fmt::format("did you mean '{}'?", near))};
}

Result<std::shared_ptr<const FlowConfig>> Flows::find_whole(const std::string& name) const {
  TARN_TRY(auto config, find(name));
  if (!config->broken)
    return config;
  const auto mistake = mistakes_.find(config->file.path);
  return Error{Code::kInvalid,
               mistake != mistakes_.end() ? mistake->second : config->file.path + " has mistakes"};
}

Status Flows::check(session::Draft& draft, const Select& select, Diagnostics& diagnostics) const {
  for (const auto& config : configs_) {
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
  for (const auto& parameter : flow.parameters)
    summary.fields.push_back(field_of(parameter));
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
  TARN_TRY(const auto today, asker.today());
  for (size_t i = 0; i < form.fields.size(); ++i) {
    const auto& parameter = flow.parameters[i];
    for (auto& text : form.fields[i].defaults) {
      if (parameter.type != report::ParameterType::kDate)
        continue;
      TARN_TRY(const auto date, report::resolve_date(text, today));
      text = report::format_date(date);
    }
    TARN_TRY(form.fields[i].choices, asker.choices(parameter, report::kFormChoicesMax));
  }
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
