#include "catalog/repeated_requests.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace tarn::catalog {
namespace {

using nlohmann::json;
using store::Connection;

struct Known {
  std::string body;
  engine::CommitOutcome outcome;
  Timestamp time;
};

Result<std::optional<Known>> load(Connection& c, const std::string& id) {
  TARN_TRY(auto rows, c.query("SELECT body, locations, version, version_time_us, time_us FROM "
                              "repeatable_requests WHERE id = ?",
                              {id}));
  TARN_TRY(const bool found, rows.next());
  if (!found) {
    return std::optional<Known>();
  }
  Known known{.body = rows.text(0), .outcome = {}, .time = rows.time(4)};
  known.outcome.already_done = true;
  known.outcome.lake_version = rows.integer(2);
  known.outcome.time = rows.time(3);
  const auto locations = json::parse(rows.text(1), nullptr, false);
  if (!locations.is_object()) {
    return Error{Code::kCorrupt, fmt::format("the outcome of request {} cannot be read", id)};
  }
  for (const auto& [uuid, location] : locations.items()) {
    known.outcome.metadata_locations[uuid] = location.is_string() ? location.get<std::string>() : "";
  }
  return std::optional(std::move(known));
}

// Whether all documents that the request has left are still the newest ones.
Result<bool> is_current(Connection& c, const engine::CommitOutcome& outcome) {
  for (const auto& [uuid, location] : outcome.metadata_locations) {
    bool is_there = false;
    for (const char* sql :
         {"SELECT count(*) FROM lake_tables WHERE uuid = ? AND metadata_location = ? AND end_version IS NULL",
          "SELECT count(*) FROM lake_views WHERE uuid = ? AND metadata_location = ? AND end_version IS "
          "NULL"}) {
      TARN_TRY(const auto count, c.integer(sql, {uuid, location}));
      is_there = is_there || count.value_or(0) > 0;
    }
    if (!is_there) {
      return false;
    }
  }
  return !outcome.metadata_locations.empty();
}

Status note(Connection& c, const std::string& id, const std::string& body,
            const engine::CommitOutcome& outcome, Timestamp now) {
  return c.run("INSERT OR REPLACE INTO repeatable_requests VALUES (?, ?, ?, ?, ?, ?)",
               {id, body, json(outcome.metadata_locations).dump(), outcome.lake_version, outcome.time, now});
}

}  // namespace

const char* const kRepeatedRequestTables = R"sql(
CREATE TABLE repeatable_requests (
  id TEXT PRIMARY KEY,
  body TEXT NOT NULL,
  locations TEXT NOT NULL,
  version INTEGER NOT NULL,
  version_time_us INTEGER NOT NULL,
  time_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX repeatable_requests_time ON repeatable_requests (time_us);
)sql";

Result<std::optional<engine::CommitOutcome>> find_repeated(Connection& c,
                                                           const engine::RepeatableRequest& request,
                                                           Timestamp now) {
  if (!request.key.empty()) {
    TARN_TRY(auto known, load(c, "key:" + request.key));
    if (known && known->time > now - kRequestKeptFor) {
      if (known->body != request.body) {
        return Error{Code::kInvalid,
                     fmt::format("the idempotency key {} was used for another request; make a "
                                 "new key for each",
                                 request.key)};
      }
      return std::optional(std::move(known->outcome));
    }
  }
  if (request.by_body) {
    TARN_TRY(auto known, load(c, "body:" + request.body));
    if (known && known->time > now - kBodyGoodFor) {
      TARN_TRY(const bool current, is_current(c, known->outcome));
      if (current) {
        return std::optional(std::move(known->outcome));
      }
    }
  }
  return std::optional<engine::CommitOutcome>();
}

Status note_repeatable(Connection& c, const engine::RepeatableRequest& request,
                       const engine::CommitOutcome& outcome, Timestamp now) {
  if (request.key.empty() && !request.by_body) {
    return ok();
  }
  TARN_CHECK(c.run("DELETE FROM repeatable_requests WHERE time_us < ?", {now - kRequestKeptFor}));
  if (!request.key.empty()) {
    TARN_CHECK(note(c, "key:" + request.key, request.body, outcome, now));
  }
  return !request.by_body ? ok() : note(c, "body:" + request.body, request.body, outcome, now);
}

}  // namespace tarn::catalog
