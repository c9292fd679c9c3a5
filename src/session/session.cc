#include "session/session.h"

#include <set>

#include <fmt/format.h>

#include "base/time.h"
#include "engine/parse.h"
#include "guard/guard.h"
#include "session/session_state.h"
#include "session/session_stream.h"
#include "session/statements.h"
#include "session/watchdog.h"

namespace tarn::session {
namespace {

using engine::StatementFacts;
using engine::StatementKind;
using Stream = std::unique_ptr<engine::ResultStream>;
using Parameters = std::span<const engine::Parameter>;

// Scripts up to this size keep the places of their statements in errors: the text before one is blanked, not
// cut.
constexpr size_t kPlacedBytesMax = 256 * 1024;

// `sql` up to the statement's end, with everything before it blanked: the statement's lines stay where they
// were.
std::string placed(std::string_view sql, const StatementFacts& facts) {
  if (sql.size() > kPlacedBytesMax) {
    return facts.text;
  }
  std::string text(sql.substr(0, facts.end));
  for (size_t i = 0; i < facts.begin; ++i) {
    if (text[i] != '\n') {
      text[i] = ' ';
    }
  }
  return text;
}

// What all sessions of a service share.
struct Ground {
  engine::Database& database;
  engine::LakeCatalog& catalog;
  Env& env;
  std::shared_ptr<Watchdog> watchdog;
  uint64_t set_aside_bytes_max;
  guard::Attachments attachments;
  Crew crew;  // ends first: what was left to itself uses the others

  Result<std::shared_ptr<Link>> connect(const SessionOptions& options) {
    TARN_TRY(auto connection, database.connect());
    connection->set_principal(options.principal);
    if (options.as_of) {
      TARN_CHECK(connection->set_as_of(options.as_of));
    }
    return std::make_shared<Link>(std::move(connection), crew, *env.clock);
  }
};

class SessionImpl : public Session {
 public:
  SessionImpl(Ground& ground, std::shared_ptr<Link> link, SessionOptions options)
      : ground_(ground), link_(std::move(link)), options_(std::move(options)) {}

  ~SessionImpl() override {
    if (auto open = open_.lock(); open && open->on_connection) {
      open->run->end();
      open->on_connection = false;
      open->failure = Error{Code::kCancelled, "the session of this result has ended"};
    }
    if (!link_->is_left()) {
      auto run = ground_.watchdog->make(link_, {.sql = "close", .takes_slot = false});
      run->cancel();
      link_->close(run);
    }
  }

  Result<Stream> query(std::string_view sql, Parameters parameters) override {
    auto facts = one_statement(sql);
    if (!facts) {
      return failed(std::move(facts.error()));
    }
    return run(sql, *facts, parameters, /*own=*/false);
  }

  Result<int64_t> execute(std::string_view sql) override { return execute_all(sql, /*own=*/false); }

  Result<std::vector<engine::Column>> describe(std::string_view sql) override { return describe(sql, {}); }

  Result<std::vector<engine::Column>> describe(std::string_view sql, Parameters parameters) override {
    auto facts = one_statement(sql);
    if (!facts) {
      return failed(std::move(facts.error()));
    }
    if (auto status = allow(sql, *facts); !status) {
      return failed(std::move(status.error()));
    }
    TARN_CHECK(free_connection());
    auto& connection = link_->connection();
    auto columns = parameters.empty() ? connection.describe(sql) : connection.describe(sql, parameters);
    return columns ? columns : failed(std::move(columns.error()));
  }

  Result<Stream> query_own(std::string_view sql, Parameters parameters) override {
    auto facts = one_statement(sql);
    if (!facts) {
      return failed(std::move(facts.error()));
    }
    return run(sql, *facts, parameters, /*own=*/true);
  }

  Result<int64_t> execute_own(std::string_view sql) override { return execute_all(sql, /*own=*/true); }

  Status begin() override {
    auto done = transaction("begin");
    return done ? ok() : Status(std::move(done.error()));
  }

  Result<std::optional<engine::CommitOutcome>> commit(engine::CommitNote note) override {
    if (state_->transaction == TransactionState::kNone) {
      return Error{Code::kInvalid, "COMMIT without BEGIN: there is no transaction to commit"};
    }
    TARN_CHECK(free_connection());
    if (state_->transaction == TransactionState::kOpen && !note.token.empty()) {
      TARN_TRY(auto known, ground_.catalog.find_token(note.token));
      if (known) {
        TARN_CHECK(rollback());
        known->already_done = true;
        return known;
      }
    }
    auto noted = link_->connection().set_commit_note(std::move(note));
    if (!noted) {
      state_->note_failure(noted.error().message);
    }
    TARN_TRY(auto done, transaction("commit"));
    (void)done;
    return link_->connection().last_commit();
  }

  Status rollback() override {
    auto done = transaction("rollback");
    return done ? ok() : Status(std::move(done.error()));
  }

  Status remove_files(const engine::TableName& table, const std::vector<std::string>& paths) override {
    TARN_CHECK(free_connection());
    TARN_CHECK(refuse_if_failed());
    auto status = link_->connection().remove_files(table, paths);
    return status ? ok() : Status(failed(std::move(status.error())));
  }

  Status remove_all_files(const engine::TableName& table) override {
    TARN_CHECK(free_connection());
    TARN_CHECK(refuse_if_failed());
    auto status = link_->connection().remove_all_files(table);
    return status ? ok() : Status(failed(std::move(status.error())));
  }

  void cancel() override {
    std::shared_ptr<Run> run;
    {
      std::lock_guard lock(mutex_);
      run = run_;
    }
    if (run) {
      run->cancel();
    }
  }

  void set_stop_flag(std::shared_ptr<const std::atomic<bool>> flag) override { stop_flag_ = std::move(flag); }

 private:
  Error failed(Error error) {
    state_->note_failure(error.message);
    return error;
  }

  Status refuse_if_failed() const {
    if (state_->transaction != TransactionState::kFailed) {
      return ok();
    }
    return Error{Code::kAborted,
                 fmt::format("the transaction failed at an earlier statement and accepts only "
                             "ROLLBACK; that statement said: {}",
                             state_->failure)};
  }

  static Result<StatementFacts> one_statement(std::string_view sql) {
    TARN_TRY(auto all, engine::parse(sql));
    if (all.empty()) {
      return Error{Code::kInvalid, "there is no statement in this text"};
    }
    if (all.size() > 1) {
      return Error{Code::kInvalid, fmt::format("{}: one statement at a time, please: this text has {}",
                                               engine::place_in(sql, all[1].begin), all.size())};
    }
    return std::move(all.front());
  }

  // Also one that another schema than the session's has: the engine finds it, or says that it does not.
  bool is_macro(const std::string& name) {
    if (macros_.contains(name)) {
      return true;
    }
    const auto version = options_.as_of ? ground_.catalog.at_time(*options_.as_of) : ground_.catalog.head();
    return version && std::any_of((*version)->schemas.begin(), (*version)->schemas.end(),
                                  [&](const auto& entry) { return entry.second->macros.contains(name); });
  }

  Status allow(std::string_view sql, const StatementFacts& facts) {
    if (!options_.unsafe) {
      TARN_CHECK(guard::check(
          sql, facts, [&](const std::string& name) { return is_macro(name); }, ground_.attachments));
    }
    if (options_.as_of && guard::writes(facts)) {
      return Error{Code::kDenied,
                   fmt::format("{}: this session reads the lake as of {} and cannot write",
                               engine::place_in(sql, facts.begin), format_utc(*options_.as_of))};
    }
    return ok();
  }

  Result<int64_t> execute_all(std::string_view sql, bool own) {
    auto all = engine::parse(sql);
    if (!all) {
      return failed(std::move(all.error()));
    }
    int64_t rows = 0;
    for (const auto& facts : *all) {
      TARN_TRY(auto stream, run(sql, facts, {}, own));
      rows = stream->rows_changed().value_or(0);
      // A SELECT runs to its end: its errors count, its rows do not.
      while (!stream->columns().empty()) {
        TARN_TRY(auto batch, stream->next_text());
        if (!batch) {
          break;
        }
      }
    }
    return rows;
  }

  // Checks, waits for a slot, runs; a statement alone is run a second time when another commit came between.
  Result<Stream> run(std::string_view sql, const StatementFacts& facts, Parameters parameters, bool own) {
    if (!own) {
      if (auto status = allow(sql, facts); !status) {
        return failed(std::move(status.error()));
      }
    }
    if (!facts.transaction.empty()) {
      return transaction(facts.transaction);
    }
    TARN_CHECK(free_connection());
    TARN_CHECK(refuse_if_failed());
    auto text = placed(sql, facts);
    auto stream = start(text, parameters, own);
    if (!stream && stream.error().code == Code::kConflict && state_->transaction == TransactionState::kNone) {
      stream = start(text, parameters, own);
    }
    if (!stream) {
      return failed(std::move(stream.error()));
    }
    if (facts.kind == StatementKind::kCreateMacro) {
      macros_.insert(facts.created);
    }
    return stream;
  }

  Result<Stream> start(const std::string& text, Parameters parameters, bool own) {
    // Tarn's own statements take no slot: they run inside tasks, whose number is bounded elsewhere.
    auto run =
        ground_.watchdog->make(link_, {.sql = text, .time_limit = options_.time_limit, .takes_slot = !own});
    set_run(run);
    if (stop_flag_ && stop_flag_->load()) {
      run->cancel();
    }
    if (auto started = ground_.watchdog->start(*run); !started) {
      run->end();
      return started.error();
    }
    auto rows = link_->call<Result<Stream>>(
        run, [text, values = std::vector(parameters.begin(), parameters.end())](
                 engine::Connection& connection) { return connection.query(text, values); });
    if (!rows) {
      return explain_left(*run, options_.time_limit);
    }
    if (!*rows) {
      auto error = explain_stop(std::move(rows->error()), *run, options_.time_limit);
      run->end();
      return error;
    }
    auto result = std::make_shared<OpenResult>(OpenResult{
        .link = link_, .run = std::move(run), .time_limit = options_.time_limit, .rows = std::move(**rows)});
    if (result->rows->columns().empty()) {
      result->run->end();
      result->on_connection = false;
    }
    open_ = result;
    return make_session_stream(std::move(result), state_);
  }

  void set_run(std::shared_ptr<Run> run) {
    const std::lock_guard lock(mutex_);
    run_ = std::move(run);
  }

  // Before each use of the connection: an open result is set aside, a connection that was left is replaced.
  Status free_connection() {
    if (auto open = open_.lock()) {
      auto aside = set_aside(open, ground_.set_aside_bytes_max);
      if (!aside) {
        state_->note_failure(aside.error().message);
        if (aside.error().code == Code::kCancelled) {
          return aside;  // whoever cancelled meant the statement that comes
        }
      }
    }
    open_.reset();
    if (!link_->is_left()) {
      return ok();
    }
    TARN_TRY(link_, ground_.connect(options_));
    macros_.clear();
    if (state_->transaction == TransactionState::kNone) {
      return ok();
    }
    // The transaction failed with its connection; so that ROLLBACK finds one.
    auto begun = link_->connection().execute("BEGIN");
    return begun ? ok() : Status(begun.error());
  }

  // No time limit and no cancel: an interrupt could make a COMMIT that was done look failed.
  Result<Stream> unstoppable(std::string_view text) {
    set_run(nullptr);
    return link_->connection().query(text);
  }

  Result<Stream> transaction(const std::string& verb) {
    TARN_CHECK(free_connection());
    if (verb == "begin") {
      TARN_CHECK(refuse_if_failed());
      if (state_->transaction == TransactionState::kOpen) {
        return failed(
            Error{Code::kInvalid, "BEGIN inside a transaction: COMMIT or ROLLBACK the open one first"});
      }
      auto stream = unstoppable("BEGIN");
      if (stream) {
        state_->transaction = TransactionState::kOpen;
      }
      return stream;
    }
    if (state_->transaction == TransactionState::kNone) {
      return Error{Code::kInvalid, fmt::format("{} without BEGIN: there is no open transaction",
                                               verb == "commit" ? "COMMIT" : "ROLLBACK")};
    }
    if (verb == "commit" && state_->transaction == TransactionState::kFailed) {
      return roll_back_failed();
    }
    auto stream = unstoppable(verb == "commit" ? "COMMIT" : "ROLLBACK");
    // Over in any case: a failed COMMIT has rolled back.
    state_->transaction = TransactionState::kNone;
    if (!stream && link_->connection().in_transaction()) {
      (void)link_->connection().execute(
          "ROLLBACK");  // the error of the statement itself is the one to report
    }
    return stream;
  }

  Error roll_back_failed() {
    auto failure = std::move(state_->failure);
    auto rolled_back = unstoppable("ROLLBACK");
    state_->transaction = TransactionState::kNone;
    if (!rolled_back) {
      return rolled_back.error();
    }
    return Error{Code::kAborted,
                 fmt::format("nothing was committed: the transaction was rolled back because a "
                             "statement had failed: {}",
                             failure)};
  }

  Ground& ground_;
  std::shared_ptr<Link> link_;
  SessionOptions options_;
  std::shared_ptr<SessionState> state_ = std::make_shared<SessionState>();
  std::shared_ptr<const std::atomic<bool>> stop_flag_;
  std::set<std::string> macros_;    // that the session itself made
  std::weak_ptr<OpenResult> open_;  // of the newest statement
  std::mutex mutex_;
  std::shared_ptr<Run> run_;  // of the newest statement; guarded by mutex_
};

class SessionServiceImpl : public SessionService {
 public:
  SessionServiceImpl(engine::Database& database, engine::LakeCatalog& catalog, Env& env,
                     SessionServiceOptions options)
      : ground_{
            .database = database,
            .catalog = catalog,
            .env = env,
            .watchdog = options.watchdog ? std::move(options.watchdog) : make_watchdog(env, options.slots),
            .set_aside_bytes_max = options.set_aside_bytes_max,
            .attachments = std::move(options.attachments),
            .crew = {}} {}

  Result<std::unique_ptr<Session>> open(SessionOptions options) override {
    if (options.as_of) {
      // An early error with the first version's time.
      TARN_TRY([[maybe_unused]] auto version, ground_.catalog.at_time(*options.as_of));
    }
    TARN_TRY(auto link, ground_.connect(options));
    return std::make_unique<SessionImpl>(ground_, std::move(link), std::move(options));
  }

  engine::LakeCatalog& catalog() override { return ground_.catalog; }
  [[nodiscard]] const std::set<std::string>& attachments() const override { return ground_.attachments; }

 private:
  Ground ground_;
};

}  // namespace

std::unique_ptr<SessionService> make_session_service(engine::Database& database, engine::LakeCatalog& catalog,
                                                     Env& env, SessionServiceOptions options) {
  return std::make_unique<SessionServiceImpl>(database, catalog, env, std::move(options));
}

}  // namespace tarn::session
