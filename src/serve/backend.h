// An open project as the commands and the API use it: by this process, or by a server that holds it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "alert/desk.h"
#include "base/diagnostic.h"
#include "base/result.h"
#include "engine/connection.h"
#include "flow/executor.h"
#include "flow/scheduler.h"
#include "flow/status.h"
#include "flowfile/flows.h"
#include "report/mail/sent_log.h"
#include "report/report.h"
#include "retention/clean.h"

namespace tarn::serve {

using Vars = std::map<std::string, std::string>;

inline constexpr int kAlertsShown = 50;  // of the newest

struct SessionRequest {
  std::optional<Timestamp> as_of = {};
  bool unsafe = false;  // the admin's: no allow-lists
};

struct SqlRequest {
  std::string sql;              // one or more statements; the last one's rows are the answer
  SessionRequest session = {};  // of a session that only this request has
  std::vector<engine::Parameter> parameters = {};  // $name of the last statement
  // Gets a function that stops the statement, as soon as there is one to stop; it may be called from any
  // thread while the answer lives. Gets an empty one when the call fails.
  std::function<void(std::function<void()> cancel)> on_cancellable = {};
};

// The answer of the last statement. One thread, but cancel() from any.
class SqlAnswer {
 public:
  virtual ~SqlAnswer() = default;
  virtual engine::ResultStream& rows() = 0;
  virtual void cancel() = 0;
};

// Temporary tables, macros and a transaction last from one statement to the next. One thread; its answers end
// before the next statement.
class SqlSession {
 public:
  virtual ~SqlSession() = default;
  // `request.session` is not looked at.
  virtual Result<std::unique_ptr<SqlAnswer>> sql(const SqlRequest& request) = 0;
};

struct RunRequest {
  std::string id;  // empty: a new one
  std::vector<std::string> selection;
  std::vector<std::string> exclude;
  bool full_refresh = false;
  Vars vars;
  report::Given parameters;         // of a flow
  std::string schedule;             // that it was due by; empty: somebody asked for it
  std::optional<Timestamp> due_at;  // with `schedule`
  bool resume = false;              // go on with the run of this id where it stopped, if there is one
  Duration timeout{0};              // of the whole run; 0: none
  Duration task_timeout{0};         // of each attempt of a task; 0: none
};

struct ReplayRequest {
  std::string id;  // of the new run; empty: a new one
  std::string source;
  std::string run;
};

struct TableInfo {
  std::string schema;
  std::string name;
  std::string kind;               // "table" or "view"
  std::string metadata_location;  // tables
};

struct ScheduleList {
  std::vector<flow::ScheduleInfo> schedules;
  std::string problem;  // why they may not be what the project's text says; empty: they are
};

struct StartedBackfill {
  flow::BackfillPlan plan;
  bool goes_on = false;  // a server works on it; else it is over
  int failed = 0;        // steps, when it is over
};

struct ReportRequest {
  std::string name;
  report::Given parameters;
  std::optional<Timestamp> as_of;
  std::string key;                        // of a mail: the occasion, which is mailed once; empty: this time
  flow::RunObserver* observer = nullptr;  // hears of its run, where this process makes it
};

struct ReportDone {
  std::string run_id;  // its record
  int64_t rows = 0;
  int64_t lake_version = 0;
};

// What runs things. Thread-safe.
class RunBackend {
 public:
  virtual ~RunBackend() = default;
  virtual Result<flow::RunOutcome> run(const RunRequest& request, flow::RunObserver& observer,
                                       const flow::CancelFlag& cancel) = 0;
  // Names of the tasks that a run would take; its error is why it cannot start.
  virtual Result<std::vector<std::string>> tasks_of(const RunRequest& request) = 0;
  virtual Result<flow::RunOutcome> replay(const ReplayRequest& request, flow::RunObserver& observer,
                                          const flow::CancelFlag& cancel) = 0;
};

// Thread-safe, but for what a method returns.
class Backend : public RunBackend {
 public:
  virtual Result<std::unique_ptr<SqlAnswer>> sql(const SqlRequest& request) = 0;
  virtual Result<std::shared_ptr<SqlSession>> open_session(const SessionRequest& request) = 0;
  // The rows of one SELECT as a Parquet file at an absolute path, which is replaced; returns the rows.
  virtual Result<int64_t> export_parquet(const SqlRequest& request, const std::string& path) = 0;
  virtual Result<std::vector<flow::TaskStatus>> status() = 0;
  virtual Result<Diagnostics> check(const Vars& vars) = 0;
  virtual Result<std::vector<TableInfo>> tables() = 0;
  virtual Result<std::vector<flowfile::FlowSummary>> flows() = 0;  // without choices that come from queries
  virtual Result<flowfile::FlowSummary> flow_form(const std::string& name) = 0;
  // What to run to go on with a flow's run that did not end well.
  virtual Result<RunRequest> resume_request(const std::string& run_id) = 0;
  // Somebody looked: a task's effect that is unknown was done, or is to be done again.
  virtual Status settle_effect(const std::string& run_id, const std::string& task, bool done) = 0;
  virtual Result<ScheduleList> schedules() = 0;
  virtual Status pause_schedule(const std::string& name, bool paused) = 0;
  virtual Result<flow::RunOutcome> run_schedule(const std::string& name, flow::RunObserver& observer,
                                                const flow::CancelFlag& cancel) = 0;
  virtual Result<StartedBackfill> backfill(const flow::BackfillRequest& request, bool dry_run,
                                           flow::RunObserver& observer, const flow::CancelFlag& cancel) = 0;
  virtual Result<std::vector<report::Form>> reports() = 0;  // without choices that come from queries
  virtual Result<report::Form> report_form(const std::string& name) = 0;
  virtual Result<std::vector<report::FieldMeaning>> report_meanings(const ReportRequest& request) = 0;
  // Makes it and mails it; an occasion that was mailed already is answered as it was then.
  virtual Result<report::mail::SentRecord> send_report(const ReportRequest& request,
                                                       const flow::CancelFlag& cancel) = 0;
  // Somebody looked whether a mail arrived, which is named by its id or its occasion; see SentLog::settle().
  virtual Result<report::mail::SentRecord> settle_mail(const std::string& mail, bool done) = 0;
  virtual Result<alert::Overview> alerts() = 0;
  // The same of an alert: done, or to be sent again.
  virtual Status settle_alert(int64_t id, bool done) = 0;
  // Sends a test message to the channel, or to each when it is empty.
  virtual Result<std::vector<alert::TestResult>> test_alerts(const std::string& channel,
                                                             const flow::CancelFlag& cancel) = 0;
  // Takes out what is older than the project's retention; a dry run says what it would.
  virtual Result<retention::Cleaning> clean(bool dry_run, const flow::CancelFlag& cancel) = 0;
  // The workbook at an absolute path, which is replaced.
  virtual Result<ReportDone> make_report(const ReportRequest& request, const std::string& path,
                                         const flow::CancelFlag& cancel) = 0;
};

}  // namespace tarn::serve
