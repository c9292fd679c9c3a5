#include "session/session_stream.h"

#include <fmt/format.h>

namespace tarn::session {
namespace {

using Shared = std::shared_ptr<OpenResult>;

// Makes a call on the result's rows by its link; while they stand aside, at once.
template <class T>
Result<T> call_rows(const Shared& shared, std::function<Result<T>(engine::ResultStream&)> work) {
  if (shared->failure) {
    return *shared->failure;
  }
  if (!shared->on_connection) {
    return work(*shared->rows);
  }
  auto answer = shared->link->call<Result<T>>(
      shared->run, [shared, work = std::move(work)](engine::Connection&) { return work(*shared->rows); });
  if (answer && *answer) {
    return std::move(*answer);
  }
  shared->failure = answer ? explain_stop(std::move(answer->error()), *shared->run, shared->time_limit)
                           : explain_left(*shared->run, shared->time_limit);
  if (answer) {
    shared->run->end();
  }
  shared->on_connection = false;
  return *shared->failure;
}

class SessionStream : public engine::ResultStream {
 public:
  SessionStream(Shared shared, std::shared_ptr<SessionState> state)
      : shared_(std::move(shared)),
        state_(std::move(state)),
        columns_(shared_->rows->columns()),
        rows_changed_(shared_->rows->rows_changed()) {}

  ~SessionStream() override {
    if (shared_->on_connection) {
      shared_->on_connection = false;
      shared_->rows.reset();
      shared_->run->end();
    }
  }
  SessionStream(const SessionStream&) = delete;
  SessionStream& operator=(const SessionStream&) = delete;

  [[nodiscard]] const std::vector<engine::Column>& columns() const override { return columns_; }
  [[nodiscard]] std::optional<int64_t> rows_changed() const override { return rows_changed_; }

  Result<std::optional<engine::TextBatch>> next_text() override {
    auto batch = call<std::optional<engine::TextBatch>>([](auto& rows) { return rows.next_text(); });
    if (batch && !*batch) {
      come_to_end();
    }
    return batch;
  }

  Result<engine::ArrowBatch> next_arrow() override {
    auto batch = call<engine::ArrowBatch>([](auto& rows) { return rows.next_arrow(); });
    if (batch && !*batch) {
      come_to_end();
    }
    return batch;
  }

  Status arrow_schema(ArrowSchema* schema) override {
    return shared_->failure ? Status(*shared_->failure) : shared_->rows->arrow_schema(schema);
  }
  Status set_aside(uint64_t bytes_max) override { return session::set_aside(shared_, bytes_max); }

 private:
  template <class T>
  Result<T> call(std::function<Result<T>(engine::ResultStream&)> work) {
    const bool known = shared_->failure.has_value();
    auto answer = call_rows<T>(shared_, std::move(work));
    if (!answer && !known) {
      state_->note_failure(answer.error().message);
    }
    return answer;
  }

  void come_to_end() {
    shared_->on_connection = false;
    shared_->run->end();
  }

  Shared shared_;
  std::shared_ptr<SessionState> state_;
  std::vector<engine::Column> columns_;
  std::optional<int64_t> rows_changed_;
};

}  // namespace

Error explain_stop(Error error, const Run& run, std::chrono::milliseconds time_limit) {
  if (error.code != Code::kCancelled) {
    return error;
  }
  if (run.stop_reason() == StopReason::kTimeLimit) {
    return Error{Code::kTimeout,
                 fmt::format("the statement was stopped after its time limit of {} ms", time_limit.count())};
  }
  if (run.stop_reason() == StopReason::kNone) {
    // One of the engine's threads failed, and another one's interruption was reported instead.
    return Error{Code::kFailed,
                 "an error inside the engine stopped the statement, and its text was lost; run it again"};
  }
  return Error{Code::kCancelled, "the statement was cancelled"};
}

Error explain_left(const Run& run, std::chrono::milliseconds time_limit) {
  auto error = explain_stop(Error{Code::kCancelled, ""}, run, time_limit);
  error.message +=
      "; it does not stop at once, so the session goes on without what it had: temporary tables, macros, "
      "prepared statements, an open transaction";
  return error;
}

Status set_aside(const Shared& result, uint64_t bytes_max) {
  if (!result->on_connection) {
    return ok();
  }
  auto done = call_rows<bool>(result, [bytes_max](engine::ResultStream& rows) -> Result<bool> {
    TARN_CHECK(rows.set_aside(bytes_max));
    return true;
  });
  if (!done) {
    return done.error();
  }
  result->on_connection = false;
  result->run->end();
  return ok();
}

std::unique_ptr<engine::ResultStream> make_session_stream(Shared result,
                                                          std::shared_ptr<SessionState> state) {
  return std::make_unique<SessionStream>(std::move(result), std::move(state));
}

}  // namespace tarn::session
