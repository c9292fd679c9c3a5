// The one gate for SQL: parse -> allow -> run -> stream. No other code runs a person's text.
// A Session and its results belong to one client and one thread at a time; cancel() may come from any.
// Stopped statements are answered within 250 ms. One that does not stop by then is left to itself: it can
// commit nothing, keeps its slot until it ends, and takes the session's temporary tables, macros and prepared
// statements with it.
// A result that is open when the next statement comes is set aside and can be read afterwards.
// It keeps the transaction's state itself: after an error inside BEGIN every statement but ROLLBACK is
// refused with kAborted, and COMMIT rolls back and says so.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "engine/connection.h"

namespace tarn::session {

struct SessionOptions {
  engine::Principal principal;
  bool unsafe = false;                      // the admin's --unsafe: no allow-lists
  std::optional<Timestamp> as_of;           // every table as it was then; the session is read-only
  std::chrono::milliseconds time_limit{0};  // per statement; 0: none
};

class Session {
 public:
  virtual ~Session() = default;

  // One statement of a person's SQL, checked against the allow-lists.
  virtual Result<std::unique_ptr<engine::ResultStream>> query(
      std::string_view sql, std::span<const engine::Parameter> parameters = {}) = 0;
  // A person's script: each statement checked, rows dropped; returns the rows changed by the last one.
  virtual Result<int64_t> execute(std::string_view sql) = 0;
  // Column names and types of a person's SELECT, without running it.
  virtual Result<std::vector<engine::Column>> describe(std::string_view sql) = 0;
  // The same with parameters; see engine::Connection.
  virtual Result<std::vector<engine::Column>> describe(std::string_view sql,
                                                       std::span<const engine::Parameter> parameters) = 0;

  // Text that Tarn itself wrote, which may read landed files; never holds a person's text.
  virtual Result<std::unique_ptr<engine::ResultStream>> query_own(
      std::string_view sql, std::span<const engine::Parameter> parameters = {}) = 0;
  virtual Result<int64_t> execute_own(std::string_view sql) = 0;

  virtual Status begin() = 0;
  // Commits with the note (token, cursors). When the token was committed before, nothing is written and the
  // outcome says already_done. Empty optional: the transaction wrote nothing and carried no cursor.
  virtual Result<std::optional<engine::CommitOutcome>> commit(engine::CommitNote note = {}) = 0;
  virtual Status rollback() = 0;

  // Inside a transaction; see engine::Connection.
  virtual Status remove_files(const engine::TableName& table, const std::vector<std::string>& paths) = 0;
  virtual Status remove_all_files(const engine::TableName& table) = 0;

  // Stops the running statement, which then fails with kCancelled.
  virtual void cancel() = 0;
  // Statements fail at once that start while the flag is set: for whoever cancels at a time when the
  // statement may not have started yet. Set the flag, then call cancel(). Null: none.
  virtual void set_stop_flag(std::shared_ptr<const std::atomic<bool>> flag) = 0;
};

// Outlives its sessions. Its end waits for statements that were left to themselves.
class SessionService {
 public:
  virtual ~SessionService() = default;
  virtual Result<std::unique_ptr<Session>> open(SessionOptions options) = 0;
  virtual engine::LakeCatalog& catalog() = 0;
  // Names of databases of others.
  [[nodiscard]] virtual const std::set<std::string>& attachments() const = 0;
};

class Watchdog;

struct SessionServiceOptions {
  int slots = 8;                                 // statements that may run at the same time; more wait
  std::shared_ptr<Watchdog> watchdog = nullptr;  // see statements.h; null: one of its own, with `slots`
  // Of an open result, when the next statement of its session comes; more is not kept.
  uint64_t set_aside_bytes_max = uint64_t{1} << 30U;
  std::set<std::string> attachments = {};  // names of databases of others, which may be read
};

std::unique_ptr<SessionService> make_session_service(engine::Database& database, engine::LakeCatalog& catalog,
                                                     Env& env, SessionServiceOptions options);

// "'it''s'": a SQL string literal.
std::string quote_literal(std::string_view text);
// "\"a b\"": a SQL identifier.
std::string quote_identifier(std::string_view name);
// Schema and name quoted and joined by a dot.
std::string quote_name(const engine::TableName& name);

}  // namespace tarn::session
