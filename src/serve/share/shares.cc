#include "serve/share/shares.h"

#include <algorithm>

#include "base/ids.h"
#include "codec/sha256.h"
#include "serve/http/json.h"

namespace tarn::serve {
namespace {

constexpr std::chrono::days kEndedKept{400};
constexpr double kAsksAtOnce = 60;
constexpr double kStrangersAtOnce = 30;

store::Migrations migrations() {
  return {.component = "shares", .steps = {R"sql(
CREATE TABLE shares (
  id TEXT PRIMARY KEY, secret_hash TEXT NOT NULL UNIQUE, board TEXT NOT NULL, filters TEXT NOT NULL,
  may_filter INTEGER NOT NULL, may_see_rows INTEGER NOT NULL, created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL, revoked_at INTEGER, used_at INTEGER, uses INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
)sql"}};
}

report::Given given_of_text(const std::string& text) {
  report::Given given;
  const auto json = Json::parse(text, nullptr, false);
  if (json.is_object()) {
    for (const auto& [name, values] : json.items())
      given[name] = texts_of(json, name.c_str());
  }
  return given;
}

}  // namespace

bool Shares::Bucket::take(Duration now, double most) {
  constexpr double kMicros = 1e6;
  left = at ? std::min(most, left + static_cast<double>((now - *at).count()) / kMicros) : most;
  at = now;
  if (left < 1)
    return false;
  left -= 1;
  return true;
}

Result<std::unique_ptr<Shares>> Shares::open(Env& env, store::Store& store) {
  TARN_CHECK(store.migrate(migrations()));
  std::unique_ptr<Shares> shares(new Shares(env, store));
  TARN_CHECK(shares->load());
  return shares;
}

Status Shares::load() {
  const auto now = env_.clock->now();
  return store_.read([&](store::Connection& db) -> Status {
    TARN_TRY(auto rows,
             db.query("SELECT id, secret_hash, board, filters, may_filter, may_see_rows, created_at, "
                      "expires_at, used_at, uses FROM shares WHERE revoked_at IS NULL AND "
                      "expires_at > ?",
                      {now}));
    while (true) {
      TARN_TRY(const bool more, rows.next());
      if (!more)
        return ok();
      Share share{.id = rows.text(0), .board = rows.text(2), .filters = given_of_text(rows.text(3))};
      share.may_filter = rows.integer(4) != 0;
      share.may_see_rows = rows.integer(5) != 0;
      share.created_at = rows.time(6);
      share.expires_at = rows.time(7);
      share.used_at = rows.optional_time(8);
      share.uses = rows.integer(9);
      by_hash_[rows.text(1)].share = std::move(share);
    }
  });
}

void Shares::drop_ended(Timestamp now) {
  std::erase_if(by_hash_, [now](const auto& entry) { return entry.second.share.expires_at <= now; });
}

Result<NewShare> Shares::make(Share wanted) {
  NewShare made{.share = std::move(wanted), .secret = new_secret(*env_.random)};
  auto& share = made.share;
  share.id = new_uuid(*env_.random);
  share.created_at = env_.clock->now();
  const auto hash = codec::sha256_hex(made.secret);
  TARN_CHECK(store_.write([&](store::Connection& db) -> Status {
    TARN_CHECK(db.run("DELETE FROM shares WHERE expires_at < ?", {share.created_at - kEndedKept}));
    return db.run(
        "INSERT INTO shares (id, secret_hash, board, filters, may_filter, may_see_rows, created_at, "
        "expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        {share.id, hash, share.board, dump(Json(share.filters)), share.may_filter ? 1 : 0,
         share.may_see_rows ? 1 : 0, share.created_at, share.expires_at});
  }));
  const std::lock_guard lock(mutex_);
  drop_ended(share.created_at);
  by_hash_[hash].share = share;
  return made;
}

std::vector<Share> Shares::live() {
  const std::lock_guard lock(mutex_);
  drop_ended(env_.clock->now());
  std::vector<Share> all;
  for (const auto& [hash, entry] : by_hash_)
    all.push_back(entry.share);
  std::sort(all.begin(), all.end(), [](const Share& a, const Share& b) {
    return std::tie(b.created_at, b.id) < std::tie(a.created_at, a.id);
  });
  return all;
}

Status Shares::revoke(const std::string& id) {
  const auto now = env_.clock->now();
  const auto of_id = [&id](const auto& entry) { return entry.second.share.id == id; };
  {
    const std::lock_guard lock(mutex_);
    drop_ended(now);
    if (std::none_of(by_hash_.begin(), by_hash_.end(), of_id))
      return Error{Code::kNotFound, "there is no such link, or it ended"};
  }
  TARN_CHECK(store_.write([&](store::Connection& db) {
    return db.run("UPDATE shares SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL", {now, id});
  }));
  const std::lock_guard lock(mutex_);
  std::erase_if(by_hash_, of_id);
  return ok();
}

// The hash is looked up, so that the time of an answer says nothing about a secret.
Result<Share> Shares::admit(std::string_view secret) {
  const auto hash = codec::sha256_hex(secret);
  const auto now = env_.clock->now();
  const auto steady = env_.clock->steady();
  const std::lock_guard lock(mutex_);
  const auto found = by_hash_.find(hash);
  if (found == by_hash_.end() || found->second.share.expires_at <= now) {
    if (!strangers_.take(steady, kStrangersAtOnce))
      return Error{Code::kExhausted, "too many requests: wait a moment"};
    return Error{Code::kNotFound, "this link does not work any more: it has ended or was taken back"};
  }
  if (!found->second.asks.take(steady, kAsksAtOnce))
    return Error{Code::kExhausted, "too many requests: wait a moment"};
  return found->second.share;
}

void Shares::note_use(const std::string& id) {
  const auto now = env_.clock->now();
  {
    const std::lock_guard lock(mutex_);
    for (auto& [hash, entry] : by_hash_) {
      if (entry.share.id != id)
        continue;
      entry.share.used_at = now;
      ++entry.share.uses;
    }
  }
  // Whoever looks is not kept waiting by a full disk.
  (void)store_.write([&](store::Connection& db) {
    return db.run("UPDATE shares SET used_at = ?, uses = uses + 1 WHERE id = ?", {now, id});
  });
}

}  // namespace tarn::serve
