#include "session/session.h"

#include <fmt/format.h>

#include "base/time.h"
#include "engine/parse.h"
#include "guard/guard.h"
#include "session/session_state.h"
#include "session/session_stream.h"
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

class SessionImpl : public Session {
 public:
  SessionImpl(std::unique_ptr<engine::Connection> connection, engine::LakeCatalog& catalog,
              std::shared_ptr<Watchdog> watchdog, SessionOptions options)
      : connection_(std::move(connection)),
        catalog_(catalog),
        watchdog_(std::move(watchdog)),
        options_(std::move(options)) {}

  ~SessionImpl() override {
    end_open_result();
    if (connection_->in_transaction()) {
      (void)connection_->execute("ROLLBACK");  // nobody is left to hear of a failure
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

  Result<std::vector<engine::Column>> describe(std::string_view sql) override {
    auto facts = one_statement(sql);
    if (!facts) {
      return failed(std::move(facts.error()));
    }
    if (auto status = allow(sql, *facts); !status) {
      return failed(std::move(status.error()));
    }
    end_open_result();
    auto columns = connection_->describe(sql);
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
    if (state_->transaction == TransactionState::kOpen && !note.token.empty()) {
      TARN_TRY(auto known, catalog_.find_token(note.token));
      if (known) {
        TARN_CHECK(rollback());
        known->already_done = true;
        return known;
      }
    }
    auto noted = connection_->set_commit_note(std::move(note));
    if (!noted) {
      state_->note_failure(noted.error().message);
    }
    TARN_TRY(auto done, transaction("commit"));
    (void)done;
    return connection_->last_commit();
  }

  Status rollback() override {
    auto done = transaction("rollback");
    return done ? ok() : Status(std::move(done.error()));
  }

  Status remove_files(const engine::TableName& table, const std::vector<std::string>& paths) override {
    TARN_CHECK(refuse_if_failed());
    auto status = connection_->remove_files(table, paths);
    return status ? ok() : Status(failed(std::move(status.error())));
  }

  Status remove_all_files(const engine::TableName& table) override {
    TARN_CHECK(refuse_if_failed());
    auto status = connection_->remove_all_files(table);
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

  Status allow(std::string_view sql, const StatementFacts& facts) {
    if (!options_.unsafe) {
      TARN_CHECK(guard::check(sql, facts, macros_));
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

  Result<Stream> start(std::string_view text, Parameters parameters, bool own) {
    end_open_result();
    // Tarn's own statements take no slot: they run inside tasks, whose number is bounded elsewhere.
    auto run = watchdog_->make(*connection_, {.time_limit = options_.time_limit, .takes_slot = !own});
    {
      std::lock_guard lock(mutex_);
      run_ = run;
    }
    TARN_CHECK(watchdog_->start(*run));
    auto stream = connection_->query(text, parameters);
    if (!stream) {
      auto error = explain_stop(std::move(stream.error()), *run, options_.time_limit);
      run->end();
      return error;
    }
    if ((*stream)->columns().empty()) {
      run->end();
    }
    return make_session_stream(std::move(*stream), std::move(run), state_, options_.time_limit);
  }

  // No time limit and no cancel: an interrupt could make a COMMIT that was done look failed.
  Result<Stream> unstoppable(std::string_view text) {
    end_open_result();
    return connection_->query(text);
  }

  // A second statement ends an open result, so its slot is free again.
  void end_open_result() {
    std::shared_ptr<Run> run;
    {
      std::lock_guard lock(mutex_);
      run = std::move(run_);
      run_.reset();
    }
    if (run) {
      run->end();
    }
  }

  Result<Stream> transaction(const std::string& verb) {
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
    if (!stream && connection_->in_transaction()) {
      (void)connection_->execute("ROLLBACK");  // the error of the statement itself is the one to report
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

  std::unique_ptr<engine::Connection> connection_;
  engine::LakeCatalog& catalog_;
  std::shared_ptr<Watchdog> watchdog_;
  SessionOptions options_;
  std::shared_ptr<SessionState> state_ = std::make_shared<SessionState>();
  guard::Macros macros_;
  std::mutex mutex_;
  std::shared_ptr<Run> run_;  // of the newest statement; guarded by mutex_
};

class SessionServiceImpl : public SessionService {
 public:
  SessionServiceImpl(engine::Database& database, engine::LakeCatalog& catalog, Env& env, int slots)
      : database_(database), catalog_(catalog), watchdog_(std::make_shared<Watchdog>(env, slots)) {}

  Result<std::unique_ptr<Session>> open(SessionOptions options) override {
    TARN_TRY(auto connection, database_.connect());
    connection->set_principal(options.principal);
    if (options.as_of) {
      TARN_TRY(auto version,
               catalog_.at_time(*options.as_of));  // an early error with the first version's time
      (void)version;
      TARN_CHECK(connection->set_as_of(options.as_of));
    }
    return std::make_unique<SessionImpl>(std::move(connection), catalog_, watchdog_, std::move(options));
  }

  engine::LakeCatalog& catalog() override { return catalog_; }

 private:
  engine::Database& database_;
  engine::LakeCatalog& catalog_;
  std::shared_ptr<Watchdog> watchdog_;
};

}  // namespace

std::unique_ptr<SessionService> make_session_service(engine::Database& database, engine::LakeCatalog& catalog,
                                                     Env& env, SessionServiceOptions options) {
  return std::make_unique<SessionServiceImpl>(database, catalog, env, options.slots);
}

}  // namespace tarn::session
