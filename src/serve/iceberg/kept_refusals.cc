#include "serve/iceberg/kept_refusals.h"

#include <fmt/format.h>

namespace tarn::serve::rest {
namespace {

constexpr Duration kKeptFor{std::chrono::hours{24}};

const store::Migrations& migrations() {
  static const store::Migrations steps{"iceberg_rest", {R"sql(
CREATE TABLE iceberg_refusals (
  key TEXT PRIMARY KEY,
  body TEXT NOT NULL,
  status INTEGER NOT NULL,
  answer TEXT NOT NULL,
  time_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX iceberg_refusals_time ON iceberg_refusals (time_us);
)sql"}};
  return steps;
}

}  // namespace

Result<std::unique_ptr<KeptRefusals>> KeptRefusals::open(Env& env, store::Store& store) {
  TARN_CHECK(store.migrate(migrations()));
  return std::unique_ptr<KeptRefusals>(new KeptRefusals(env, store));
}

Result<std::optional<Answer>> KeptRefusals::find(const std::string& key, const std::string& body_hash) {
  return store_.read([&](store::Connection& c) -> Result<std::optional<Answer>> {
    TARN_TRY(auto rows,
             c.query("SELECT body, status, answer FROM iceberg_refusals WHERE key = ? AND time_us > ?",
                     {key, env_.clock->now() - kKeptFor}));
    TARN_TRY(const bool found, rows.next());
    if (!found)
      return std::optional<Answer>();
    if (rows.text(0) != body_hash) {
      return Error{Code::kInvalid,
                   fmt::format("the idempotency key {} was used for another request; make a new "
                               "key for each",
                               key)};
    }
    return std::optional(
        Answer{.status = static_cast<int>(rows.integer(1)), .body = rows.text(2), .headers = {}});
  });
}

Status KeptRefusals::keep(const std::string& key, const std::string& body_hash, const Answer& answer) {
  const auto now = env_.clock->now();
  return store_.write([&](store::Connection& c) -> Status {
    TARN_CHECK(c.run("DELETE FROM iceberg_refusals WHERE time_us < ?", {now - kKeptFor}));
    return c.run("INSERT OR REPLACE INTO iceberg_refusals VALUES (?, ?, ?, ?, ?)",
                 {key, body_hash, answer.status, answer.body, now});
  });
}

}  // namespace tarn::serve::rest
