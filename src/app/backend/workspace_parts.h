// What a Workspace holds. For the files that make up Workspace only.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "alert/desk.h"
#include "app/backend/workspace.h"
#include "flow/scheduler.h"
#include "flowfile/records.h"
#include "lake/lake.h"
#include "report/mail/sent_log.h"
#include "session/session.h"
#include "session/statements.h"
#include "source/source.h"

namespace tarn::app {

constexpr int kSlots = 8;  // people's statements at the same time

// Destroyed in the opposite order: what stands below uses what stands above.
struct Workspace::Parts {
  explicit Parts(Env& the_env, project::Project the_project)
      : env(the_env), project(std::move(the_project)) {}
  Env& env;
  project::Project project;
  std::shared_ptr<session::Watchdog> watchdog = session::make_watchdog(env, kSlots);
  std::unique_ptr<lake::Lake> lake;
  std::unique_ptr<flow::Runs> runs;
  std::unique_ptr<source::FetchRecords> fetches;
  std::unique_ptr<report::mail::SentLog> sent;
  std::unique_ptr<flowfile::FlowRecords> flows;
  std::unique_ptr<session::SessionService> sessions;
  std::unique_ptr<flow::Scheduler> scheduler;
  std::unique_ptr<alert::Desk> alerts;
  std::mutex clean_mutex;                      // one cleaning at a time
  std::mutex writers_mutex;                    // guards the next
  std::map<std::string, std::string> writers;  // "schema.table" to task, of the last plan of the schedules

  // Into control.sqlite, and as tables of `_tarn`.
  Result<lake::SystemTables> open_records(store::Store& store, engine::LakeCatalog& catalog);
  Result<flow::RunOutcome> execute(const std::vector<flow::Task*>& tasks, flow::ExecutorOptions options,
                                   flow::RunObserver& observer, const flow::CancelFlag& cancel);
};

}  // namespace tarn::app
