// Workbooks that people ask for by name: reports/*.yml with parameters, filled from queries. Immutable after
// reading; see docs/workbooks.md. All queries of one workbook see the same version of the lake.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/diagnostic.h"
#include "base/env/env.h"
#include "base/result.h"
#include "flow/task.h"
#include "model/model.h"
#include "project/project.h"
#include "report/config.h"
#include "report/form.h"
#include "report/mail/html.h"
#include "report/parameters.h"
#include "session/draft.h"
#include "session/session.h"

namespace tarn::report {

struct Form {
  std::string name, title, description, path;
  bool has_template = false;
  bool has_mail = false;
  std::string recipients;  // of its mail: to, cc and bcc
  std::string subject;     // of its mail, as the file has it
  bool only_if_rows = false;
  bool broken = false;  // it has mistakes
  std::vector<FormField> fields;
};

// What a value that somebody wrote into a form means, or why it is none.
struct FieldMeaning {
  std::string name;
  std::string shown;    // "2026-10-30" for "today - 30 days"
  std::string problem;  // empty: it is good
  // Where they depend on other parameters: what can be chosen now.
  std::optional<std::vector<Choice>> choices = {};
};

struct MakeRequest {
  std::string name;
  Given parameters;
  std::optional<Timestamp> as_of;
  std::string path;  // absolute; where the workbook is to stand
  // Filled by the queries of the report's mail, of the same version.
  mail::BodyTable* body_table = nullptr;
  chart::ChartData* body_chart = nullptr;
};

struct Made {
  int64_t rows = 0;
  int64_t lake_version = 0;
  std::chrono::year_month_day today{};
  std::vector<Value> values;  // the parameters
  std::vector<std::string> warnings;
};

// Without choices that come from queries; defaults as they are written.
Form summary_of(const ReportConfig& config);

class Reports {
 public:
  // Reads all reports; mistakes go to `diagnostics`. `models` may be null when they have mistakes themselves.
  static Result<std::shared_ptr<const Reports>> read(Env& env, const project::Project& project,
                                                     std::shared_ptr<const model::ModelProject> models,
                                                     Diagnostics& diagnostics);

  [[nodiscard]] const std::vector<std::shared_ptr<const ReportConfig>>& configs() const {
    return folder_.configs();
  }
  // kNotFound says which there are.
  [[nodiscard]] Result<std::shared_ptr<const ReportConfig>> find(const std::string& name) const {
    return folder_.find(name);
  }
  // kInvalid with the first mistake of a broken report.
  [[nodiscard]] Result<std::shared_ptr<const ReportConfig>> find_whole(const std::string& name) const {
    return folder_.find_whole(name);
  }

  // Adds the mistakes that only the engine can see. Models have put their tables into the draft.
  Status check(session::Draft& draft, Diagnostics& diagnostics) const;

  // Names of the tasks that make what its queries refer to.
  [[nodiscard]] std::vector<std::string> reads_of(const ReportConfig& config) const;

  // Asks the queries of choices; those that depend on other parameters as these are by default.
  [[nodiscard]] Result<Form> form(const ReportConfig& config, session::SessionService& sessions) const;

  // Looks at each parameter, with what its choices depend on. kInvalid: a name that is no parameter.
  [[nodiscard]] Result<std::vector<FieldMeaning>> meanings(const ReportConfig& config, const Given& given,
                                                           session::SessionService& sessions) const;

  // Makes the workbook. Work files go to `work_folder`; the file appears whole or not at all.
  Result<Made> make(const MakeRequest& request, session::SessionService& sessions,
                    const std::string& work_folder, flow::TaskLog* log, const flow::CancelFlag& cancel) const;

  [[nodiscard]] const model::ModelProject* models() const { return models_.get(); }
  [[nodiscard]] const project::Project& project() const { return project_; }

 private:
  Reports(Env& env, project::Project project, std::shared_ptr<const model::ModelProject> models)
      : env_(env), project_(std::move(project)), models_(std::move(models)) {}

  Env& env_;
  const project::Project project_;
  std::shared_ptr<const model::ModelProject> models_;
  project::YamlFolder<ReportConfig> folder_;
};

// One making of one report, as a task of a run. `made` is filled when it is done.
std::unique_ptr<flow::Task> make_report_task(std::shared_ptr<const Reports> reports, MakeRequest request,
                                             std::string work_folder, Made& made);

}  // namespace tarn::report
