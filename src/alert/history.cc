#include "alert/history.h"

#include <array>

#include <fmt/format.h>

#include "base/time.h"
#include "store/sorting.h"

namespace tarn::alert {
namespace {

constexpr std::array<store::Sort, 5> kSorts = {{{"at", "a.id"},
                                                {"event", "a.event"},
                                                {"subject", "e.subject"},
                                                {"channel", "a.channel"},
                                                {"state", "a.state"}}};

constexpr std::string_view kWanted =
    "(?1 = '' OR a.state = ?1) AND (?2 = '' OR a.event = ?2) AND (?3 = '' OR a.channel = ?3) AND "
    "(?4 = '' OR instr(lower(e.subject || ' ' || a.text || ' ' || a.run_id || ' ' || a.answer), lower(?4)) > "
    "0)";

Status check_words(const PageQuery& query) {
  if (!query.state.empty() && name_of(alert_state_of(query.state)) != query.state) {
    return Error{Code::kInvalid,
                 fmt::format("'{}' is no state of an alert: take waiting, sending, sent, over, refused, "
                             "'not sent' or unknown",
                             query.state)};
  }
  if (!query.event.empty() && !event_of(query.event)) {
    return Error{
        Code::kInvalid,
        fmt::format("'{}' is no event: take failure, recovery, lateness, test or quarantine", query.event)};
  }
  return ok();
}

// Not what is over: nobody is to hear of it now.
Status send_again(store::Connection& db, const Alert& alert, Timestamp now) {
  TARN_CHECK(
      db.run("UPDATE alerts SET state = 'over', answer = 'it was over before it was sent again', "
             "finished_at = ? WHERE message = ? AND state = 'unknown' AND event <> 'recovery' AND EXISTS "
             "(SELECT 1 FROM alert_episodes e WHERE e.id = alerts.episode AND e.closed_at IS NOT NULL)",
             {now, alert.message}));
  // A try of its own: what waited too long would be given up at once.
  TARN_CHECK(
      db.run("UPDATE alerts SET state = 'waiting', tries = 0, answer = '', finished_at = NULL WHERE "
             "message = ? AND state = ? AND (event = 'recovery' OR EXISTS (SELECT 1 FROM alert_episodes e "
             "WHERE e.id = alerts.episode AND e.closed_at IS NULL))",
             {alert.message, name_of(alert.state)}));
  return db.run("DELETE FROM alert_troubles WHERE channel = ?", {alert.channel});
}

Status may_settle(const Alert& alert, bool done) {
  const bool lost = alert.state == AlertState::kRefused || alert.state == AlertState::kNotSent;
  if (alert.state != AlertState::kUnknown && (done || !lost)) {
    return Error{Code::kConflict,
                 fmt::format("alert {} is {}: only one of which nobody knows whether it arrived can be "
                             "settled",
                             alert.id, name_of(alert.state))};
  }
  if (!done && alert.over_at && alert.fact.event != Event::kRecovery) {
    return Error{Code::kConflict, fmt::format("what alert {} tells is over since {}: it is not sent again",
                                              alert.id, format_utc(*alert.over_at))};
  }
  return ok();
}

}  // namespace

Alert alert_of(const store::Rows& row) {
  Alert alert;
  alert.id = row.integer(0);
  alert.channel = row.text(1);
  alert.state = alert_state_of(row.text(2));
  auto& fact = alert.fact;
  fact.event = event_of(row.text(3)).value_or(Event::kFailure);
  fact.kind = event_of(row.text(4)).value_or(Event::kFailure);
  fact.subject = row.text(5);
  fact.task = row.text(6);
  fact.task_kind = row.text(7);
  fact.path = row.text(8);
  fact.run = row.text(9);
  fact.schedule = row.text(10);
  fact.text = row.text(11);
  fact.at = alert.created_at = row.time(12);
  fact.since = row.time(13);
  fact.rows = row.integer(14);
  fact.skipped = row.integer(15);
  alert.tries = static_cast<int>(row.integer(16));
  alert.message = row.text(17);
  alert.answer = row.text(18);
  alert.finished_at = row.optional_time(19);
  alert.over_at = row.optional_time(20);
  return alert;
}

Result<std::vector<Alert>> alerts_of(store::Rows rows) {
  std::vector<Alert> all;
  while (true) {
    TARN_TRY(const bool more, rows.next());
    if (!more)
      return all;
    all.push_back(alert_of(rows));
  }
}

Result<AlertPage> alert_page(store::Store& store, const PageQuery& query) {
  TARN_CHECK(check_words(query));
  TARN_TRY(const auto order, store::order_by("alerts", query.sort, kSorts, "a.id DESC"));
  return store.read([&](store::Connection& db) -> Result<AlertPage> {
    AlertPage page;
    TARN_TRY(const auto total,
             db.integer(fmt::format("SELECT count(*) FROM {} WHERE {}", kAlertTables, kWanted),
                        {query.state, query.event, query.channel, query.text}));
    page.total = total.value_or(0);
    TARN_TRY(auto rows,
             db.query(fmt::format("SELECT {} FROM {} WHERE {} ORDER BY {} LIMIT ?5 OFFSET ?6", kAlertColumns,
                                  kAlertTables, kWanted, order),
                      {query.state, query.event, query.channel, query.text, query.limit, query.offset}));
    TARN_TRY(page.alerts, alerts_of(std::move(rows)));
    return page;
  });
}

Status add_told(store::Connection& db, Episode& episode) {
  TARN_TRY(auto told, db.query(fmt::format("SELECT {} FROM {} WHERE a.episode = ? ORDER BY a.channel, a.id",
                                           kAlertColumns, kAlertTables),
                               {episode.id}));
  TARN_TRY(episode.told, alerts_of(std::move(told)));
  episode.last_run = episode.fact.run;
  if (episode.fact.task.empty() || episode.fact.run.empty())
    return ok();
  const bool fails = episode.fact.kind == Event::kFailure || episode.fact.kind == Event::kTest;
  TARN_TRY(auto rows,
           db.query("SELECT count(*) FILTER (WHERE state IN ('failed', 'interrupted', 'unknown')), "
                    "max(run_id) FROM tasks WHERE name = ? AND run_id >= ? AND started_at IS NOT "
                    "NULL",
                    {episode.fact.task, episode.fact.run}));
  TARN_TRY(const bool any, rows.next());
  if (any && !rows.is_null(1)) {
    episode.failed_runs = fails ? rows.integer(0) : 0;
    episode.last_run = rows.text(1);
  }
  return ok();
}

Result<std::optional<LastMessage>> last_message(store::Connection& db, const std::string& channel) {
  TARN_TRY(auto rows, db.query("SELECT state, answer, coalesce(finished_at, started_at), alerts FROM "
                               "alert_messages WHERE channel = ? ORDER BY started_at DESC, id LIMIT 1",
                               {channel}));
  TARN_TRY(const bool any, rows.next());
  if (!any)
    return std::nullopt;
  return LastMessage{.state = alert_state_of(rows.text(0)),
                     .answer = rows.text(1),
                     .at = rows.time(2),
                     .is_test = rows.integer(3) == 0};
}

Result<std::string> settle(store::Store& store, int64_t id, bool done, Timestamp now) {
  return store.write([&](store::Connection& db) -> Result<std::string> {
    TARN_TRY(auto rows,
             db.query(fmt::format("SELECT {} FROM {} WHERE a.id = ?", kAlertColumns, kAlertTables), {id}));
    TARN_TRY(const auto found, alerts_of(std::move(rows)));
    if (found.empty())
      return Error{Code::kNotFound,
                   fmt::format("there is no alert {}: _tarn.alerts has the numbers of all", id)};
    const auto& alert = found.front();
    TARN_CHECK(may_settle(alert, done));
    if (!done) {
      TARN_CHECK(send_again(db, alert, now));
      return alert.channel;
    }
    TARN_CHECK(
        db.run("UPDATE alerts SET state = 'sent', answer = 'somebody looked: it arrived', finished_at = ? "
               "WHERE message = ? AND state = 'unknown'",
               {now, alert.message}));
    TARN_CHECK(
        db.run("UPDATE alert_messages SET state = 'sent', answer = 'somebody looked: it arrived' "
               "WHERE id = ? AND state = 'unknown'",
               {alert.message}));
    return alert.channel;
  });
}

}  // namespace tarn::alert
