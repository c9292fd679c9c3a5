#include "report/report.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "engine/parse.h"
#include "report/ask.h"
#include "report/cascade.h"
#include "report/compiled_query.h"
#include "report/query_checker.h"
#include "report/template/fill.h"

namespace tarn::report {
namespace {

class Checker {
 public:
  Checker(const Reports& reports, const ReportConfig& config, session::Draft& draft, Diagnostics& found)
      : reports_(reports), models_(reports.models()), config_(config), draft_(draft), found_(found) {}

  void run() {
    for (const auto& parameter : config_.parameters) {
      if (!parameter.choices_query.text.empty())
        (void)columns_of(parameter.choices_query);
    }
    check_circles(needs_of(models_, config_.file, config_.parameters), config_.file, config_.parameters,
                  found_);
    if (config_.mail)
      check_mail(*config_.mail);
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
  std::optional<std::vector<engine::Column>> columns_of(const Query& query) {
    return check_query({models_, config_.file, config_.parameters, "parameters"}, query, draft_, found_);
  }

  void check_mail(const mail::MailConfig& mail) {
    const auto table = mail.table.text.empty() ? std::nullopt : columns_of(mail.table);
    if (!mail.chart)
      return;
    const bool shares = mail.chart->query.place == mail.table.place;
    if (const auto columns = shares ? table : columns_of(mail.chart->query))
      chart::check_columns(*mail.chart, *columns, found_);
  }

  void check_sheet(const SheetConfig& sheet, const std::vector<engine::Column>& columns) {
    const auto what = fmt::format("sheet {}", sheet.name);
    for (const auto& column : sheet.columns)
      (void)check_column(columns, column.name, what, column.place, found_);
    for (const auto& highlight : sheet.highlights)
      (void)check_column(columns, highlight.column, what, highlight.place, found_);
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
  TARN_TRY(reports->folder_,
           project::YamlFolder<ReportConfig>::read(
               *env.files, project.root, {.folder = "reports", .one = "report"}, read_config, diagnostics));
  return std::shared_ptr<const Reports>(std::move(reports));
}

Status Reports::check(session::Draft& draft, Diagnostics& diagnostics) const {
  (void)mail::read_settings(project_.mail, diagnostics);
  for (const auto& config : configs()) {
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
  if (config.mail && config.mail->chart)
    queries.push_back(config.mail->chart->query);
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
  form.broken = config.broken;
  if (config.mail) {
    form.recipients = mail::all_recipients(*config.mail);
    form.subject = config.mail->subject;
    form.only_if_rows = config.mail->only_if_rows;
  }
  form.fields = fields_of(config.parameters);
  return form;
}

Result<Form> Reports::form(const ReportConfig& config, session::SessionService& sessions) const {
  TARN_TRY(auto session, sessions.open({}));
  Asker asker(*session, env_, models_.get(), config.file);
  auto form = summary_of(config);
  TARN_CHECK(settle_fields("report " + config.name, form.fields, config.parameters, asker));
  return form;
}

Result<std::vector<FieldMeaning>> Reports::meanings(const ReportConfig& config, const Given& given,
                                                    session::SessionService& sessions) const {
  TARN_TRY(const auto session, sessions.open({}));
  Asker asker(*session, env_, models_.get(), config.file);
  TARN_TRY(auto looks, asker.look("report " + config.name, config.parameters, given, false));
  std::vector<FieldMeaning> all;
  for (size_t i = 0; i < looks.size(); ++i) {
    auto& look = looks[i];
    all.push_back({config.parameters[i].name, std::move(look.value.shown), std::move(look.problem)});
    look.choices.resize(std::min(look.choices.size(), kFormChoicesMax));
    if (!look.needs.empty())
      all.back().choices = std::move(look.choices);
  }
  return all;
}

}  // namespace tarn::report
