// A project opened by this process: its text, its lake, its runs. Whoever has one holds the data folder's
// lock.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "base/env/env.h"
#include "flow/runs.h"
#include "flow/task.h"
#include "project/project.h"
#include "serve/backend.h"
#include "serve/insight.h"

namespace tarn {
class FaultInjector;
}

namespace tarn::app {

struct ProjectPlan;

// Thread-safe.
class Workspace final : public serve::Backend, public serve::Insight {
 public:
  struct Options {
    bool external_access = false;     // the admin's --unsafe: any file and address
    FaultInjector* faults = nullptr;  // tests only
  };
  static Result<std::unique_ptr<Workspace>> open(Env& env, project::Project project, const Options& options);
  ~Workspace() override;

  Result<std::unique_ptr<serve::SqlAnswer>> sql(const serve::SqlRequest& request) override;
  Result<std::shared_ptr<serve::SqlSession>> open_session(const serve::SessionRequest& request) override;
  Result<int64_t> export_parquet(const serve::SqlRequest& request, const std::string& path) override;
  Result<flow::RunOutcome> run(const serve::RunRequest& request, flow::RunObserver& observer,
                               const flow::CancelFlag& cancel) override;
  Result<std::vector<std::string>> tasks_of(const serve::RunRequest& request) override;
  Result<flow::RunOutcome> replay(const serve::ReplayRequest& request, flow::RunObserver& observer,
                                  const flow::CancelFlag& cancel) override;
  Result<std::vector<flow::TaskStatus>> status() override;
  Result<Diagnostics> check(const serve::Vars& vars) override;
  Result<std::vector<serve::TableInfo>> tables() override;
  Result<std::vector<report::Form>> reports() override;
  Result<report::Form> report_form(const std::string& name) override;
  Result<std::vector<report::FieldMeaning>> report_meanings(const serve::ReportRequest& request) override;
  Result<report::mail::SentRecord> send_report(const serve::ReportRequest& request,
                                               const flow::CancelFlag& cancel) override;
  Result<serve::ReportDone> make_report(const serve::ReportRequest& request, const std::string& path,
                                        const flow::CancelFlag& cancel) override;
  Result<std::vector<flowfile::FlowSummary>> flows() override;
  Result<flowfile::FlowSummary> flow_form(const std::string& name) override;
  Result<serve::RunRequest> resume_request(const std::string& run_id) override;
  Status settle_effect(const std::string& run_id, const std::string& task, bool done) override;
  Result<serve::ScheduleList> schedules() override;
  Status pause_schedule(const std::string& name, bool paused) override;
  Result<flow::RunOutcome> run_schedule(const std::string& name, flow::RunObserver& observer,
                                        const flow::CancelFlag& cancel) override;
  Result<serve::StartedBackfill> backfill(const flow::BackfillRequest& request, bool dry_run,
                                          flow::RunObserver& observer,
                                          const flow::CancelFlag& cancel) override;

  Result<report::mail::SentRecord> settle_mail(const std::string& mail, bool done) override;
  Result<alert::Overview> alerts() override;
  Status settle_alert(int64_t id, bool done) override;
  Result<std::vector<alert::TestResult>> test_alerts(const std::string& channel,
                                                     const flow::CancelFlag& cancel) override;

  Result<retention::Cleaning> clean(bool dry_run, const flow::CancelFlag& cancel) override;
  // The same when a day has passed since the last time; nothing: it is not time yet.
  Result<std::optional<retention::Cleaning>> clean_daily(const flow::CancelFlag& cancel);

  [[nodiscard]] alert::Desk& desk();
  [[nodiscard]] flow::Scheduler& scheduler();
  // The schedules of the text as it is now; the mistakes are those of the whole text. Its alerts go to the
  // desk.
  Result<flow::SchedulePlan> schedule_plan();
  // See flow::SchedulerHost.
  Result<std::map<std::string, std::string>> versions(const std::set<std::string>& names);
  // Of tarn.yml as it is now.
  TimeZone time_zone();

  [[nodiscard]] std::string project_name() const override;
  [[nodiscard]] std::string data_folder() const override;
  Result<std::vector<serve::GraphTask>> graph() override;
  engine::LakeCatalog& lake() override;
  Result<std::vector<serve::TableMoment>> table_history(const std::string& uuid, int limit) override;
  store::Store& records() override;
  std::vector<serve::AttachmentInfo> attachments() override;
  Result<serve::AttachmentInfo> attachment(const std::string& name) override;
  Result<serve::RawBytes> raw_bytes(const std::string& source, const std::string& run,
                                    int64_t number) override;

  [[nodiscard]] const project::Project& project() const;
  [[nodiscard]] flow::Runs& runs();
  [[nodiscard]] session::SessionService& sessions();
  [[nodiscard]] std::string spill_folder() const;

 private:
  struct Parts;
  Result<flow::SchedulePlan> planned_schedules(const ProjectPlan& plan);
  // The run of a selection; `part_of`: "run/task" of the flow that it is a part of, or empty.
  Result<flow::RunOutcome> run_selection(const ProjectPlan& plan, const serve::RunRequest& request,
                                         const std::string& part_of, flow::RunObserver& observer,
                                         const flow::CancelFlag& cancel);
  Result<flow::RunOutcome> run_flow(const ProjectPlan& plan, const serve::RunRequest& request,
                                    flow::RunObserver& observer, const flow::CancelFlag& cancel);
  Result<std::shared_ptr<session::Session>> make_session(const serve::SessionRequest& request);
  explicit Workspace(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace tarn::app
