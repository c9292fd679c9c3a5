#include "alert/records.h"

#include <array>

#include <fmt/format.h>

#include "alert/history.h"
#include "base/ids.h"
#include "base/time.h"
#include "flow/record_table.h"

namespace tarn::alert {
namespace {

constexpr Duration kHour{3'600'000'000};
constexpr std::string_view kKilled = "Tarn was stopped while it was sent";

// The triggers ask before they insert: in one that an upsert fires, OR IGNORE would not hold.
store::Migrations migrations() {
  return {.component = "alerts", .steps = {R"sql(
CREATE TABLE alert_ended (run_id TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
CREATE TABLE alert_episodes (
  id INTEGER PRIMARY KEY, kind TEXT NOT NULL, subject TEXT NOT NULL, task TEXT NOT NULL,
  task_kind TEXT NOT NULL, path TEXT NOT NULL, run_id TEXT NOT NULL, schedule TEXT NOT NULL,
  text TEXT NOT NULL, count INTEGER NOT NULL, skipped INTEGER NOT NULL, opened_at INTEGER NOT NULL,
  closed_at INTEGER
) STRICT;
CREATE UNIQUE INDEX alert_episodes_open ON alert_episodes (kind, subject) WHERE closed_at IS NULL;
CREATE TABLE alerts (
  id INTEGER PRIMARY KEY, episode INTEGER NOT NULL, event TEXT NOT NULL, channel TEXT NOT NULL,
  run_id TEXT NOT NULL, text TEXT NOT NULL, count INTEGER NOT NULL, created_at INTEGER NOT NULL,
  state TEXT NOT NULL, tries INTEGER NOT NULL DEFAULT 0, message TEXT NOT NULL DEFAULT '',
  answer TEXT NOT NULL DEFAULT '', finished_at INTEGER, UNIQUE (episode, event, channel)
) STRICT;
CREATE INDEX alerts_open ON alerts (channel) WHERE state IN ('waiting', 'sending');
CREATE TABLE alert_messages (
  id TEXT PRIMARY KEY, channel TEXT NOT NULL, alerts INTEGER NOT NULL, state TEXT NOT NULL,
  answer TEXT NOT NULL, started_at INTEGER NOT NULL, finished_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX alert_messages_by_time ON alert_messages (channel, started_at);
CREATE TABLE alert_troubles (
  channel TEXT PRIMARY KEY, failures INTEGER NOT NULL, not_before INTEGER, answer TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE alert_watched (task TEXT PRIMARY KEY, since INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TRIGGER alert_run_ended AFTER UPDATE OF finished_at ON runs WHEN new.finished_at IS NOT NULL
BEGIN INSERT INTO alert_ended SELECT new.id WHERE new.id NOT IN (SELECT run_id FROM alert_ended); END;
CREATE TRIGGER alert_due_settled AFTER UPDATE OF state ON due
WHEN new.state IN ('done', 'failed', 'cancelled') AND new.state <> old.state AND new.run_id <> ''
BEGIN INSERT INTO alert_ended SELECT new.run_id WHERE new.run_id NOT IN (SELECT run_id FROM alert_ended); END;
)sql"}};
}

constexpr std::array<std::pair<AlertState, std::string_view>, 7> kStates = {
    {{AlertState::kWaiting, "waiting"},
     {AlertState::kSending, "sending"},
     {AlertState::kSent, "sent"},
     {AlertState::kOver, "over"},
     {AlertState::kRefused, "refused"},
     {AlertState::kNotSent, "not sent"},
     {AlertState::kUnknown, "unknown"}}};

Result<Trouble> trouble_of(store::Connection& db, const std::string& channel) {
  TARN_TRY(auto rows,
           db.query("SELECT failures, not_before, answer FROM alert_troubles WHERE channel = ?", {channel}));
  TARN_TRY(const bool any, rows.next());
  if (!any)
    return Trouble{};
  return Trouble{.failures = static_cast<int>(rows.integer(0)),
                 .not_before = rows.optional_time(1),
                 .answer = rows.text(2)};
}

// When the channel may send; `now` or earlier: at once.
Result<Timestamp> free_at(store::Connection& db, const Channel& channel, const TimeZone& zone,
                          Timestamp now) {
  TARN_TRY(const auto trouble, trouble_of(db, channel.name));
  // A clock that was set back does not silence a channel for long.
  const auto not_before = trouble.not_before.value_or(now);
  if (not_before > now && not_before - now <= kHour)
    return not_before;
  if (channel.quiet && is_quiet(*channel.quiet, now, zone))
    return end_of_quiet(*channel.quiet, now, zone);
  TARN_TRY(auto rows, db.query("SELECT started_at FROM alert_messages WHERE channel = ? AND alerts > 0 AND "
                               "started_at > ? AND started_at <= ? AND state IN ('sending', 'sent', "
                               "'unknown') ORDER BY started_at DESC LIMIT ?",
                               {channel.name, now - kHour, now, channel.per_hour}));
  int sent = 0;
  Timestamp oldest = now;
  while (true) {
    TARN_TRY(const bool more, rows.next());
    if (!more)
      break;
    ++sent;
    oldest = rows.time(0);
  }
  return sent < channel.per_hour ? now : oldest + kHour;
}

Status add_message(store::Connection& db, const Message& message, Timestamp now) {
  return db.run(
      "INSERT INTO alert_messages (id, channel, alerts, state, answer, started_at) VALUES "
      "(?, ?, ?, 'sending', '', ?)",
      {message.id, message.channel, message.alerts.size(), now});
}

// What nobody would take for so long is old news.
Status give_up(store::Connection& db, const Channel& channel, Timestamp now) {
  return db.run(
      "UPDATE alerts SET state = 'not sent', finished_at = ? WHERE channel = ? AND "
      "state = 'waiting' AND tries > 0 AND created_at < ?",
      {now, channel.name, now - channel.give_up});
}

}  // namespace

std::string_view name_of(AlertState state) {
  for (const auto& [known, name] : kStates) {
    if (known == state)
      return name;
  }
  return "unknown";
}

AlertState alert_state_of(std::string_view name) {
  for (const auto& [state, known] : kStates) {
    if (known == name)
      return state;
  }
  return AlertState::kUnknown;
}

Result<std::unique_ptr<AlertRecords>> AlertRecords::open(Env& env, store::Store& store) {
  TARN_CHECK(store.migrate(migrations()));
  TARN_TRY(const auto left, store.read([](store::Connection& db) {
    return db.integer("SELECT count(*) FROM alert_messages WHERE state = 'sending'");
  }));
  if (left.value_or(0) > 0) {
    const auto now = env.clock->now();
    TARN_CHECK(store.write([now](store::Connection& db) -> Status {
      TARN_CHECK(
          db.run("UPDATE alerts SET state = 'unknown', answer = ?, finished_at = ? WHERE state = 'sending'",
                 {kKilled, now}));
      return db.run(
          "UPDATE alert_messages SET state = 'unknown', answer = ?, finished_at = ? WHERE state = 'sending'",
          {kKilled, now});
    }));
  }
  return std::unique_ptr<AlertRecords>(new AlertRecords(env, store));
}

Result<AlertRecords::Taken> AlertRecords::take(const Channel& channel, const TimeZone& zone) {
  TARN_TRY(const auto any, waiting(channel.name));
  if (any == 0)
    return Taken{};
  const auto now = env_.clock->now();
  return store_.write([&](store::Connection& db) -> Result<Taken> {
    TARN_CHECK(give_up(db, channel, now));
    TARN_TRY(const auto free, free_at(db, channel, zone, now));
    if (free > now)
      return Taken{.message = {}, .look_again = free};
    Message message{.id = new_uuid(*env_.random), .channel = channel.name, .alerts = {}};
    TARN_TRY(
        auto rows,
        db.query(fmt::format("SELECT {} FROM {} WHERE a.channel = ? AND a.state = 'waiting' ORDER BY a.id",
                             kAlertColumns, kAlertTables),
                 {channel.name}));
    TARN_TRY(message.alerts, alerts_of(std::move(rows)));
    if (message.alerts.empty())
      return Taken{};
    TARN_CHECK(add_message(db, message, now));
    TARN_CHECK(
        db.run("UPDATE alerts SET state = 'sending', tries = tries + 1, message = ? WHERE channel = ? "
               "AND state = 'waiting'",
               {message.id, channel.name}));
    return Taken{.message = std::move(message), .look_again = {}};
  });
}

Result<Message> AlertRecords::begin_test(const Channel& channel) {
  Message message{.id = new_uuid(*env_.random), .channel = channel.name, .alerts = {}};
  const auto now = env_.clock->now();
  TARN_CHECK(store_.write([&](store::Connection& db) { return add_message(db, message, now); }));
  return message;
}

Status AlertRecords::end(const Message& message, const End& end) {
  const auto now = env_.clock->now();
  const bool again = end.state == AlertState::kWaiting;
  return store_.write([&](store::Connection& db) -> Status {
    TARN_CHECK(
        db.run("UPDATE alert_messages SET state = ?, answer = ?, finished_at = ? WHERE id = ?",
               {again ? name_of(AlertState::kNotSent) : name_of(end.state), end.answer, now, message.id}));
    TARN_CHECK(
        db.run("UPDATE alerts SET state = ?, answer = ?, finished_at = CASE WHEN ? THEN NULL ELSE ? "
               "END WHERE message = ? AND state = 'sending'",
               {name_of(end.state), end.answer, again ? 1 : 0, now, message.id}));
    if (again)
      return db.run(
          "INSERT INTO alert_troubles VALUES (?, 1, ?, ?) ON CONFLICT (channel) DO UPDATE SET "
          "failures = failures + 1, not_before = excluded.not_before, answer = excluded.answer",
          {message.channel, end.not_before, end.answer});
    return db.run("DELETE FROM alert_troubles WHERE channel = ?", {message.channel});
  });
}

Status AlertRecords::end_test(const Message& message, AlertState state, const std::string& answer) {
  return store_.write([&](store::Connection& db) {
    return db.run("UPDATE alert_messages SET state = ?, answer = ?, finished_at = ? WHERE id = ?",
                  {name_of(state), answer, env_.clock->now(), message.id});
  });
}

Status AlertRecords::repeat_unknown(const Channel& channel) {
  return store_.write([&](store::Connection& db) {
    return db.run(
        "UPDATE alerts SET state = 'waiting', finished_at = NULL WHERE channel = ? AND "
        "state = 'unknown' AND answer = ? AND created_at > ?",
        {channel.name, kKilled, env_.clock->now() - channel.give_up});
  });
}

Result<std::vector<Episode>> AlertRecords::open_episodes() {
  return store_.read([](store::Connection& db) -> Result<std::vector<Episode>> {
    TARN_TRY(auto rows, db.query("SELECT id, kind, subject, task, task_kind, path, run_id, schedule, text, "
                                 "opened_at, count, skipped FROM alert_episodes WHERE closed_at IS NULL "
                                 "ORDER BY opened_at DESC, id DESC"));
    std::vector<Episode> all;
    while (true) {
      TARN_TRY(const bool more, rows.next());
      if (!more)
        break;
      Episode one{.id = rows.integer(0)};
      one.fact.event = one.fact.kind = event_of(rows.text(1)).value_or(Event::kFailure);
      one.fact.subject = rows.text(2);
      one.fact.task = rows.text(3);
      one.fact.task_kind = rows.text(4);
      one.fact.path = rows.text(5);
      one.fact.run = rows.text(6);
      one.fact.schedule = rows.text(7);
      one.fact.text = rows.text(8);
      one.fact.at = one.fact.since = rows.time(9);
      one.fact.rows = rows.integer(10);
      one.fact.skipped = rows.integer(11);
      all.push_back(std::move(one));
    }
    for (auto& one : all)
      TARN_CHECK(add_told(db, one));
    return all;
  });
}

Result<std::vector<Alert>> AlertRecords::newest(int limit) {
  return store_.read([&](store::Connection& db) -> Result<std::vector<Alert>> {
    TARN_TRY(auto rows, db.query(fmt::format("SELECT {} FROM {} ORDER BY a.id DESC LIMIT ?", kAlertColumns,
                                             kAlertTables),
                                 {limit}));
    return alerts_of(std::move(rows));
  });
}

Result<Trouble> AlertRecords::trouble(const std::string& channel) {
  return store_.read([&](store::Connection& db) { return trouble_of(db, channel); });
}

Result<std::optional<LastMessage>> AlertRecords::last(const std::string& channel) {
  return store_.read([&](store::Connection& db) { return last_message(db, channel); });
}

Result<int64_t> AlertRecords::waiting(const std::string& channel) {
  TARN_TRY(const auto count, store_.read([&](store::Connection& db) {
    return db.integer(
        "SELECT count(*) FROM alerts WHERE channel = ? AND state = 'waiting' AND "
        "state IN ('waiting', 'sending')",
        {channel});
  }));
  return count.value_or(0);
}

std::shared_ptr<engine::TableSource> alerts_table(store::Store& store) {
  using flow::kText, flow::kTime, flow::kWhole;
  return flow::record_table(
      store,
      {.name = "alerts",
       .about = "One row per alert and channel, newest first.",
       .columns = {{{"created_at", kTime, ""}, "a.created_at"},
                   {{"event", kText, "failure, recovery, lateness, test or quarantine"}, "a.event"},
                   {{"subject", kText, "the task, or schedule and its name"}, "e.subject"},
                   {{"task", kText, ""}, "nullif(e.task, '')"},
                   {{"run", kText, ""}, "nullif(a.run_id, '')"},
                   {{"schedule", kText, ""}, "nullif(e.schedule, '')"},
                   {{"text", kText, "first line of the error, or what is the matter"}, "a.text"},
                   {{"channel", kText, "name in alerts of tarn.yml"}, "a.channel"},
                   {{"state", kText,
                     "waiting, sending, sent, over (well again before it was told), refused, not sent, "
                     "unknown (it may have arrived)"},
                    "a.state"},
                   {{"tries", "INTEGER", ""}, "a.tries"},
                   {{"message", kText, "that told it"}, "nullif(a.message, '')"},
                   {{"answer", kText, "why it was not sent"}, "nullif(a.answer, '')"},
                   {{"finished_at", kTime, ""}, "a.finished_at"},
                   {{"id", kWhole, "what 'tarn alerts --done' and '--again' take"}, "a.id"}},
       .from = "alerts a JOIN alert_episodes e ON e.id = a.episode ORDER BY a.id DESC"});
}

}  // namespace tarn::alert
