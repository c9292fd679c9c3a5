#include "report/report.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "codec/text_distance.h"
#include "engine/parse.h"
#include "report/ask.h"
#include "report/compiled_query.h"
#include "report/relative_date.h"
#include "report/template/fill.h"

namespace tarn::report {
namespace {

constexpr std::string_view kFront = "SELECT * FROM (\n";

bool has_column(const std::vector<engine::Column>& columns, const std::string& name) {
  return std::any_of(columns.begin(), columns.end(), [&](const engine::Column& column) {
    return engine::fold(column.name) == engine::fold(name);
  });
}

class Checker {
 public:
  Checker(const Reports& reports, const ReportConfig& config, session::Draft& draft, Diagnostics& found)
      : reports_(reports), models_(reports.models()), config_(config), draft_(draft), found_(found) {}

  void run() {
    for (const auto& parameter : config_.parameters) {
      if (!parameter.choices_query.text.empty())
        (void)columns_of(parameter.choices_query);
    }
    if (config_.mail && !config_.mail->table.text.empty())
      (void)columns_of(config_.mail->table);
    for (const auto& sheet : config_.sheets) {
      if (const auto columns = columns_of(sheet.query))
        check_sheet(sheet, *columns);
    }
    std::vector<template_file::FillShape> shapes;
    for (const auto& fill : config_.fills) {
      template_file::FillShape shape{.fill = &fill};
      if (const auto columns = columns_of(fill.query)) {
        for (const auto& column : *columns)
          shape.columns.push_back(column.name);
      }
      shapes.push_back(std::move(shape));
    }
    if (!config_.template_path.empty())
      template_file::check_template(reports_.project().root, config_, shapes, found_);
  }

 private:
  // nullopt: told, or nobody can know.
  std::optional<std::vector<engine::Column>> columns_of(const Query& query) {
    Diagnostic mistake;
    const auto compiled = compile_query(models_, config_.file, query, mistake);
    if (!compiled) {
      found_.push_back(std::move(mistake));
      return std::nullopt;
    }
    const auto facts = engine::parse(compiled->rendered.text);
    if (!facts || draft_.is_blind(facts->front()))
      return std::nullopt;
    const auto values = blank_values(config_.parameters);
    const auto sql = fmt::format("{}{}\n) LIMIT 0", kFront, compiled->rendered.text);
    const auto columns = draft_.describe(sql, values);
    if (columns)
      return *columns;
    auto wrong = mistake_in(config_.file, query, *compiled, columns.error(), kFront);
    explain_parameter(query, wrong);
    found_.push_back(std::move(wrong));
    return std::nullopt;
  }

  // The engine does not say where a $name stands that nothing declares.
  void explain_parameter(const Query& query, Diagnostic& wrong) const {
    std::vector<std::string> names;
    for (const auto& parameter : config_.parameters)
      names.push_back(parameter.name);
    for (size_t at = query.text.find('$'); at != std::string::npos; at = query.text.find('$', at + 1)) {
      const auto end = query.text.find_first_not_of(
          "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789", at + 1);
      const auto name = query.text.substr(at + 1, end == std::string::npos ? end : end - at - 1);
      const bool known = std::any_of(names.begin(), names.end(), [&](const auto& one) {
        return engine::fold(one) == engine::fold(name);
      });
      if (name.empty() || known || wrong.message.find("parameter") == std::string::npos)
        continue;
      const auto near = codec::nearest(name, names);
      wrong.message =
          fmt::format("the report has no parameter '{}': {}", name,
                      near.empty() ? "declare it under parameters" : fmt::format("did you mean '{}'?", near));
      wrong.place = place_in_text(config_.file, query, at);
      return;
    }
  }

  void check_sheet(const SheetConfig& sheet, const std::vector<engine::Column>& columns) {
    const auto check = [&](const std::string& name, const Place& place) {
      if (has_column(columns, name))
        return;
      std::vector<std::string> names;
      for (const auto& column : columns)
        names.push_back(column.name);
      const auto near = codec::nearest(name, names);
      found_.push_back({place, fmt::format("sheet {} has no column '{}': {}", sheet.name, name,
                                           near.empty() ? fmt::format("it has {}", fmt::join(names, ", "))
                                                        : fmt::format("did you mean '{}'?", near))});
    };
    for (const auto& column : sheet.columns)
      check(column.name, column.place);
    for (const auto& highlight : sheet.highlights)
      check(highlight.column, highlight.place);
  }

  const Reports& reports_;
  const model::ModelProject* models_;
  const ReportConfig& config_;
  session::Draft& draft_;
  Diagnostics& found_;
};

}  // namespace

Result<std::shared_ptr<const Reports>> Reports::read(Env& env, const project::Project& project,
                                                     std::shared_ptr<const model::ModelProject> models,
                                                     Diagnostics& diagnostics) {
  auto reports = std::shared_ptr<Reports>(new Reports(env, project, std::move(models)));
  TARN_TRY(reports->configs_, read_configs(*env.files, project.root, diagnostics));
  return std::shared_ptr<const Reports>(std::move(reports));
}

Result<std::shared_ptr<const ReportConfig>> Reports::find(const std::string& name) const {
  std::vector<std::string> names;
  for (const auto& config : configs_) {
    if (config->name == name)
      return config;
    names.push_back(config->name);
  }
  const auto near = codec::nearest(name, names);
  return Error{Code::kNotFound,
               fmt::format("there is no report '{}': {}", name,
                           names.empty()  ? "the project has none yet; write reports/NAME.yml"
                           : near.empty() ? fmt::format("the reports are {}", fmt::join(names, ", "))
                                          : fmt::format("did you mean '{}'?", near))};
}

Status Reports::check(session::Draft& draft, Diagnostics& diagnostics) const {
  (void)mail::read_settings(project_.mail, diagnostics);
  for (const auto& config : configs_) {
    if (!config->broken && models_ != nullptr)
      Checker(*this, *config, draft, diagnostics).run();
  }
  return ok();
}

std::vector<std::string> Reports::reads_of(const ReportConfig& config) const {
  std::vector<Query> queries;
  for (const auto& sheet : config.sheets)
    queries.push_back(sheet.query);
  for (const auto& fill : config.fills)
    queries.push_back(fill.query);
  if (config.mail && !config.mail->table.text.empty())
    queries.push_back(config.mail->table);
  std::set<std::string> names;
  for (const auto& query : queries) {
    model::Reads reads;
    Diagnostic mistake;
    (void)compile_query(models_.get(), config.file, query, mistake, &reads);
    names.insert(reads.refs.begin(), reads.refs.end());
    names.insert(reads.source_tasks.begin(), reads.source_tasks.end());
  }
  return {names.begin(), names.end()};
}

Form summary_of(const ReportConfig& config) {
  Form form{.name = config.name,
            .title = config.title,
            .description = config.description,
            .path = config.file.path,
            .has_template = !config.template_path.empty(),
            .has_mail = config.mail.has_value()};
  for (const auto& parameter : config.parameters) {
    form.fields.push_back({.name = parameter.name,
                           .type = std::string(name_of(parameter.type)),
                           .label = parameter.label,
                           .description = parameter.description,
                           .required = parameter.required,
                           .defaults = parameter.defaults.value_or(std::vector<std::string>()),
                           .choices = parameter.choices});
  }
  return form;
}

Result<Form> Reports::form(const ReportConfig& config, session::SessionService& sessions) const {
  TARN_TRY(auto session, sessions.open({}));
  Asker asker(*session, env_, models_.get(), config.file);
  TARN_TRY(const auto today, asker.today());
  auto form = summary_of(config);
  for (size_t i = 0; i < form.fields.size(); ++i) {
    const auto& parameter = config.parameters[i];
    auto& field = form.fields[i];
    for (auto& text : field.defaults) {
      if (parameter.type != ParameterType::kDate)
        continue;
      TARN_TRY(const auto date, resolve_date(text, today));
      text = format_date(date);
    }
    TARN_TRY(field.choices, asker.choices(parameter));
  }
  return form;
}

}  // namespace tarn::report
