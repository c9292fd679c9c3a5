#include "flow/run_tables.h"

#include "flow/record_table.h"

namespace tarn::flow {
namespace {

std::vector<RecordColumn> run_columns() {
  return {{{"run", kText, "Id; ids sort by time"}, "id"},
          {{"command", kText, "run or replay"}, "command"},
          {{"selection", kText, "What was asked for; empty: everything"}, "selection"},
          {{"full_refresh", kTruth, ""}, "full_refresh"},
          {{"state", kText, "waiting, running, done, failed, cancelled or interrupted"}, "state"},
          {{"started_at", kTime, "While it waits: since when"}, "started_at"},
          {{"finished_at", kTime, ""}, "finished_at"},
          {{"exit_code", "INTEGER", "0 done, 1 failed, 4 unreachable, 130 cancelled"}, "exit_code"},
          {{"error", kText, "The first failure"}, "nullif(error, '')"},
          {{"schedule", kText, "That it was due by; null: somebody asked for it"}, "nullif(schedule, '')"},
          {{"due_at", kTime, "With schedule"}, "due_at"},
          {{"waits_for", kText, "Why a waiting run does not start"}, "nullif(waits_for, '')"},
          {{"part_of", kText, "run/task of the flow that it is a part of"},
           "(SELECT part_of FROM run_parts p WHERE p.run_id = runs.id)"}};
}

std::vector<RecordColumn> task_columns() {
  return {{{"run", kText, ""}, "run_id"},
          {{"task", kText, "Name of the source, model, seed or test"}, "name"},
          {{"kind", kText, "source, model, seed or test"}, "kind"},
          {{"path", kText, "File in the project"}, "path"},
          {{"state", kText, "waiting, running, done, failed, skipped, cancelled, interrupted or unknown"},
           "state"},
          {{"attempts", "INTEGER", ""}, "attempts"},
          {{"started_at", kTime, ""}, "started_at"},
          {{"finished_at", kTime, ""}, "finished_at"},
          {{"rows_in", kWhole, "Rows parsed"}, "rows_in"},
          {{"rows_written", kWhole, ""}, "rows_written"},
          {{"rows_quarantined", kWhole, ""}, "rows_quarantined"},
          {{"requests", kWhole, ""}, "requests"},
          {{"bytes_in", kWhole, "As received"}, "bytes_in"},
          {{"lake_version", kWhole, "Of its commit; null: nothing was committed"}, "nullif(lake_version, 0)"},
          {{"compiled_sql", kText, ""}, "nullif(compiled_sql, '')"},
          {{"error", kText, "Why it failed or was skipped"}, "nullif(error, '')"},
          {{"resumes", kText, "The interrupted run whose work it went on with"}, "nullif(resumes, '')"},
          {{"input", kText, "JSON: the row that a task of a flow was started for"},
           "(SELECT nullif(input, '') FROM task_values v WHERE v.run_id = tasks.run_id AND v.task = "
           "tasks.name)"},
          {{"result", kText, "JSON: what a task of a flow gave"},
           "(SELECT nullif(result, '') FROM task_values v WHERE v.run_id = tasks.run_id AND v.task = "
           "tasks.name)"}};
}

std::vector<RecordColumn> version_columns() {
  return {{{"run", kText, ""}, "run_id"},
          {{"task", kText, ""}, "task"},
          {{"table_name", kText, "schema.name"}, "table_name"},
          {{"written", kTruth, "false: it was read"}, "written"},
          {{"snapshot_id", kWhole, "null: a view, or an empty table"}, "nullif(snapshot_id, 0)"}};
}

std::vector<RecordColumn> log_columns() {
  return {{{"run", kText, ""}, "run_id"},
          {{"task", kText, ""}, "task"},
          {{"attempt", "INTEGER", ""}, "attempt"},
          {{"line", "INTEGER", ""}, "number"},
          {{"at", kTime, ""}, "at"},
          {{"text", kText, ""}, "text"}};
}

std::vector<RecordColumn> due_columns() {
  return {{{"schedule", kText, "Name, or backfill and its id"}, "schedule"},
          {{"due_at", kTime, "The newest due time that it stands for"}, "due_at"},
          {{"first_due_at", kTime, "The oldest"}, "first_due_at"},
          {{"count", kWhole, "So many due times"}, "count"},
          {{"trigger", kText, "time, after, hand or backfill"}, "trigger"},
          {{"run", kText, "Of all tries; null: it was skipped"}, "nullif(run_id, '')"},
          {{"state", kText, "waiting, running, done, failed, cancelled or skipped"}, "state"},
          {{"reason", kText, "Why it waits, was skipped or failed"}, "nullif(reason, '')"},
          {{"tries", "INTEGER", ""}, "tries"},
          {{"finished_at", kTime, ""}, "finished_at"}};
}

std::vector<RecordColumn> test_columns() {
  return {{{"run", kText, ""}, "run_id"},
          {{"task", kText, "The model in whose transaction it ran, or the test itself"}, "task"},
          {{"test", kText, ""}, "test"},
          {{"path", kText, "File in the project"}, "path"},
          {{"line", "INTEGER", ""}, "line"},
          {{"table_name", kText, "schema.name; null: a SQL file"}, "nullif(table_name, '')"},
          {{"column_name", kText, ""}, "nullif(column_name, '')"},
          {{"kind", kText, "unique, not_null, ...; null: a SQL file"}, "nullif(kind, '')"},
          {{"severity", kText, "error or warn"}, "severity"},
          {{"state", kText, "passed, warned, failed, or error: it could not be run"}, "state"},
          {{"failures", kWhole, "Failing rows"}, "failures"},
          {{"message", kText, "Why it did not pass"}, "nullif(message, '')"},
          {{"sample", kText, "The first failing rows as JSON; cells are cut"}, "nullif(sample, '')"},
          {{"sql", kText, "What was asked, when it did not pass"}, "nullif(sql, '')"},
          {{"tested_at", kTime, ""}, "at"}};
}

}  // namespace

std::vector<std::shared_ptr<engine::TableSource>> run_tables(store::Store& store) {
  return {record_table(store, {"runs", "One row per run, newest first.", run_columns(),
                               "runs ORDER BY started_at DESC, id DESC"}),
          record_table(store, {"tasks", "One row per task of a run, newest run first.", task_columns(),
                               "tasks ORDER BY run_id DESC, position"}),
          record_table(store, {"task_versions", "The versions of tables that a task read and wrote.",
                               version_columns(), "task_versions ORDER BY run_id DESC, task"}),
          record_table(store, {"task_log", "What tasks said while they worked, newest run first.",
                               log_columns(), "attempt_log ORDER BY run_id DESC, task, attempt, number"}),
          record_table(store, {"tests", "What each data test said in each run, newest first.", test_columns(),
                               "test_results ORDER BY at DESC, run_id DESC, task, test"}),
          record_table(store, {"due", "What schedules were due, and what became of it, newest first.",
                               due_columns(), "due ORDER BY due_at DESC, id DESC"})};
}

}  // namespace tarn::flow
