#include "flow/due_records.h"

#include <array>

#include <fmt/format.h>

namespace tarn::flow {
namespace {

store::Migrations migrations() {
  return {.component = "schedules",
          .steps = {R"sql(
CREATE TABLE schedules (
  name TEXT PRIMARY KEY, pattern TEXT NOT NULL, paused INTEGER NOT NULL, last_due_at INTEGER NOT NULL,
  seen TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE due (
  id INTEGER PRIMARY KEY, schedule TEXT NOT NULL, due_at INTEGER NOT NULL, first_due_at INTEGER NOT NULL,
  count INTEGER NOT NULL, trigger TEXT NOT NULL, run_id TEXT NOT NULL, state TEXT NOT NULL,
  reason TEXT NOT NULL, tries INTEGER NOT NULL, not_before INTEGER, finished_at INTEGER, vars TEXT NOT NULL,
  UNIQUE (schedule, due_at)
) STRICT;
CREATE INDEX due_open ON due (state) WHERE state IN ('waiting', 'running');
CREATE TABLE backfills (
  id TEXT PRIMARY KEY, selection TEXT NOT NULL, exclude TEXT NOT NULL, from_text TEXT NOT NULL,
  to_text TEXT NOT NULL, step TEXT NOT NULL, full_refresh INTEGER NOT NULL, created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
)sql",
                    "CREATE INDEX due_by_time ON due (due_at);"}};
}

constexpr std::array<std::pair<DueState, std::string_view>, 6> kNames = {{{DueState::kWaiting, "waiting"},
                                                                          {DueState::kRunning, "running"},
                                                                          {DueState::kDone, "done"},
                                                                          {DueState::kFailed, "failed"},
                                                                          {DueState::kCancelled, "cancelled"},
                                                                          {DueState::kSkipped, "skipped"}}};

constexpr char kEnd = '\x1f';  // the unit separator: no name of a file, table or variable holds it

std::string packed(const std::map<std::string, std::string>& map) {
  std::string text;
  for (const auto& [key, value] : map)
    text += key + kEnd + value + kEnd;
  return text;
}

std::string packed(const std::vector<std::string>& list) {
  std::string text;
  for (const auto& item : list)
    text += item + kEnd;
  return text;
}

std::vector<std::string> unpacked_list(const std::string& text) {
  std::vector<std::string> list;
  size_t at = 0;
  while (at < text.size()) {
    const auto end = std::min(text.find(kEnd, at), text.size());
    list.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return list;
}

std::map<std::string, std::string> unpacked_map(const std::string& text) {
  std::map<std::string, std::string> map;
  const auto list = unpacked_list(text);
  for (size_t i = 0; i + 1 < list.size(); i += 2)
    map[list[i]] = list[i + 1];
  return map;
}

constexpr std::string_view kDueColumns =
    "id, schedule, due_at, first_due_at, count, trigger, run_id, state, reason, tries, not_before, "
    "finished_at, vars";

Due due_of(const store::Rows& row) {
  Due due;
  due.id = row.integer(0);
  due.schedule = row.text(1);
  due.due_at = row.time(2);
  due.first_due_at = row.time(3);
  due.count = row.integer(4);
  due.trigger = row.text(5);
  due.run_id = row.text(6);
  due.state = due_state_of(row.text(7));
  due.reason = row.text(8);
  due.tries = static_cast<int>(row.integer(9));
  due.not_before = row.optional_time(10);
  due.finished_at = row.optional_time(11);
  due.vars = unpacked_map(row.text(12));
  return due;
}

Result<std::vector<Due>> all_of(store::Rows rows) {
  std::vector<Due> all;
  while (true) {
    TARN_TRY(const bool more, rows.next());
    if (!more)
      return all;
    all.push_back(due_of(rows));
  }
}

constexpr std::string_view kBackfillColumns =
    "b.id, b.selection, b.exclude, b.from_text, b.to_text, b.step, b.full_refresh, b.created_at";

Backfill backfill_of(const store::Rows& row) {
  return {.id = row.text(0),
          .selection = unpacked_list(row.text(1)),
          .exclude = unpacked_list(row.text(2)),
          .from = row.text(3),
          .to = row.text(4),
          .step = row.text(5),
          .full_refresh = row.integer(6) != 0,
          .created_at = row.time(7)};
}

Status write_due(store::Connection& db, const Due& due) {
  return db.run(
      "INSERT INTO due (id, schedule, due_at, first_due_at, count, trigger, run_id, state, reason, tries, "
      "not_before, finished_at, vars) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO "
      "UPDATE SET due_at = excluded.due_at, count = excluded.count, state = excluded.state, "
      "reason = excluded.reason, tries = excluded.tries, not_before = excluded.not_before, "
      "finished_at = excluded.finished_at "
      // A clock that was set back makes a due time again: the row is the newer run's.
      "ON CONFLICT (schedule, due_at) DO UPDATE SET first_due_at = excluded.first_due_at, "
      "count = excluded.count, trigger = excluded.trigger, run_id = excluded.run_id, "
      "state = excluded.state, reason = excluded.reason, tries = excluded.tries, "
      "not_before = excluded.not_before, finished_at = excluded.finished_at, vars = excluded.vars",
      {due.id, due.schedule, due.due_at, due.first_due_at, due.count, due.trigger, due.run_id,
       name_of(due.state), due.reason, due.tries, due.not_before, due.finished_at, packed(due.vars)});
}

}  // namespace

std::string_view name_of(DueState state) {
  for (const auto& [known, name] : kNames) {
    if (known == state)
      return name;
  }
  return "skipped";
}

DueState due_state_of(std::string_view name) {
  for (const auto& [state, known] : kNames) {
    if (known == name)
      return state;
  }
  return DueState::kSkipped;
}

Result<std::unique_ptr<DueRecords>> DueRecords::open(store::Store& store) {
  TARN_CHECK(store.migrate(migrations()));
  return std::unique_ptr<DueRecords>(new DueRecords(store));
}

Status DueRecords::write(const DueChanges& changes) {
  return store_.write([&](store::Connection& db) -> Status {
    for (const auto& state : changes.schedules) {
      TARN_CHECK(
          db.run("INSERT INTO schedules (name, pattern, paused, last_due_at, seen) VALUES "
                 "(?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET pattern = excluded.pattern, "
                 "paused = excluded.paused, last_due_at = excluded.last_due_at, seen = excluded.seen",
                 {state.name, state.pattern, state.paused ? 1 : 0, state.last_due_at, packed(state.seen)}));
    }
    for (const auto& due : changes.due)
      TARN_CHECK(write_due(db, due));
    if (!changes.backfill)
      return ok();
    const auto& fill = *changes.backfill;
    return db.run("INSERT INTO backfills VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                  {fill.id, packed(fill.selection), packed(fill.exclude), fill.from, fill.to, fill.step,
                   fill.full_refresh ? 1 : 0, fill.created_at});
  });
}

Result<std::map<std::string, ScheduleState>> DueRecords::states() {
  return store_.read([&](store::Connection& db) -> Result<std::map<std::string, ScheduleState>> {
    TARN_TRY(auto rows, db.query("SELECT name, pattern, paused, last_due_at, seen FROM schedules"));
    std::map<std::string, ScheduleState> states;
    while (true) {
      TARN_TRY(const bool more, rows.next());
      if (!more)
        return states;
      states[rows.text(0)] = {.name = rows.text(0),
                              .pattern = rows.text(1),
                              .paused = rows.integer(2) != 0,
                              .last_due_at = rows.time(3),
                              .seen = unpacked_map(rows.text(4))};
    }
  });
}

Result<std::vector<Due>> DueRecords::open_ones() {
  return store_.read([&](store::Connection& db) -> Result<std::vector<Due>> {
    TARN_TRY(auto rows, db.query(fmt::format("SELECT {} FROM due WHERE state IN ('waiting', 'running') "
                                             "ORDER BY due_at, id",
                                             kDueColumns)));
    return all_of(std::move(rows));
  });
}

Result<std::map<std::string, Due>> DueRecords::newest() {
  return store_.read([&](store::Connection& db) -> Result<std::map<std::string, Due>> {
    TARN_TRY(auto rows,
             db.query(fmt::format("SELECT {} FROM due WHERE id IN (SELECT (SELECT d.id FROM due d WHERE "
                                  "d.schedule = s.name AND d.state IN ('done', 'failed', 'cancelled', "
                                  "'running') ORDER BY d.due_at DESC LIMIT 1) FROM schedules s)",
                                  kDueColumns)));
    TARN_TRY(auto all, all_of(std::move(rows)));
    std::map<std::string, Due> newest;
    for (auto& due : all)
      newest.emplace(due.schedule, std::move(due));
    return newest;
  });
}

Result<std::vector<Due>> DueRecords::of_schedule(const std::string& schedule, int limit) {
  return store_.read([&](store::Connection& db) -> Result<std::vector<Due>> {
    TARN_TRY(auto rows, db.query(fmt::format("SELECT {} FROM due WHERE schedule = ? ORDER BY due_at DESC "
                                             "LIMIT ?",
                                             kDueColumns),
                                 {schedule, limit}));
    return all_of(std::move(rows));
  });
}

Result<std::vector<Due>> DueRecords::between(Timestamp from, Timestamp to, size_t limit) {
  return store_.read([&](store::Connection& db) -> Result<std::vector<Due>> {
    TARN_TRY(auto rows, db.query(fmt::format("SELECT {} FROM due WHERE due_at >= ? AND due_at < ? AND "
                                             "trigger <> 'backfill' ORDER BY due_at, id LIMIT ?",
                                             kDueColumns),
                                 {from, to, static_cast<int64_t>(limit)}));
    return all_of(std::move(rows));
  });
}

Result<std::optional<Backfill>> DueRecords::backfill(const std::string& id) {
  return store_.read([&](store::Connection& db) -> Result<std::optional<Backfill>> {
    TARN_TRY(auto rows,
             db.query(fmt::format("SELECT {} FROM backfills b WHERE id = ?", kBackfillColumns), {id}));
    TARN_TRY(const bool any, rows.next());
    if (!any)
      return std::optional<Backfill>();
    return std::optional<Backfill>(backfill_of(rows));
  });
}

Result<std::vector<BackfillProgress>> DueRecords::backfills(int limit) {
  return store_.read([&](store::Connection& db) -> Result<std::vector<BackfillProgress>> {
    TARN_TRY(auto rows,
             db.query(fmt::format("SELECT {}, d.state, count(*), max(d.finished_at) FROM "
                                  "(SELECT * FROM backfills ORDER BY created_at DESC, id DESC LIMIT ?) b "
                                  "LEFT JOIN due d ON d.schedule = 'backfill ' || b.id "
                                  "GROUP BY b.id, d.state ORDER BY b.created_at DESC, b.id DESC, d.state",
                                  kBackfillColumns),
                      {limit}));
    std::vector<BackfillProgress> all;
    while (true) {
      TARN_TRY(const bool more, rows.next());
      if (!more)
        break;
      auto backfill = backfill_of(rows);
      if (all.empty() || all.back().backfill.id != backfill.id)
        all.push_back({.backfill = std::move(backfill), .steps = {}, .finished_at = {}});
      if (rows.is_null(8))
        continue;
      auto& one = all.back();
      one.steps[due_state_of(rows.text(8))] += rows.integer(9);
      if (const auto at = rows.optional_time(10))
        one.finished_at = std::max(one.finished_at.value_or(*at), *at);
    }
    for (auto& one : all) {
      if (one.steps.contains(DueState::kWaiting) || one.steps.contains(DueState::kRunning))
        one.finished_at.reset();
    }
    return all;
  });
}

Result<int64_t> DueRecords::last_id() {
  TARN_TRY(const auto id,
           store_.read([](store::Connection& db) { return db.integer("SELECT max(id) FROM due"); }));
  return id.value_or(0);
}

}  // namespace tarn::flow
