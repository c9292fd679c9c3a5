#include "report/mail/sent_log.h"

#include <array>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/time.h"
#include "flow/record_table.h"
#include "store/sorting.h"

namespace tarn::report::mail {
namespace {

store::Migrations migrations() {
  return {.component = "mail",
          .steps = {R"sql(
CREATE TABLE sent (
  id TEXT PRIMARY KEY, key TEXT NOT NULL, report TEXT NOT NULL, run TEXT NOT NULL, sender TEXT NOT NULL,
  recipients TEXT NOT NULL, subject TEXT NOT NULL, state TEXT NOT NULL, attempts INTEGER NOT NULL,
  answer TEXT NOT NULL, bytes INTEGER NOT NULL, lake_version INTEGER NOT NULL, started_at INTEGER NOT NULL,
  finished_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX sent_by_key ON sent (key, started_at);
)sql",
                    R"sql(
ALTER TABLE sent ADD COLUMN parameters TEXT NOT NULL DEFAULT '{}';
CREATE INDEX sent_by_time ON sent (started_at);
)sql"}};
}

constexpr std::string_view kColumns =
    "id, key, report, run, sender, recipients, subject, state, attempts, answer, bytes, lake_version, "
    "started_at, finished_at, parameters";

constexpr std::array kStates = {SentState::kSending, SentState::kSent,    SentState::kNoRows,
                                SentState::kRefused, SentState::kNotSent, SentState::kUnknown};

using Parameters = std::map<std::string, std::vector<std::string>>;

Parameters parameters_of(const std::string& text) {
  Parameters all;
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object())
    return all;
  for (const auto& [name, values] : json.items()) {
    auto& list = all[name];
    for (const auto& one : values) {
      if (one.is_string())
        list.push_back(one.get<std::string>());
    }
  }
  return all;
}

// Bytes that are not UTF-8 become U+FFFD.
std::string text_of(const Parameters& parameters) {
  return nlohmann::json(parameters).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

SentRecord record_of(const store::Rows& row) {
  SentRecord record{.id = row.text(0), .key = row.text(1), .report = row.text(2), .run = row.text(3)};
  record.sender = row.text(4);
  record.recipients = row.text(5);
  record.subject = row.text(6);
  record.state = sent_state_of(row.text(7));
  record.attempts = static_cast<int>(row.integer(8));
  record.answer = row.text(9);
  record.bytes = row.integer(10);
  record.lake_version = row.integer(11);
  record.started_at = row.time(12);
  record.finished_at = row.optional_time(13);
  record.parameters = parameters_of(row.text(14));
  return record;
}

Result<std::optional<SentRecord>> newest(store::Connection& db, const std::string& key) {
  TARN_TRY(auto rows,
           db.query(fmt::format("SELECT {} FROM sent WHERE key = ? ORDER BY started_at DESC, id LIMIT 1",
                                kColumns),
                    {key}));
  TARN_TRY(const bool found, rows.next());
  return found ? std::optional(record_of(rows)) : std::nullopt;
}

Status may_begin(const SentRecord& before, bool repeatable) {
  const auto when = format_utc(before.started_at);
  switch (before.state) {
    case SentState::kSending:
      return Error{Code::kConflict, fmt::format("the mail of {} is being sent already", before.key)};
    case SentState::kSent:
    case SentState::kNoRows:
      return Error{Code::kExists, fmt::format("the mail of {} was done at {}", before.key, when)};
    case SentState::kUnknown:
      if (repeatable)
        return ok();
      return Error{
          Code::kFailed,
          fmt::format(
              "nobody knows whether the mail of {} was sent at {}: ask {}, and say so with 'tarn report "
              "--done' or '--again' and the mail's id {}; 'repeatable: true' under mail repeats such mails",
              before.key, when, before.recipients, before.id)};
    case SentState::kRefused:
    case SentState::kNotSent: return ok();
  }
  return ok();
}

}  // namespace

std::string_view name_of(SentState state) {
  switch (state) {
    case SentState::kSending: return "sending";
    case SentState::kSent: return "sent";
    case SentState::kNoRows: return "no rows";
    case SentState::kRefused: return "refused";
    case SentState::kNotSent: return "not sent";
    case SentState::kUnknown: return "unknown";
  }
  return "";
}

SentState sent_state_of(std::string_view name) {
  for (const auto state : kStates) {
    if (name_of(state) == name)
      return state;
  }
  return SentState::kUnknown;
}

Result<std::unique_ptr<SentLog>> SentLog::open(Env& env, store::Store& store) {
  TARN_CHECK(store.migrate(migrations()));
  TARN_CHECK(store.write([](store::Connection& db) {
    return db.run(
        "UPDATE sent SET state = 'unknown', answer = 'Tarn was stopped while it was sent' "
        "WHERE state = 'sending'");
  }));
  return std::unique_ptr<SentLog>(new SentLog(env, store));
}

Result<std::optional<SentRecord>> SentLog::find(const std::string& key) {
  return store_.read([&](store::Connection& db) { return newest(db, key); });
}

Status SentLog::begin(const SentRecord& record, bool repeatable) {
  return store_.write([&](store::Connection& db) -> Status {
    TARN_TRY(const auto before, newest(db, record.key));
    if (before)
      TARN_CHECK(may_begin(*before, repeatable));
    return db.run(
        "INSERT INTO sent (id, key, report, run, sender, recipients, subject, state, attempts, answer, "
        "bytes, lake_version, started_at, parameters) VALUES (?, ?, ?, ?, ?, ?, ?, 'sending', 0, '', ?, ?, "
        "?, ?)",
        {record.id, record.key, record.report, record.run, record.sender, record.recipients, record.subject,
         record.bytes, record.lake_version, record.started_at, text_of(record.parameters)});
  });
}

Status SentLog::end(const SentRecord& record) {
  return store_.write([&](store::Connection& db) {
    return db.run("UPDATE sent SET state = ?, attempts = ?, answer = ?, finished_at = ? WHERE id = ?",
                  {name_of(record.state), record.attempts, record.answer, env_.clock->now(), record.id});
  });
}

namespace {

constexpr std::array<store::Sort, 5> kSorts = {{{"at", "started_at"},
                                                {"report", "report"},
                                                {"state", "state"},
                                                {"bytes", "bytes"},
                                                {"attempts", "attempts"}}};

Status may_settle(const SentRecord& mail, bool done) {
  const bool lost = mail.state == SentState::kRefused || mail.state == SentState::kNotSent;
  if (mail.state == SentState::kUnknown || (!done && lost))
    return ok();
  return Error{Code::kConflict,
               fmt::format("the mail of {} is {}: only one of which nobody knows whether it arrived can be "
                           "settled",
                           mail.key, name_of(mail.state))};
}

constexpr std::string_view kWanted =
    "(?1 = '' OR state = ?1) AND (?2 = '' OR report = ?2) AND (?3 = '' OR instr(lower(recipients || ' ' || "
    "subject || ' ' || run || ' ' || answer), lower(?3)) > 0)";

}  // namespace

Result<SentRecord> SentLog::settle(const std::string& mail, bool done) {
  return store_.write([&](store::Connection& db) -> Result<SentRecord> {
    TARN_TRY(auto rows, db.query(fmt::format("SELECT {} FROM sent WHERE id = ?1 OR key = ?1 ORDER BY "
                                             "started_at DESC, id LIMIT 1",
                                             kColumns),
                                 {mail}));
    TARN_TRY(const bool found, rows.next());
    if (!found)
      return Error{Code::kNotFound,
                   fmt::format("there is no mail '{}': _tarn.sent has the ids and keys of all", mail)};
    auto record = record_of(rows);
    TARN_CHECK(may_settle(record, done));
    if (record.state != SentState::kUnknown)
      return record;
    record.state = done ? SentState::kSent : SentState::kNotSent;
    record.answer = done ? "somebody looked: it arrived" : "somebody looked: it did not arrive";
    record.finished_at = env_.clock->now();
    TARN_CHECK(db.run("UPDATE sent SET state = ?, answer = ?, finished_at = ? WHERE id = ?",
                      {name_of(record.state), record.answer, record.finished_at, record.id}));
    return record;
  });
}

Result<SentPage> sent_page(store::Store& store, const SentQuery& query) {
  if (!query.state.empty() && name_of(sent_state_of(query.state)) != query.state) {
    return Error{Code::kInvalid, fmt::format("'{}' is no state of a mail: take sending, sent, 'no rows', "
                                             "refused, 'not sent' or unknown",
                                             query.state)};
  }
  TARN_TRY(const auto order, store::order_by("mails", query.sort, kSorts, "started_at DESC, id"));
  return store.read([&](store::Connection& db) -> Result<SentPage> {
    SentPage page;
    TARN_TRY(const auto total, db.integer(fmt::format("SELECT count(*) FROM sent WHERE {}", kWanted),
                                          {query.state, query.report, query.text}));
    TARN_TRY(const auto unknown, db.integer("SELECT count(*) FROM sent WHERE state = 'unknown'"));
    page.total = total.value_or(0);
    page.unknown = unknown.value_or(0);
    TARN_TRY(auto rows, db.query(fmt::format("SELECT {} FROM sent WHERE {} ORDER BY {} LIMIT ?4 OFFSET ?5",
                                             kColumns, kWanted, order),
                                 {query.state, query.report, query.text, query.limit, query.offset}));
    while (true) {
      TARN_TRY(const bool more, rows.next());
      if (!more)
        return page;
      page.mails.push_back(record_of(rows));
    }
  });
}

std::shared_ptr<engine::TableSource> sent_table(store::Store& store) {
  using flow::kText, flow::kTime, flow::kWhole;
  return flow::record_table(
      store, {.name = "sent",
              .about = "One row per mail of a report, newest first.",
              .columns = {{{"id", kText, "its Message-ID"}, "id"},
                          {{"key", kText, "the occasion: one is sent once"}, "key"},
                          {{"report", kText, ""}, "report"},
                          {{"run", kText, ""}, "run"},
                          {{"sender", kText, ""}, "sender"},
                          {{"recipients", kText, "to, cc and bcc"}, "recipients"},
                          {{"subject", kText, ""}, "subject"},
                          {{"state", kText,
                            "sending, sent, no rows, refused, not sent, unknown (it may have been sent)"},
                           "state"},
                          {{"attempts", "INTEGER", ""}, "attempts"},
                          {{"answer", kText, "why it was not sent"}, "nullif(answer, '')"},
                          {{"bytes", kWhole, "of the workbook"}, "bytes"},
                          {{"lake_version", kWhole, "that it shows"}, "lake_version"},
                          {{"started_at", kTime, ""}, "started_at"},
                          {{"finished_at", kTime, ""}, "finished_at"}},
              .from = "sent ORDER BY started_at DESC, id"});
}

}  // namespace tarn::report::mail
