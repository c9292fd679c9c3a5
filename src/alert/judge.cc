#include "alert/judge.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/time.h"

namespace tarn::alert {
namespace {

constexpr size_t kTextBytesMax = 2000;

std::string first_line(const std::string& text) {
  auto line = text.substr(0, text.find('\n'));
  if (line.size() <= kTextBytesMax)
    return line;
  size_t end = kTextBytesMax;
  while (end > 0 && (static_cast<unsigned char>(line[end]) & 0xC0) == 0x80)
    --end;  // no letter is cut
  return line.substr(0, end) + "…";
}

// The newest outcome of a task.
struct Outcome {
  std::string run, schedule, kind, path, state, error;
  Timestamp at;
  int attempts = 0;
  int64_t rows_quarantined = 0;
  bool by_hand = false;  // somebody sees it: a report that is asked for, a replay
};

// One transaction's work.
class Judge {
 public:
  Judge(store::Connection& db, const Plan& plan, Timestamp now) : db_(db), plan_(plan), now_(now) {}

  Result<Verdict> judge() {
    TARN_TRY(const auto ended, ended_runs());
    std::set<std::string> tasks;
    for (const auto& run : ended) {
      TARN_TRY(const bool open, is_open(run));
      if (!open)
        TARN_CHECK(judge_run(run, tasks));
    }
    for (const auto& task : tasks)
      TARN_CHECK(judge_task(task));
    for (const auto& promise : plan_.promises)
      TARN_CHECK(judge_promise(promise));
    TARN_CHECK(forget_tasks());
    for (const auto& run : ended)
      TARN_CHECK(db_.run("DELETE FROM alert_ended WHERE run_id = ?", {run}));
    return verdict_;
  }

 private:
  Result<std::vector<std::string>> texts(std::string_view sql, std::initializer_list<store::Bind> binds) {
    std::vector<std::string> all;
    TARN_TRY(auto rows, db_.query(sql, binds));
    while (true) {
      TARN_TRY(const bool more, rows.next());
      if (!more)
        return all;
      all.push_back(rows.text(0));
    }
  }

  Result<std::vector<std::string>> ended_runs() {
    return texts("SELECT run_id FROM alert_ended ORDER BY run_id", {});
  }

  // It goes on, or its schedule is about to try it again: its end will be told anew.
  Result<bool> is_open(const std::string& run) {
    TARN_TRY(const auto going, db_.integer("SELECT 1 FROM runs WHERE id = ? AND state IN ('waiting', "
                                           "'running')",
                                           {run}));
    if (going)
      return true;
    TARN_TRY(const auto due, db_.integer("SELECT 1 FROM due WHERE state IN ('waiting', 'running') AND "
                                         "run_id = ?",
                                         {run}));
    return due.has_value();
  }

  Status judge_run(const std::string& id, std::set<std::string>& tasks) {
    TARN_TRY(auto names, texts("SELECT name FROM tasks WHERE run_id = ? AND state IN ('done', 'failed', "
                               "'interrupted', 'unknown')",
                               {id}));
    TARN_TRY(auto rows,
             db_.query("SELECT command, selection, state, error, schedule FROM runs WHERE id = ?", {id}));
    TARN_TRY(const bool any, rows.next());
    if (!any)
      return judge_start(id);
    if (is_by_hand(rows.text(0)))
      return ok();
    tasks.insert(names.begin(), names.end());
    Fact fact{.event = Event::kFailure, .kind = Event::kFailure};
    fact.run = id;
    fact.schedule = rows.text(4);
    const auto selection = rows.text(1);
    fact.subject = !fact.schedule.empty() ? "schedule " + fact.schedule
                   : selection.empty()    ? "run of everything"
                                          : "run " + selection;
    fact.text = first_line(rows.text(3));
    fact.at = now_;
    const auto state = rows.text(2);
    TARN_TRY(const bool newest, is_newest(id, fact.schedule, selection));
    if (!newest)
      return ok();
    if (state == "done")
      return close(Event::kFailure, fact);
    if (state != "failed" && state != "interrupted" && state != "unknown")
      return ok();
    TARN_TRY(const auto told, db_.integer("SELECT 1 FROM tasks WHERE run_id = ? AND state IN ('failed', "
                                          "'interrupted', 'unknown')",
                                          {id}));
    if (told)
      return ok();  // by the tasks themselves
    TARN_TRY(const auto of, texts("SELECT name FROM tasks WHERE run_id = ?", {id}));
    return open(fact, of);
  }

  // A schedule whose run could not even be queued.
  Status judge_start(const std::string& run) {
    TARN_TRY(auto rows,
             db_.query("SELECT schedule, reason FROM due WHERE run_id = ? AND state = 'failed'", {run}));
    TARN_TRY(const bool any, rows.next());
    if (!any)
      return ok();
    Fact fact{.event = Event::kFailure, .kind = Event::kFailure};
    fact.run = run;
    fact.schedule = rows.text(0);
    fact.subject = "schedule " + fact.schedule;
    fact.text = first_line(rows.text(1));
    fact.at = now_;
    return open(fact, {});
  }

  static bool is_by_hand(const std::string& command) { return command == "report" || command == "replay"; }

  Result<bool> is_newest(const std::string& id, const std::string& schedule, const std::string& selection) {
    TARN_TRY(const auto newest,
             schedule.empty() ? db_.text("SELECT id FROM runs WHERE schedule = '' AND selection = ? AND "
                                         "finished_at IS NOT NULL ORDER BY started_at DESC LIMIT 1",
                                         {selection})
                              : db_.text("SELECT id FROM runs WHERE schedule = ? AND finished_at IS NOT NULL "
                                         "ORDER BY due_at DESC LIMIT 1",
                                         {schedule}));
    return !newest || *newest == id;
  }

  Result<std::optional<Outcome>> newest_outcome(const std::string& task) {
    TARN_TRY(
        auto rows,
        db_.query("SELECT t.run_id, r.schedule, t.kind, t.path, t.state, t.error, t.finished_at, "
                  "t.attempts, t.rows_quarantined, r.command FROM tasks t JOIN runs r ON r.id = "
                  "t.run_id WHERE t.name = ? AND t.state IN ('done', 'failed', 'interrupted', 'unknown') "
                  "ORDER BY t.started_at DESC LIMIT 1",
                  {task}));
    TARN_TRY(const bool any, rows.next());
    if (!any)
      return std::optional<Outcome>();
    Outcome outcome{.run = rows.text(0), .schedule = rows.text(1), .kind = rows.text(2)};
    outcome.path = rows.text(3);
    outcome.state = rows.text(4);
    outcome.error = rows.text(5);
    outcome.at = rows.optional_time(6).value_or(now_);
    outcome.attempts = static_cast<int>(rows.integer(7));
    outcome.rows_quarantined = rows.integer(8);
    outcome.by_hand = is_by_hand(rows.text(9));
    return std::optional(std::move(outcome));
  }

  Status judge_task(const std::string& task) {
    TARN_TRY(const auto outcome, newest_outcome(task));
    if (!outcome || outcome->by_hand)
      return ok();
    TARN_TRY(const bool open_run, is_open(outcome->run));
    if (open_run)
      return ok();
    Fact fact{.event = Event::kFailure, .kind = Event::kFailure};
    fact.subject = fact.task = task;
    fact.task_kind = outcome->kind;
    fact.path = outcome->path;
    fact.run = outcome->run;
    fact.schedule = outcome->schedule;
    fact.at = outcome->at;
    if (outcome->state == "done")
      return judge_done(std::move(fact), *outcome);
    TARN_TRY(const auto skipped, db_.integer("SELECT count(*) FROM tasks WHERE run_id = ? AND state = "
                                             "'skipped' AND error = 'skipped: upstream ' || ? || ' failed'",
                                             {outcome->run, task}));
    fact.skipped = skipped.value_or(0);
    fact.text = first_line(outcome->error);
    TARN_TRY(const bool by_test, failed_by_test(task, *outcome));
    if (by_test)
      fact.event = fact.kind = Event::kTest;
    return open(fact, {task});
  }

  // Models and seeds say which of their tests failed in their log; see model/build.cc.
  Result<bool> failed_by_test(const std::string& task, const Outcome& outcome) {
    if (outcome.state != "failed")
      return false;
    if (outcome.kind == "test")
      return true;
    if (outcome.kind != "model" && outcome.kind != "seed")
      return false;
    TARN_TRY(const auto line, db_.integer("SELECT 1 FROM attempt_log WHERE run_id = ? AND task = ? AND "
                                          "attempt = ? AND text LIKE 'failed: %'",
                                          {outcome.run, task, outcome.attempts}));
    return line.has_value();
  }

  Status judge_done(Fact fact, const Outcome& outcome) {
    TARN_CHECK(close(Event::kFailure, fact));
    std::vector<std::string> warnings;
    if (outcome.kind == "test" || outcome.kind == "model" || outcome.kind == "seed") {
      TARN_TRY(warnings,
               texts("SELECT DISTINCT substr(text, 10) FROM attempt_log WHERE run_id = ? AND task = ? AND "
                     "attempt = ? AND text LIKE 'warning: %' ORDER BY 1",
                     {outcome.run, fact.task, outcome.attempts}));
    }
    if (warnings.empty()) {
      TARN_CHECK(close(Event::kTest, fact));
    } else {
      auto warned = fact;
      warned.event = warned.kind = Event::kTest;
      warned.text = "warning: " + first_line(warnings.front());
      if (warnings.size() > 1)
        warned.text += fmt::format(" (and {} more)", warnings.size() - 1);
      TARN_CHECK(open(warned, {fact.task}));
    }
    if (outcome.kind != "source")
      return ok();
    if (outcome.rows_quarantined == 0)
      return close(Event::kQuarantine, fact);
    fact.event = fact.kind = Event::kQuarantine;
    fact.rows = outcome.rows_quarantined;
    fact.text = fmt::format("{} row{} in quarantine", fact.rows, fact.rows == 1 ? "" : "s");
    return open(fact, {fact.task});
  }

  // Of a task that never succeeded the age counts from when its promise was first seen.
  Status judge_promise(const Promise& promise) {
    TARN_TRY(auto rows, db_.query("SELECT run_id, finished_at FROM tasks WHERE name = ? AND state = 'done' "
                                  "ORDER BY started_at DESC LIMIT 1",
                                  {promise.task}));
    TARN_TRY(const bool done, rows.next());
    auto since = done ? rows.optional_time(1).value_or(now_) : now_;
    if (!done) {
      TARN_CHECK(db_.run("INSERT OR IGNORE INTO alert_watched VALUES (?, ?)", {promise.task, now_}));
      TARN_TRY(const auto first,
               db_.integer("SELECT since FROM alert_watched WHERE task = ?", {promise.task}));
      since = Timestamp(Duration(first.value_or(now_.time_since_epoch().count())));
    }
    Fact fact{.event = Event::kLateness, .kind = Event::kLateness};
    fact.subject = fact.task = promise.task;
    fact.task_kind = promise.kind;
    fact.path = promise.path;
    fact.run = done ? rows.text(0) : "";
    fact.at = now_;
    const auto late_at = since + promise.error_after;
    if (now_ <= late_at) {
      look_at(late_at + Duration(1));
      return close(Event::kLateness, fact);
    }
    TARN_TRY(const auto running, db_.integer("SELECT max(started_at) FROM tasks WHERE name = ? AND "
                                             "state = 'running'",
                                             {promise.task}));
    // Somebody is at it; but not for ever.
    if (running && now_ - Timestamp(Duration(*running)) < promise.error_after)
      return ok();
    fact.text = fmt::format("{} {} ago; freshness says error_after {}", done ? "updated" : "not built since",
                            format_duration(std::chrono::duration_cast<Duration>(now_ - since)),
                            format_duration(promise.error_after));
    return open(fact, {promise.task});
  }

  // What is no longer in the project is nobody's trouble. Of mails and steps of flows the plan knows nothing.
  Status forget_tasks() {
    if (plan_.tasks.empty())
      return ok();
    std::set<std::string> promised;
    for (const auto& promise : plan_.promises)
      promised.insert(promise.task);
    TARN_TRY(auto rows, db_.query("SELECT id, task, kind FROM alert_episodes WHERE closed_at IS NULL AND "
                                  "task_kind IN ('source', 'model', 'seed', 'test') AND opened_at < ?",
                                  {plan_.read_at}));
    std::vector<int64_t> gone;
    while (true) {
      TARN_TRY(const bool more, rows.next());
      if (!more)
        break;
      const bool is_late = rows.text(2) == name_of(Event::kLateness);
      if (!plan_.tasks.contains(rows.text(1)) || (is_late && !promised.contains(rows.text(1))))
        gone.push_back(rows.integer(0));
    }
    for (const auto id : gone) {
      verdict_.changed = true;
      TARN_CHECK(db_.run("UPDATE alert_episodes SET closed_at = ? WHERE id = ?", {now_, id}));
      TARN_CHECK(drop_waiting(id));
    }
    return ok();
  }

  void look_at(Timestamp at) {
    if (!verdict_.next || at < *verdict_.next)
      verdict_.next = at;
  }

  static bool wants(const Channel& channel, const Fact& fact, const std::vector<std::string>& of) {
    const bool hears = channel.events.contains(fact.event) ||
                       // A test that failed kept its model from being built, which is a failure as well.
                       (fact.event == Event::kTest && !fact.text.starts_with("warning: ") &&
                        channel.events.contains(Event::kFailure));
    const bool enough = fact.event != Event::kQuarantine || fact.rows >= channel.quarantine_rows;
    const bool selected = of.empty() || std::any_of(of.begin(), of.end(),
                                                    [&](const auto& task) { return channel.selects(task); });
    return hears && enough && selected;
  }

  Status open(const Fact& fact, const std::vector<std::string>& of) {
    TARN_TRY(auto episode, find_open(fact.kind, fact.subject));
    if (!episode) {
      TARN_CHECK(
          db_.run("INSERT INTO alert_episodes (kind, subject, task, task_kind, path, run_id, schedule, "
                  "text, count, skipped, opened_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                  {name_of(fact.kind), fact.subject, fact.task, fact.task_kind, fact.path, fact.run,
                   fact.schedule, fact.text, fact.rows, fact.skipped, fact.at}));
      TARN_TRY(episode, find_open(fact.kind, fact.subject));
      verdict_.changed = true;
    }
    for (const auto& channel : plan_.channels) {
      if (wants(channel, fact, of))
        TARN_CHECK(tell(*episode, channel.name, fact));
    }
    return ok();
  }

  Status close(Event kind, Fact fact) {
    TARN_TRY(const auto episode, find_open(kind, fact.subject));
    if (!episode)
      return ok();
    verdict_.changed = true;
    TARN_CHECK(db_.run("UPDATE alert_episodes SET closed_at = ? WHERE id = ?", {now_, *episode}));
    TARN_TRY(auto told, texts("SELECT channel FROM alerts WHERE episode = ? AND event <> 'recovery' AND "
                              "state IN ('sending', 'sent', 'unknown')",
                              {*episode}));
    TARN_CHECK(drop_waiting(*episode));
    fact.event = Event::kRecovery;
    fact.kind = kind;
    fact.rows = 0;
    TARN_TRY(const auto text, db_.text("SELECT text FROM alert_episodes WHERE id = ?", {*episode}));
    fact.text = text.value_or("");
    for (const auto& channel : plan_.channels) {
      const bool heard = std::find(told.begin(), told.end(), channel.name) != told.end();
      if (heard && channel.events.contains(Event::kRecovery))
        TARN_CHECK(tell(*episode, channel.name, fact));
    }
    return ok();
  }

  Result<std::optional<int64_t>> find_open(Event kind, const std::string& subject) {
    return db_.integer("SELECT id FROM alert_episodes WHERE kind = ? AND subject = ? AND closed_at IS NULL",
                       {name_of(kind), subject});
  }

  Status drop_waiting(int64_t episode) {
    return db_.run(
        "UPDATE alerts SET state = 'over', finished_at = ? WHERE episode = ? AND "
        "state = 'waiting'",
        {now_, episode});
  }

  // Once: the key holds for ever.
  Status tell(int64_t episode, const std::string& channel, const Fact& fact) {
    TARN_CHECK(
        db_.run("INSERT OR IGNORE INTO alerts (episode, event, channel, run_id, text, count, "
                "created_at, state) VALUES (?, ?, ?, ?, ?, ?, ?, 'waiting')",
                {episode, name_of(fact.event), channel, fact.run, fact.text, fact.rows, now_}));
    verdict_.told = verdict_.told || db_.changes() > 0;
    verdict_.changed = verdict_.changed || verdict_.told;
    return ok();
  }

  store::Connection& db_;
  const Plan& plan_;
  const Timestamp now_;
  Verdict verdict_;
};

}  // namespace

Result<Verdict> judge(store::Store& store, const Plan& plan, Timestamp now) {
  return store.write([&](store::Connection& db) { return Judge(db, plan, now).judge(); });
}

}  // namespace tarn::alert
