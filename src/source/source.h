// What the other modules use: all sources of a project, their tasks, their checks, replay, and
// `_tarn.fetches`.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/diagnostic.h"
#include "base/result.h"
#include "engine/table_source.h"
#include "flow/task.h"
#include "project/project.h"
#include "session/draft.h"
#include "session/session.h"
#include "source/config.h"
#include "source/landing.h"

namespace tarn::source {

// The sources of a project, as read. Immutable; lives as long as its tasks.
class Sources {
 public:
  // Mistakes in the files go to `diagnostics`; the error is for what stops everything.
  static Result<std::shared_ptr<const Sources>> read(FileSystem& files, project::Project project,
                                                     Diagnostics& diagnostics);
  ~Sources();
  Sources(const Sources&) = delete;
  Sources& operator=(const Sources&) = delete;

  [[nodiscard]] const std::vector<std::shared_ptr<const SourceConfig>>& configs() const { return configs_; }
  [[nodiscard]] const project::Project& project() const { return project_; }

  // Mistakes that only the engine can see. First the types of columns, and into the draft what the tables
  // will look like; then, when models have drafted theirs, the SQL: each, select, checks.
  Status draft_tables(session::Draft& draft, Diagnostics& diagnostics) const;
  Status check_sql(session::SessionService& sessions, session::Draft& draft, FetchRecords& records,
                   Diagnostics& diagnostics) const;

 private:
  Sources();
  project::Project project_;
  std::unique_ptr<Registry> registry_;
  std::vector<std::shared_ptr<const SourceConfig>> configs_;
};

// One task a source, named as the source. `producers`: task by folded "schema.name" of the table it writes,
// for the tables that `each` and `select` read; see reads of SourceConfig. The records outlive the tasks.
std::vector<std::unique_ptr<flow::Task>> source_tasks(
    const std::shared_ptr<const Sources>& sources, FetchRecords& records,
    const std::map<std::string, std::string>& producers = {});

// Parses the kept bytes of an earlier run again: its rows and quarantine out, the new ones in, one commit.
Status replay(const Sources& sources, FetchRecords& records, const std::string& source,
              const std::string& run, flow::TaskContext& context);

// `_tarn.fetches`. The records outlive it.
std::shared_ptr<engine::TableSource> fetches_table(store::Store& store);

}  // namespace tarn::source
