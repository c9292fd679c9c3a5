#include "flow/run_detail.h"

namespace tarn::flow {
namespace {

using store::Connection;
using store::Rows;

// One record a row.
template <class Record, class Make>
Result<std::vector<Record>> gather(Result<Rows> rows, const Make& make) {
  if (!rows)
    return rows.error();
  std::vector<Record> records;
  while (true) {
    TARN_TRY(const bool more, rows->next());
    if (!more)
      return records;
    records.push_back(make(*rows));
  }
}

}  // namespace

Result<std::vector<AttemptRecord>> attempts_of(store::Store& store, const std::string& run_id) {
  return store.read([&](Connection& db) {
    return gather<AttemptRecord>(
        db.query("SELECT task, number, state, started_at, finished_at, error FROM attempts WHERE run_id = ? "
                 "ORDER BY task, number",
                 {run_id}),
        [](const Rows& row) {
          return AttemptRecord{row.text(0),           static_cast<int>(row.integer(1)),
                               state_of(row.text(2)), row.time(3),
                               row.optional_time(4),  row.text(5)};
        });
  });
}

Result<std::vector<TaskVersion>> versions_of(store::Store& store, const std::string& run_id) {
  return store.read([&](Connection& db) {
    return gather<TaskVersion>(
        db.query("SELECT task, table_name, written, snapshot_id FROM task_versions "
                 "WHERE run_id = ? ORDER BY task, table_name",
                 {run_id}),
        [](const Rows& row) {
          return TaskVersion{
              row.text(0),
              {.table = row.text(1), .snapshot_id = row.integer(3), .written = row.integer(2) != 0}};
        });
  });
}

Result<LogPage> log_page(store::Store& store, const LogQuery& query) {
  return store.read([&](Connection& db) -> Result<LogPage> {
    LogPage page;
    TARN_TRY(const auto total,
             db.integer("SELECT count(*) FROM attempt_log WHERE run_id = ?1 AND (?2 = '' OR task = ?2)",
                        {query.run_id, query.task}));
    page.total = total.value_or(0);
    TARN_TRY(
        page.lines,
        gather<LogLine>(db.query("SELECT task, attempt, number, at, text FROM attempt_log WHERE run_id = ?1 "
                                 "AND (?2 = '' OR task = ?2) ORDER BY at, task, attempt, number "
                                 "LIMIT ?3 OFFSET ?4",
                                 {query.run_id, query.task, query.limit, query.offset}),
                        [](const Rows& row) {
                          return LogLine{row.text(0), static_cast<int>(row.integer(1)),
                                         static_cast<int>(row.integer(2)), row.time(3), row.text(4)};
                        }));
    return page;
  });
}

Result<std::vector<TableUser>> users_of(store::Store& store, const std::string& table) {
  return store.read([&](Connection& db) {
    return gather<TableUser>(
        db.query(
            "SELECT v.task, max(t.kind), v.written, max(v.run_id) FROM task_versions v "
            "LEFT JOIN tasks t ON t.run_id = v.run_id AND t.name = v.task "
            "WHERE lower(v.table_name) = lower(?) GROUP BY v.task, v.written ORDER BY v.written DESC, v.task",
            {table}),
        [](const Rows& row) {
          return TableUser{row.text(0), row.text(1), row.integer(2) != 0, row.text(3)};
        });
  });
}

}  // namespace tarn::flow
