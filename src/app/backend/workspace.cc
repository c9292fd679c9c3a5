#include "app/backend/workspace.h"

#include <deque>

#include <fmt/format.h>

#include "app/backend/outside.h"
#include "app/backend/project_alerts.h"
#include "app/backend/project_tasks.h"
#include "app/backend/replay_task.h"
#include "app/backend/workspace_parts.h"
#include "app/server/janitor.h"
#include "app/shell/statement.h"
#include "base/ids.h"
#include "engine/parse.h"
#include "flow/run_tables.h"
#include "flowfile/script/process.h"
#include "lake/lake.h"
#include "quality/tables.h"
#include "report/deliver.h"
#include "report/report.h"
#include "serve/http/json.h"
#include "session/session.h"
#include "session/statements.h"
#include "source/source.h"

namespace tarn::app {
namespace {

// The rows of a statement with the session that they come from.
class LocalAnswer final : public serve::SqlAnswer {
 public:
  LocalAnswer(std::shared_ptr<session::Session> session, std::unique_ptr<engine::ResultStream> rows)
      : session_(std::move(session)), rows_(std::move(rows)) {}
  engine::ResultStream& rows() override { return *rows_; }
  void cancel() override { session_->cancel(); }

 private:
  std::shared_ptr<session::Session> session_;
  std::unique_ptr<engine::ResultStream> rows_;
};

// Passes the session's cancel() on while it stands; takes it back when the call fails.
class Cancellable {
 public:
  Cancellable(const serve::SqlRequest& request, const std::shared_ptr<session::Session>& session)
      : request_(request) {
    const auto stop = std::make_shared<std::atomic<bool>>(false);
    session->set_stop_flag(stop);
    if (request_.on_cancellable) {
      request_.on_cancellable([session, stop] {
        stop->store(true);
        session->cancel();
      });
    }
  }
  ~Cancellable() {
    if (!kept_ && request_.on_cancellable)
      request_.on_cancellable({});
  }
  Cancellable(const Cancellable&) = delete;
  Cancellable& operator=(const Cancellable&) = delete;
  void keep() { kept_ = true; }

 private:
  const serve::SqlRequest& request_;
  bool kept_ = false;
};

class LocalSession final : public serve::SqlSession {
 public:
  explicit LocalSession(std::shared_ptr<session::Session> session) : session_(std::move(session)) {}

  Result<std::unique_ptr<serve::SqlAnswer>> sql(const serve::SqlRequest& request) override {
    const auto parsed = engine::parse(request.sql);
    if (!parsed) {
      const auto refused = session_->query(request.sql);  // fails the session's open transaction
      return refused ? parsed.error() : refused.error();
    }
    const auto& statements = *parsed;
    if (statements.empty())
      return Error{Code::kInvalid, "there is no statement in the text"};
    Cancellable cancellable(request, session_);
    const auto last = statements.size() > 1 ? statements.back().begin : 0;
    if (statements.size() > 1) {
      TARN_TRY([[maybe_unused]] const auto changed,
               session_->execute(std::string_view(request.sql).substr(0, last)));
    }
    TARN_TRY(auto rows, session_->query(placed(request.sql, last, request.sql.size()), request.parameters));
    cancellable.keep();
    return std::unique_ptr<serve::SqlAnswer>(std::make_unique<LocalAnswer>(session_, std::move(rows)));
  }

 private:
  std::shared_ptr<session::Session> session_;
};

// Nobody watches the run of a report: its caller waits for the end.
class SilentObserver final : public flow::RunObserver {
  void run_started(const flow::RunRecord&, size_t) override {}
  void task_started(const flow::TaskRecord&) override {}
  void task_progress(const std::string&, const std::string&) override {}
  void task_line(const std::string&, const std::string&) override {}
  void task_retried(const std::string&, const std::string&, Duration) override {}
  void task_ended(const flow::TaskRecord&) override {}
  void run_ended(const flow::RunRecord&) override {}
};

Status check_done(const flow::TaskRecord& record) {
  if (record.state == flow::State::kDone)
    return ok();
  return Error{record.state == flow::State::kCancelled ? Code::kCancelled : serve::code_of(record.error_code),
               record.error.empty() ? "the report was cancelled" : record.error};
}

Status copy_file(FileSystem& files, const std::string& from, const std::string& to) {
  const auto unfinished = to + ".unfinished";
  TARN_TRY(const bool left, files.exists(unfinished));
  if (left)
    TARN_CHECK(files.remove(unfinished));
  TARN_CHECK(files.link_or_copy(from, unfinished));
  return files.rename(unfinished, to);
}

}  // namespace

Result<lake::SystemTables> Workspace::Parts::open_records(store::Store& store, engine::LakeCatalog& catalog) {
  TARN_TRY(runs, flow::Runs::open(env, store));
  TARN_TRY(fetches, source::FetchRecords::open(store));
  TARN_TRY(scheduler, flow::Scheduler::open(env, store, *runs));
  auto tables = flow::run_tables(store);
  tables.push_back(source::fetches_table(store));
  TARN_TRY(sent, report::mail::SentLog::open(env, store));
  tables.push_back(report::mail::sent_table(store));
  TARN_TRY(flows, flowfile::FlowRecords::open(env, store));
  tables.push_back(flows->effects_table());
  TARN_TRY(alerts, alert::Desk::open(env, store));
  tables.push_back(alert::alerts_table(store));
  TARN_CHECK(retention::open_records(store));
  tables.push_back(session::statements_table(watchdog));
  const auto zone = TimeZone::find(project.time_zone).value_or(TimeZone());
  for (auto& table : quality::quality_tables({env, store, catalog, zone}))
    tables.push_back(std::move(table));
  return tables;
}

Result<flow::RunOutcome> Workspace::Parts::execute(const std::vector<flow::Task*>& tasks,
                                                   flow::ExecutorOptions options, flow::RunObserver& observer,
                                                   const flow::CancelFlag& cancel) {
  options.threads =
      project.threads > 0 ? project.threads : static_cast<int>(std::thread::hardware_concurrency());
  options.data_folder = project.data_folder;
  options.admit = [this] { return lake->reserve().check(); };
  return flow::run_tasks(env, *sessions, *runs, tasks, options, observer, cancel);
}

Workspace::Workspace(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Workspace::~Workspace() = default;

Result<std::unique_ptr<Workspace>> Workspace::open(Env& env, project::Project project,
                                                   const Options& options) {
  auto parts = std::make_unique<Parts>(env, std::move(project));
  lake::LakeOptions lake;
  lake.data_folder = parts->project.data_folder;
  lake.memory_limit_bytes = parts->project.memory_limit_bytes;
  lake.threads = parts->project.threads;
  lake.time_zone = parts->project.time_zone;
  lake.external_access = options.external_access;
  lake.disk_reserve_bytes = parts->project.disk_reserve_bytes;
  lake.table_folders = parts->project.iceberg_folders;
  lake.check_outside_files = parts->project.iceberg_checks_files;
  lake.outside = outside_options(env, parts->project);
  lake.faults = options.faults;
  lake.system_tables = [&parts](store::Store& store, engine::LakeCatalog& catalog) {
    return parts->open_records(store, catalog);
  };
  TARN_TRY(parts->lake, lake::Lake::open(env, std::move(lake)));
  flowfile::clear_scripts(parts->project.data_folder);
  parts->sessions = session::make_session_service(
      parts->lake->database(), parts->lake->catalog(), env,
      {.watchdog = parts->watchdog, .attachments = attachment_names(parts->project)});
  return std::unique_ptr<Workspace>(new Workspace(std::move(parts)));
}

const project::Project& Workspace::project() const {
  return parts_->project;
}

session::SessionService& Workspace::sessions() {
  return *parts_->sessions;
}

flow::Runs& Workspace::runs() {
  return *parts_->runs;
}

std::string Workspace::spill_folder() const {
  return parts_->lake->folder().spill();
}

Result<std::shared_ptr<session::Session>> Workspace::make_session(const serve::SessionRequest& request) {
  TARN_TRY(auto session,
           parts_->sessions->open({.principal = {}, .unsafe = request.unsafe, .as_of = request.as_of}));
  return std::shared_ptr<session::Session>(std::move(session));
}

Result<std::shared_ptr<serve::SqlSession>> Workspace::open_session(const serve::SessionRequest& request) {
  TARN_TRY(auto session, make_session(request));
  return std::shared_ptr<serve::SqlSession>(std::make_shared<LocalSession>(std::move(session)));
}

Result<std::unique_ptr<serve::SqlAnswer>> Workspace::sql(const serve::SqlRequest& request) {
  TARN_TRY(auto session, make_session(request.session));
  return LocalSession(std::move(session)).sql(request);
}

Result<int64_t> Workspace::export_parquet(const serve::SqlRequest& request, const std::string& path) {
  TARN_TRY(const auto statements, engine::parse(request.sql));
  if (statements.size() != 1 || statements[0].kind != engine::StatementKind::kSelect) {
    return Error{Code::kInvalid, "only the rows of one SELECT can be written as Parquet"};
  }
  if (!request.parameters.empty())
    return Error{Code::kUnsupported, "a Parquet file takes no parameters: write the values into the text"};
  TARN_TRY(const auto session, make_session(request.session));
  const Cancellable cancellable(request, session);
  // The person's text passes the gate into a temporary table; only then Tarn's own COPY names a file.
  TARN_TRY(const auto rows,
           session->execute(fmt::format("CREATE TEMP TABLE tarn_export AS\n{}", statements[0].text)));
  auto& files = *parts_->env.files;
  const auto unfinished = fmt::format("{}/export-{}.parquet", spill_folder(), new_uuid(*parts_->env.random));
  auto written = [&]() -> Status {
    TARN_TRY(
        [[maybe_unused]] const auto copied,
        session->execute_own(fmt::format("COPY temp.tarn_export TO {} (FORMAT parquet, COMPRESSION zstd)",
                                         session::quote_literal(unfinished))));
    return copy_file(files, unfinished, path);
  }();
  (void)files.remove(unfinished);
  if (!written)
    return written.error();
  return rows;
}

Result<flow::RunOutcome> Workspace::run(const serve::RunRequest& request, flow::RunObserver& observer,
                                        const flow::CancelFlag& cancel) {
  TARN_TRY(const auto plan, plan_project(parts_->env, parts_->project, request.vars, *parts_->fetches,
                                         parts_->lake->catalog()));
  if (!plan.mistakes.empty())
    return mistakes_error(plan.mistakes);
  return flow_of(request.selection).empty() ? run_selection(plan, request, "", observer, cancel)
                                            : run_flow(plan, request, observer, cancel);
}

Result<flow::RunOutcome> Workspace::run_selection(const ProjectPlan& plan, const serve::RunRequest& request,
                                                  const std::string& part_of, flow::RunObserver& observer,
                                                  const flow::CancelFlag& cancel) {
  TARN_TRY(auto tasks, chosen_tasks(plan, request));
  TARN_TRY(const auto names, select_names(plan, request.selection, request.exclude));
  std::deque<report::mail::SentRecord> records;
  std::vector<std::unique_ptr<flow::Task>> mails;
  // A query may name a table without ref: a mail waits for everything that the run builds.
  std::vector<std::string> built;
  for (const auto* task : tasks)
    built.push_back(task->name());
  for (const auto& name : mailed_reports(names)) {
    mails.push_back(
        report::make_delivery_task(plan.reports, *parts_->sent, *parts_->runs,
                                   {.name = name, .parameters = {}, .as_of = {}, .key = "", .after = built},
                                   spill_folder(), records.emplace_back()));
    tasks.push_back(mails.back().get());
  }
  flow::ExecutorOptions options;
  options.selection = selection_text(request);
  options.part_of = part_of;
  options.full_refresh = request.full_refresh;
  options.run_id = request.id;
  options.schedule = request.schedule;
  options.due_at = request.due_at;
  options.resume = request.resume;
  options.timeout = request.timeout;
  options.task_timeout = request.task_timeout;
  return parts_->execute(tasks, std::move(options), observer, cancel);
}

Result<std::vector<std::string>> Workspace::tasks_of(const serve::RunRequest& request) {
  TARN_TRY(const auto plan, plan_project(parts_->env, parts_->project, request.vars, *parts_->fetches,
                                         parts_->lake->catalog()));
  if (!plan.mistakes.empty())
    return mistakes_error(plan.mistakes);
  TARN_TRY(const auto selected, select_names(plan, request.selection, request.exclude));
  if (!flow_of(request.selection).empty())
    return std::vector<std::string>(selected.begin(), selected.end());
  TARN_TRY(const auto tasks, chosen_tasks(plan, request));
  std::vector<std::string> names;
  for (const auto* task : tasks)
    names.push_back(task->name());
  for (const auto& report : mailed_reports(selected))
    names.push_back("mail:" + report);
  return names;
}

Result<flow::RunOutcome> Workspace::replay(const serve::ReplayRequest& request, flow::RunObserver& observer,
                                           const flow::CancelFlag& cancel) {
  TARN_TRY(const auto plan,
           plan_project(parts_->env, parts_->project, {}, *parts_->fetches, parts_->lake->catalog()));
  if (!plan.mistakes.empty())
    return mistakes_error(plan.mistakes);
  const auto task = make_replay_task(plan.sources, *parts_->fetches, request.source, request.run);
  flow::ExecutorOptions options;
  options.command = "replay";
  options.selection = request.source + " " + request.run;
  options.run_id = request.id;
  return parts_->execute({task.get()}, std::move(options), observer, cancel);
}

Result<std::vector<flow::TaskStatus>> Workspace::status() {
  TARN_TRY(const auto plan,
           plan_project(parts_->env, parts_->project, {}, *parts_->fetches, parts_->lake->catalog()));
  return flow::status_of(*parts_->env.clock, *parts_->runs, plan.tasks);
}

Result<Diagnostics> Workspace::check(const serve::Vars& vars) {
  TARN_TRY(auto plan,
           plan_project(parts_->env, parts_->project, vars, *parts_->fetches, parts_->lake->catalog()));
  TARN_CHECK(check_by_engine(plan, *parts_->sessions, *parts_->fetches));
  TARN_TRY(auto found, planned_schedules(plan));
  std::move(found.mistakes.begin(), found.mistakes.end(), std::back_inserter(plan.mistakes));
  auto alerts = alerts_of(plan);
  std::move(alerts.mistakes.begin(), alerts.mistakes.end(), std::back_inserter(plan.mistakes));
  return std::move(plan.mistakes);
}

Result<std::vector<report::Form>> Workspace::reports() {
  TARN_TRY(const auto plan, read_project(parts_->env, parts_->project, {}));
  std::vector<report::Form> forms;
  for (const auto& config : plan.reports->configs())
    forms.push_back(report::summary_of(*config));
  return forms;
}

Result<report::Form> Workspace::report_form(const std::string& name) {
  TARN_TRY(const auto plan, read_project(parts_->env, parts_->project, {}));
  TARN_TRY(const auto config, plan.reports->find(name));
  return plan.reports->form(*config, *parts_->sessions);
}

Result<std::vector<report::FieldMeaning>> Workspace::report_meanings(const serve::ReportRequest& request) {
  TARN_TRY(const auto plan, read_project(parts_->env, parts_->project, {}));
  TARN_TRY(const auto config, plan.reports->find(request.name));
  return plan.reports->meanings(*config, request.parameters, *parts_->sessions);
}

Result<serve::ReportDone> Workspace::make_report(const serve::ReportRequest& request, const std::string& path,
                                                 const flow::CancelFlag& cancel) {
  TARN_TRY(const auto plan, read_project(parts_->env, parts_->project, {}));
  // A name that is none leaves no record.
  TARN_TRY(const auto config, plan.reports->find(request.name));
  report::Made made;
  const auto task = report::make_report_task(
      plan.reports,
      {.name = request.name, .parameters = request.parameters, .as_of = request.as_of, .path = path},
      spill_folder(), made);
  flow::ExecutorOptions options;
  options.command = "report";
  options.selection = request.name;
  SilentObserver silent;
  auto& observer = request.observer != nullptr ? *request.observer : silent;
  TARN_TRY(const auto outcome, parts_->execute({task.get()}, std::move(options), observer, cancel));
  TARN_CHECK(check_done(outcome.tasks.front()));
  return serve::ReportDone{.run_id = outcome.run.id, .rows = made.rows, .lake_version = made.lake_version};
}

Result<report::mail::SentRecord> Workspace::send_report(const serve::ReportRequest& request,
                                                        const flow::CancelFlag& cancel) {
  TARN_TRY(const auto plan, read_project(parts_->env, parts_->project, {}));
  TARN_TRY(const auto config, plan.reports->find(request.name));
  report::mail::SentRecord record;
  const auto task = report::make_delivery_task(
      plan.reports, *parts_->sent, *parts_->runs,
      {.name = request.name, .parameters = request.parameters, .as_of = request.as_of, .key = request.key},
      spill_folder(), record);
  flow::ExecutorOptions options;
  options.command = "report";
  options.selection = request.name;
  SilentObserver silent;
  auto& observer = request.observer != nullptr ? *request.observer : silent;
  TARN_TRY(const auto outcome, parts_->execute({task.get()}, std::move(options), observer, cancel));
  TARN_CHECK(check_done(outcome.tasks.front()));
  return record;
}

Result<report::mail::SentRecord> Workspace::settle_mail(const std::string& mail, bool done) {
  return parts_->sent->settle(mail, done);
}

// By the text as it is now; with mistakes in it nothing is taken out.
Result<retention::Cleaning> Workspace::clean(bool dry_run, const flow::CancelFlag& cancel) {
  Diagnostics mistakes;
  TARN_TRY(const auto project, project::load_project(*parts_->env.files, parts_->project.root, mistakes));
  const auto policy = retention::read_policy(project.retention, mistakes);
  if (!mistakes.empty())
    return mistakes_error(mistakes);
  const retention::CleanerParts parts{parts_->env, parts_->lake->store(), *parts_->sessions, *parts_->lake,
                                      parts_->project.data_folder};
  const std::lock_guard lock(parts_->clean_mutex);
  return retention::clean(parts, policy, dry_run, [&cancel] { return cancel.is_set(); });
}

Result<std::optional<retention::Cleaning>> Workspace::clean_daily(const flow::CancelFlag& cancel) {
  TARN_TRY(const auto last, retention::last_cleaned_at(parts_->lake->store()));
  if (!cleans_now(last, parts_->env.clock->now()))
    return std::optional<retention::Cleaning>();
  TARN_TRY(auto done, clean(false, cancel));
  return std::optional(std::move(done));
}

Result<std::vector<serve::TableInfo>> Workspace::tables() {
  TARN_TRY(const auto head, parts_->lake->catalog().head());
  std::vector<serve::TableInfo> all;
  for (const auto& [folded, schema] : head->schemas) {
    for (const auto& [name, table] : schema->tables) {
      all.push_back({table->name().schema, table->name().name, "table", table->metadata_location()});
    }
    for (const auto& [name, view] : schema->views)
      all.push_back({view->name.schema, view->name.name, "view", ""});
  }
  return all;
}

std::string Workspace::project_name() const {
  return parts_->project.name;
}

std::string Workspace::data_folder() const {
  return parts_->project.data_folder;
}

Result<std::vector<serve::GraphTask>> Workspace::graph() {
  TARN_TRY(const auto plan,
           plan_project(parts_->env, parts_->project, {}, *parts_->fetches, parts_->lake->catalog()));
  std::vector<serve::GraphTask> graph;
  for (const auto& task : plan.tasks) {
    graph.push_back({task->name(), task->kind(), task->path(), task->tags(), task->upstream(), task->writes(),
                     task->reads_outside()});
  }
  return graph;
}

engine::LakeCatalog& Workspace::lake() {
  return parts_->lake->catalog();
}

Result<std::vector<serve::TableMoment>> Workspace::table_history(const std::string& uuid, int limit) {
  TARN_TRY(const auto changes, parts_->lake->catalog().history(uuid, limit));
  std::vector<serve::TableMoment> moments;
  for (const auto& change : changes)
    moments.push_back({change.lake_version, change.time, change.metadata_location});
  return moments;
}

store::Store& Workspace::records() {
  return parts_->lake->store();
}

std::vector<serve::AttachmentInfo> Workspace::attachments() {
  std::vector<serve::AttachmentInfo> all;
  for (const auto& attachment : parts_->project.attachments)
    all.push_back({.name = attachment.name, .kind = attachment.kind, .problem = "", .tables = {}});
  return all;
}

Result<serve::AttachmentInfo> Workspace::attachment(const std::string& name) {
  for (auto& info : attachments()) {
    if (info.name != name)
      continue;
    auto tables = parts_->lake->database().outside_tables(name);
    if (tables)
      info.tables = std::move(*tables);
    else
      info.problem = tables.error().message;
    return info;
  }
  return Error{Code::kNotFound,
               fmt::format("tarn.yml attaches no database '{}'; GET /api/v1/attachments lists those "
                           "that it does",
                           name)};
}

Result<serve::RawBytes> Workspace::raw_bytes(const std::string& source, const std::string& run,
                                             int64_t number) {
  TARN_TRY(const auto fetches, parts_->fetches->of_run(source, run));
  for (const auto& fetch : fetches) {
    if (fetch.number != number)
      continue;
    const auto path = fetch.path.empty() ? std::string() : parts_->project.data_folder + "/" + fetch.path;
    return serve::RawBytes{path, fetch.url, fetch.encoding, fetch.bytes, fetch.error};
  }
  return Error{Code::kNotFound, fmt::format("source '{}' has no fetch {}/{}; SELECT source, id FROM "
                                            "_tarn.fetches lists what there is",
                                            source, run, number)};
}

}  // namespace tarn::app
