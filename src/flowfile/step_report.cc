// Tasks of kind report: a workbook kept as a file, mailed, or both.
#include <filesystem>

#include <fmt/format.h>

#include "flowfile/step.h"
#include "report/deliver.h"

namespace tarn::flowfile {
namespace {

Result<report::Given> given_of(const StepContext& context) {
  report::Given given;
  for (const auto& [name, texts] : context.config.report.parameters) {
    auto& values = given[name];
    for (const auto& text : texts) {
      std::vector<std::string> secrets;
      TARN_TRY(const auto value, fill_value(text, context.scope, secrets));
      if (value.is_array()) {
        for (const auto& one : value)
          values.push_back(text_of(one));
      } else if (!value.is_null()) {
        values.push_back(text_of(value));
      }
    }
  }
  return given;
}

Result<Json> keep_file(StepContext& context, const report::Given& given) {
  TARN_TRY(const auto file, fill(context.config.report.file, context.scope));
  // A value must not lead out of the project.
  if (file.text.starts_with("/") || file.text.find("..") != std::string::npos ||
      file.text.find('\0') != std::string::npos || file.text.starts_with("."))
    return Error{Code::kDenied, fmt::format("the workbook's file '{}' is not in the project", file.text)};
  const auto path = context.run.project.root + "/" + file.text;
  TARN_CHECK(context.run.host.env.files->make_folders(std::filesystem::path(path).parent_path().string()));
  TARN_TRY(const auto made,
           context.run.reports->make(
               {.name = context.config.report.report, .parameters = given, .path = path},
               context.task.sessions, context.run.host.spill_folder, &context.task.log, context.task.cancel));
  context.task.report->counts.rows_in += made.rows;
  context.task.report->warnings.insert(context.task.report->warnings.end(), made.warnings.begin(),
                                       made.warnings.end());
  context.task.log.line(fmt::format("{}: {} rows", file.text, made.rows));
  return Json{{"file", file.text}, {"rows", made.rows}, {"lake_version", made.lake_version}};
}

// The log of mails keeps it to one for this run and task, and tells when nobody knows.
Result<Json> mail(StepContext& context, const report::Given& given) {
  report::mail::SentRecord record;
  const auto delivery =
      report::make_delivery_task(context.run.reports, context.run.host.sent, context.run.host.runs,
                                 {.name = context.config.report.report,
                                  .parameters = given,
                                  .as_of = {},
                                  .key = context.task.run_id + "/" + context.task.task_name,
                                  .after = {}},
                                 context.run.host.spill_folder, record);
  const auto done = delivery->run(context.task);
  if (!done) {
    const auto newest = context.run.host.sent.find(context.task.run_id + "/" + context.task.task_name);
    context.task.sequel->unknown = newest && *newest && (*newest)->state == report::mail::SentState::kUnknown;
    return done.error();
  }
  return Json{{"mailed_to", record.recipients},
              {"state", report::mail::name_of(record.state)},
              {"subject", record.subject}};
}

}  // namespace

Result<Json> run_report(StepContext& context) {
  const auto& report = context.config.report;
  TARN_TRY(const auto config, context.run.reports->find_whole(report.report));
  TARN_TRY(const auto given, given_of(context));
  auto result = Json::object();
  if (!report.file.text.empty()) {
    TARN_TRY(const auto kept, keep_file(context, given));
    result.update(kept);
  }
  if (report.mail) {
    TARN_TRY(const auto mailed, mail(context, given));
    result.update(mailed);
  }
  return result;
}

}  // namespace tarn::flowfile
