#include "flow/runs.h"

#include <fmt/format.h>

#include "flow/test_records.h"

namespace tarn::flow {
namespace {

store::Migrations migrations() {
  return {.component = "flow",
          .steps = {R"sql(
CREATE TABLE runs (
  id TEXT PRIMARY KEY, command TEXT NOT NULL, selection TEXT NOT NULL, full_refresh INTEGER NOT NULL,
  state TEXT NOT NULL, started_at INTEGER NOT NULL, finished_at INTEGER, error TEXT, exit_code INTEGER
) STRICT, WITHOUT ROWID;
CREATE TABLE tasks (
  run_id TEXT NOT NULL, name TEXT NOT NULL, kind TEXT NOT NULL, path TEXT NOT NULL, position INTEGER NOT NULL,
  state TEXT NOT NULL, resumes TEXT NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, started_at INTEGER,
  finished_at INTEGER, error TEXT, error_code TEXT, rows_in INTEGER NOT NULL DEFAULT 0,
  rows_written INTEGER NOT NULL DEFAULT 0, rows_quarantined INTEGER NOT NULL DEFAULT 0,
  requests INTEGER NOT NULL DEFAULT 0, bytes_in INTEGER NOT NULL DEFAULT 0,
  lake_version INTEGER NOT NULL DEFAULT 0,
  compiled_sql TEXT, PRIMARY KEY (run_id, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX tasks_by_name ON tasks (name, started_at);
CREATE TABLE attempts (
  run_id TEXT NOT NULL, task TEXT NOT NULL, number INTEGER NOT NULL, state TEXT NOT NULL,
  started_at INTEGER NOT NULL, finished_at INTEGER, error TEXT, error_code TEXT,
  PRIMARY KEY (run_id, task, number)
) STRICT, WITHOUT ROWID;
CREATE TABLE attempt_log (
  run_id TEXT NOT NULL, task TEXT NOT NULL, attempt INTEGER NOT NULL, number INTEGER NOT NULL,
  at INTEGER NOT NULL, text TEXT NOT NULL, PRIMARY KEY (run_id, task, attempt, number)
) STRICT, WITHOUT ROWID;
CREATE TABLE task_versions (
  run_id TEXT NOT NULL, task TEXT NOT NULL, table_name TEXT NOT NULL, written INTEGER NOT NULL,
  snapshot_id INTEGER NOT NULL, PRIMARY KEY (run_id, task, table_name, written)
) STRICT, WITHOUT ROWID;
)sql",
                    R"sql(
ALTER TABLE runs ADD COLUMN schedule TEXT NOT NULL DEFAULT '';
ALTER TABLE runs ADD COLUMN due_at INTEGER;
ALTER TABLE runs ADD COLUMN waits_for TEXT NOT NULL DEFAULT '';
CREATE INDEX runs_by_schedule ON runs (schedule, due_at);
)sql"}};
}

// Of flows: what a task was given and gave, which run is a part of which, and what flowfile/records.h writes.
store::Migrations value_migrations() {
  return {.component = "flow_values", .steps = {R"sql(
CREATE TABLE task_values (
  run_id TEXT NOT NULL, task TEXT NOT NULL, input TEXT NOT NULL, result TEXT NOT NULL,
  PRIMARY KEY (run_id, task)
) STRICT, WITHOUT ROWID;
CREATE TABLE run_parts (run_id TEXT PRIMARY KEY, part_of TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE flow_runs (
  run_id TEXT PRIMARY KEY, flow TEXT NOT NULL, parameters TEXT NOT NULL, vars TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE effects (
  key TEXT PRIMARY KEY, run_id TEXT NOT NULL, task TEXT NOT NULL, kind TEXT NOT NULL, what TEXT NOT NULL,
  state TEXT NOT NULL, tries INTEGER NOT NULL, answer TEXT NOT NULL, result TEXT NOT NULL,
  started_at INTEGER NOT NULL, finished_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX effects_by_run ON effects (run_id);
CREATE TABLE prepared_results (
  run_id TEXT NOT NULL, task TEXT NOT NULL, result TEXT NOT NULL, PRIMARY KEY (run_id, task)
) STRICT, WITHOUT ROWID;
)sql"}};
}

constexpr std::string_view kTaskColumns =
    "run_id, name, kind, path, position, state, resumes, attempts, started_at, finished_at, error, "
    "error_code, "
    "rows_in, rows_written, rows_quarantined, requests, bytes_in, lake_version, compiled_sql";

TaskRecord task_of(const store::Rows& row) {
  TaskRecord task;
  task.run_id = row.text(0);
  task.name = row.text(1);
  task.kind = row.text(2);
  task.path = row.text(3);
  task.position = static_cast<int>(row.integer(4));
  task.state = state_of(row.text(5));
  task.resumes = row.text(6);
  task.attempts = static_cast<int>(row.integer(7));
  task.started_at = row.optional_time(8);
  task.finished_at = row.optional_time(9);
  task.error = row.text(10);
  task.error_code = row.text(11);
  task.report.counts = {.rows_in = row.integer(12),
                        .rows_written = row.integer(13),
                        .rows_quarantined = row.integer(14),
                        .requests = row.integer(15),
                        .bytes_in = row.integer(16)};
  task.report.lake_version = row.integer(17);
  task.report.compiled_sql = row.text(18);
  return task;
}

RunRecord run_of(const store::Rows& row) {
  RunRecord run;
  run.id = row.text(0);
  run.command = row.text(1);
  run.selection = row.text(2);
  run.full_refresh = row.integer(3) != 0;
  run.state = state_of(row.text(4));
  run.started_at = row.time(5);
  run.finished_at = row.optional_time(6);
  run.error = row.text(7);
  run.exit_code = static_cast<int>(row.integer(8));
  run.schedule = row.text(9);
  run.due_at = row.optional_time(10);
  run.waits_for = row.text(11);
  run.part_of = row.text(12);
  return run;
}

constexpr std::string_view kRunColumns =
    "id, command, selection, full_refresh, state, started_at, finished_at, error, exit_code, schedule, "
    "due_at, waits_for, (SELECT part_of FROM run_parts p WHERE p.run_id = runs.id)";

Status insert_log(store::Connection& db, const std::string& run_id, const std::vector<LogLine>& log) {
  for (const auto& line : log) {
    TARN_CHECK(db.run("INSERT OR REPLACE INTO attempt_log VALUES (?, ?, ?, ?, ?, ?)",
                      {run_id, line.task, line.attempt, line.number, line.at, line.text}));
  }
  return ok();
}

Status update_task(store::Connection& db, const AttemptEnd& end, Timestamp now) {
  const auto& counts = end.report.counts;
  TARN_CHECK(
      db.run("UPDATE tasks SET state = ?, finished_at = ?, error = ?, error_code = ?, rows_in = ?, "
             "rows_written = ?, "
             "rows_quarantined = ?, requests = ?, bytes_in = ?, lake_version = ?, compiled_sql = ? "
             "WHERE run_id = ? AND name = ?",
             {name_of(end.state), now, end.error, end.error_code, counts.rows_in, counts.rows_written,
              counts.rows_quarantined, counts.requests, counts.bytes_in, end.report.lake_version,
              end.report.compiled_sql, end.run_id, end.task}));
  for (const auto& version : end.report.versions) {
    TARN_CHECK(db.run("INSERT OR REPLACE INTO task_versions VALUES (?, ?, ?, ?, ?)",
                      {end.run_id, end.task, version.table, version.written ? 1 : 0, version.snapshot_id}));
  }
  if (!end.report.result.empty()) {
    TARN_CHECK(
        db.run("INSERT INTO task_values VALUES (?, ?, '', ?) ON CONFLICT (run_id, task) DO UPDATE SET "
               "result = excluded.result",
               {end.run_id, end.task, end.report.result}));
  }
  if (end.report.tests.empty())
    return ok();
  return write_tests(db, {.run_id = end.run_id, .task = end.task, .at = now}, end.report.tests);
}

Status insert_task(store::Connection& db, const std::string& run_id, const TaskRecord& task) {
  return db.run(
      "INSERT INTO tasks (run_id, name, kind, path, position, state, resumes) "
      "VALUES (?, ?, ?, ?, ?, 'waiting', ?) ON CONFLICT (run_id, name) DO UPDATE SET "
      "state = 'waiting', position = excluded.position, finished_at = NULL, error = NULL, "
      "error_code = NULL WHERE state <> 'done' AND coalesce(error_code, '') <> 'left_out'",
      {run_id, task.name, task.kind, task.path, task.position, task.resumes});
}

// In the transaction that ends the task which brought them about: they are there if it is done.
Status insert_follow_ups(store::Connection& db, const AttemptEnd& end) {
  for (size_t i = 0; i < end.follow_ups.size(); ++i) {
    TARN_CHECK(insert_task(db, end.run_id, end.follow_ups[i]));
    TARN_CHECK(db.run("INSERT OR REPLACE INTO task_values VALUES (?, ?, ?, '')",
                      {end.run_id, end.follow_ups[i].name, end.inputs.at(i)}));
  }
  return ok();
}

}  // namespace

Result<std::unique_ptr<Runs>> Runs::open(Env& env, store::Store& store) {
  TARN_CHECK(store.migrate(migrations()));
  TARN_CHECK(store.migrate(test_migrations()));
  TARN_CHECK(store.migrate(value_migrations()));
  std::unique_ptr<Runs> runs(new Runs(env, store));
  TARN_CHECK(runs->mark_interrupted());
  return runs;
}

Status Runs::mark_interrupted() {
  TARN_TRY(const auto open_runs, store_.read([](store::Connection& db) {
    return db.integer("SELECT count(*) FROM runs WHERE state IN ('running', 'waiting')");
  }));
  if (open_runs.value_or(0) == 0)
    return ok();
  const auto now = env_.clock->now();
  return store_.write([&](store::Connection& db) -> Status {
    constexpr std::string_view kWhy = "the process ended before the task did";
    TARN_CHECK(db.run(
        "UPDATE attempts SET state = 'interrupted', finished_at = ?, error = ? WHERE state = 'running'",
        {now, kWhy}));
    TARN_CHECK(
        db.run("UPDATE tasks SET state = 'interrupted', finished_at = ?, error = ? WHERE state = 'running'",
               {now, kWhy}));
    TARN_CHECK(
        db.run("UPDATE tasks SET state = 'cancelled', error = 'the run was interrupted before its turn' "
               "WHERE state = 'waiting'"));
    TARN_CHECK(
        db.run("UPDATE runs SET state = 'cancelled', finished_at = ?, exit_code = 130, waits_for = '', "
               "error = 'the server ended before its turn' WHERE state = 'waiting'",
               {now}));
    return db.run(
        "UPDATE runs SET state = 'interrupted', finished_at = ?, exit_code = 1, "
        "error = 'the process ended before the run did' WHERE state = 'running'",
        {now});
  });
}

// A run that waited, or goes on after it was interrupted, has its row already.
Status Runs::start_run(const RunRecord& run, const std::vector<TaskRecord>& tasks) {
  return store_.write([&](store::Connection& db) -> Status {
    TARN_CHECK(
        db.run("INSERT INTO runs (id, command, selection, full_refresh, state, started_at, schedule, due_at) "
               "VALUES (?, ?, ?, ?, 'running', ?, ?, ?) ON CONFLICT (id) DO UPDATE SET state = 'running', "
               "started_at = CASE WHEN EXISTS (SELECT 1 FROM tasks WHERE run_id = id) THEN started_at "
               "ELSE excluded.started_at END, finished_at = NULL, error = NULL, exit_code = NULL, "
               "waits_for = ''",
               {run.id, run.command, run.selection, run.full_refresh ? 1 : 0, run.started_at, run.schedule,
                run.due_at}));
    TARN_CHECK(
        db.run("UPDATE tasks SET state = 'cancelled', error = 'the task is no longer in the project' "
               "WHERE run_id = ? AND state <> 'done' AND coalesce(error_code, '') <> 'left_out'",
               {run.id}));
    for (const auto& task : tasks)
      TARN_CHECK(insert_task(db, run.id, task));
    if (!run.part_of.empty())
      TARN_CHECK(db.run("INSERT OR REPLACE INTO run_parts VALUES (?, ?)", {run.id, run.part_of}));
    return ok();
  });
}

Status Runs::queue_run(const RunRecord& run) {
  return store_.write([&](store::Connection& db) {
    return db.run(
        "INSERT INTO runs (id, command, selection, full_refresh, state, started_at, schedule, due_at, "
        "waits_for) VALUES (?, ?, ?, ?, 'waiting', ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET "
        "state = 'waiting', finished_at = NULL, error = NULL, exit_code = NULL, "
        "waits_for = excluded.waits_for",
        {run.id, run.command, run.selection, run.full_refresh ? 1 : 0, run.started_at, run.schedule,
         run.due_at, run.waits_for});
  });
}

Status Runs::start_attempt(const std::string& run_id, const std::string& task, int attempt) {
  const auto now = env_.clock->now();
  return store_.write([&](store::Connection& db) -> Status {
    TARN_CHECK(
        db.run("UPDATE tasks SET state = 'running', attempts = ?, started_at = coalesce(started_at, ?) "
               "WHERE run_id = ? AND name = ?",
               {attempt, now, run_id, task}));
    return db.run(
        "INSERT INTO attempts (run_id, task, number, state, started_at) VALUES (?, ?, ?, 'running', ?)",
        {run_id, task, attempt, now});
  });
}

Status Runs::end_attempt(const AttemptEnd& end, const std::vector<LogLine>& log) {
  const auto now = env_.clock->now();
  return store_.write([&](store::Connection& db) -> Status {
    TARN_CHECK(
        db.run("UPDATE attempts SET state = ?, finished_at = ?, error = ?, error_code = ? "
               "WHERE run_id = ? AND task = ? AND number = ?",
               {name_of(end.state), now, end.error, end.error_code, end.run_id, end.task, end.attempt}));
    TARN_CHECK(insert_log(db, end.run_id, log));
    if (!end.ends_task)
      return ok();
    TARN_CHECK(update_task(db, end, now));
    return insert_follow_ups(db, end);
  });
}

Status Runs::add_log(const std::string& run_id, const std::vector<LogLine>& log) {
  return store_.write([&](store::Connection& db) { return insert_log(db, run_id, log); });
}

Status Runs::drop_task(const TaskRecord& task) {
  const auto now = env_.clock->now();
  return store_.write([&](store::Connection& db) {
    return db.run(
        "UPDATE tasks SET state = ?, finished_at = ?, error = ?, error_code = ? WHERE run_id = ? AND "
        "name = ?",
        {name_of(task.state), now, task.error, task.error_code, task.run_id, task.name});
  });
}

Status Runs::fail_waiting(const std::string& run_id, const std::string& error) {
  const auto now = env_.clock->now();
  return store_.write([&](store::Connection& db) {
    return db.run(
        "UPDATE runs SET state = 'failed', finished_at = ?, exit_code = 1, error = ?, waits_for = '' "
        "WHERE id = ? AND state IN ('waiting', 'running')",
        {now, error, run_id});
  });
}

Status Runs::end_run(const std::string& run_id, State state, int exit_code, const std::string& error) {
  const auto now = env_.clock->now();
  return store_.write([&](store::Connection& db) {
    return db.run(
        "UPDATE runs SET state = ?, finished_at = ?, exit_code = ?, error = ?, waits_for = '' WHERE id = ?",
        {name_of(state), now, exit_code, error, run_id});
  });
}

Result<std::vector<RunRecord>> Runs::select_runs(const std::string& condition,
                                                 std::initializer_list<store::Bind> binds) {
  return store_.read([&](store::Connection& db) -> Result<std::vector<RunRecord>> {
    TARN_TRY(auto rows, db.query(fmt::format("SELECT {} FROM runs {}", kRunColumns, condition), binds));
    std::vector<RunRecord> runs;
    while (true) {
      TARN_TRY(const bool more, rows.next());
      if (!more)
        return runs;
      runs.push_back(run_of(rows));
    }
  });
}

Result<std::vector<RunRecord>> Runs::list(int limit) {
  return select_runs("ORDER BY started_at DESC, id DESC LIMIT ?", {limit});
}

Result<std::vector<RunRecord>> Runs::list_of(const std::string& selection, int limit) {
  return select_runs("WHERE selection = ? ORDER BY started_at DESC, id DESC LIMIT ?", {selection, limit});
}

// Their ids begin with that of the run.
Result<std::vector<RunRecord>> Runs::parts_of(const std::string& run_id) {
  return select_runs("WHERE id > ?1 || '.' AND id < ?1 || '/' ORDER BY started_at, id", {run_id});
}

Result<RunRecord> Runs::get(const std::string& run_id) {
  auto found = store_.read([&](store::Connection& db) -> Result<std::optional<RunRecord>> {
    TARN_TRY(auto rows, db.query(fmt::format("SELECT {} FROM runs WHERE id = ?", kRunColumns), {run_id}));
    TARN_TRY(const bool any, rows.next());
    if (!any)
      return std::optional<RunRecord>();
    return std::optional<RunRecord>(run_of(rows));
  });
  if (!found)
    return found.error();
  if (*found)
    return std::move(**found);
  TARN_TRY(const auto newest, list(3));
  std::string names;
  for (const auto& run : newest)
    names += (names.empty() ? "" : ", ") + run.id;
  return Error{Code::kNotFound, fmt::format("there is no run '{}'; the newest are: {}", run_id,
                                            names.empty() ? "none yet" : names)};
}

Result<std::vector<TaskRecord>> Runs::tasks(const std::string& run_id) {
  return store_.read([&](store::Connection& db) -> Result<std::vector<TaskRecord>> {
    TARN_TRY(auto rows,
             db.query(fmt::format("SELECT {} FROM tasks WHERE run_id = ? ORDER BY position", kTaskColumns),
                      {run_id}));
    std::vector<TaskRecord> tasks;
    while (true) {
      TARN_TRY(const bool more, rows.next());
      if (!more)
        return tasks;
      tasks.push_back(task_of(rows));
    }
  });
}

Result<std::map<std::string, TaskValues>> Runs::values(const std::string& run_id) {
  return store_.read([&](store::Connection& db) -> Result<std::map<std::string, TaskValues>> {
    TARN_TRY(auto rows, db.query("SELECT task, input, result FROM task_values WHERE run_id = ?", {run_id}));
    std::map<std::string, TaskValues> values;
    while (true) {
      TARN_TRY(const bool more, rows.next());
      if (!more)
        return values;
      values[rows.text(0)] = {.input = rows.text(1), .result = rows.text(2)};
    }
  });
}

Result<std::vector<LogLine>> Runs::log(const std::string& run_id, const std::string& task) {
  return store_.read([&](store::Connection& db) -> Result<std::vector<LogLine>> {
    TARN_TRY(auto rows, db.query("SELECT task, attempt, number, at, text FROM attempt_log WHERE run_id = ? "
                                 "AND (? = '' OR task = ?) ORDER BY task, attempt, number",
                                 {run_id, task, task}));
    std::vector<LogLine> lines;
    while (true) {
      TARN_TRY(const bool more, rows.next());
      if (!more)
        return lines;
      lines.push_back({rows.text(0), static_cast<int>(rows.integer(1)), static_cast<int>(rows.integer(2)),
                       rows.time(3), rows.text(4)});
    }
  });
}

Result<std::vector<TaskHistory>> Runs::history() {
  return store_.read([&](store::Connection& db) -> Result<std::vector<TaskHistory>> {
    // Skipped and cancelled tasks say nothing about the data.
    TARN_TRY(auto rows,
             db.query(fmt::format(
                 "SELECT {} FROM tasks t WHERE run_id = (SELECT run_id FROM tasks u WHERE u.name = t.name "
                 "AND u.state IN ('done', 'failed', 'running', 'interrupted') "
                 "ORDER BY u.started_at DESC LIMIT 1) ORDER BY name",
                 kTaskColumns)));
    std::vector<TaskHistory> history;
    while (true) {
      TARN_TRY(const bool more, rows.next());
      if (!more)
        break;
      TaskHistory one;
      one.last = task_of(rows);
      one.name = one.last.name;
      history.push_back(std::move(one));
    }
    for (auto& one : history) {
      TARN_TRY(auto done,
               db.query("SELECT finished_at, rows_written FROM tasks WHERE name = ? AND state = 'done' "
                        "ORDER BY started_at DESC LIMIT 1",
                        {one.name}));
      TARN_TRY(const bool any, done.next());
      if (!any)
        continue;
      one.last_done_at = done.optional_time(0);
      one.rows_written = done.integer(1);
    }
    return history;
  });
}

Result<std::map<std::string, std::string>> Runs::newest_done(const std::set<std::string>& tasks) {
  return store_.read([&](store::Connection& db) -> Result<std::map<std::string, std::string>> {
    std::map<std::string, std::string> newest;
    for (const auto& task : tasks) {
      TARN_TRY(const auto run, db.text("SELECT run_id || '/' || finished_at FROM tasks WHERE name = ? AND "
                                       "state = 'done' ORDER BY started_at DESC LIMIT 1",
                                       {task}));
      if (run)
        newest[task] = *run;
    }
    return newest;
  });
}

Result<std::optional<std::string>> Runs::interrupted_in(const std::string& task) {
  return store_.read([&](store::Connection& db) -> Result<std::optional<std::string>> {
    TARN_TRY(auto rows, db.query("SELECT state, run_id, resumes FROM tasks WHERE name = ? "
                                 "AND kind = 'source' AND attempts > 0 "
                                 "ORDER BY started_at DESC LIMIT 1",
                                 {task}));
    TARN_TRY(const bool any, rows.next());
    if (!any || rows.text(0) != "interrupted")
      return std::optional<std::string>();
    const auto resumed = rows.text(2);
    return std::optional<std::string>(resumed.empty() ? rows.text(1) : resumed);
  });
}

}  // namespace tarn::flow
