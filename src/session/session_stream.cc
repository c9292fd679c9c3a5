#include "session/session_stream.h"

#include <fmt/format.h>

namespace tarn::session {
namespace {

class SessionStream : public engine::ResultStream {
 public:
  SessionStream(std::unique_ptr<engine::ResultStream> inner, std::shared_ptr<Run> run,
                std::shared_ptr<SessionState> state, std::chrono::milliseconds time_limit)
      : inner_(std::move(inner)), run_(std::move(run)), state_(std::move(state)), time_limit_(time_limit) {}

  ~SessionStream() override {
    inner_.reset();
    run_->end();
  }

  [[nodiscard]] const std::vector<engine::Column>& columns() const override { return inner_->columns(); }
  [[nodiscard]] std::optional<int64_t> rows_changed() const override { return inner_->rows_changed(); }

  Result<std::optional<engine::TextBatch>> next_text() override {
    TARN_CHECK(refuse_if_closed());
    auto batch = inner_->next_text();
    if (!batch) {
      return failed(std::move(batch.error()));
    }
    if (!*batch) {
      read_whole_ = true;
      run_->end();
    }
    return batch;
  }

  Result<bool> next_arrow(ArrowArray* array) override {
    TARN_CHECK(refuse_if_closed());
    auto more = inner_->next_arrow(array);
    if (!more) {
      return failed(std::move(more.error()));
    }
    if (!*more) {
      read_whole_ = true;
      run_->end();
    }
    return more;
  }

  Status arrow_schema(ArrowSchema* schema) override { return inner_->arrow_schema(schema); }

 private:
  // The session ends the run of an open result when its next statement starts.
  Status refuse_if_closed() const {
    if (read_whole_ || inner_->columns().empty() || !run_->ended()) {
      return ok();
    }
    return failure_.value_or(
        Error{Code::kInvalid, "this result was closed by the next statement on its session; read it first"});
  }

  Error failed(Error error) {
    auto explained = explain_stop(std::move(error), *run_, time_limit_);
    state_->note_failure(explained.message);
    run_->end();
    failure_ = explained;
    return explained;
  }

  std::unique_ptr<engine::ResultStream> inner_;
  std::shared_ptr<Run> run_;
  std::shared_ptr<SessionState> state_;
  std::chrono::milliseconds time_limit_;
  bool read_whole_ = false;
  std::optional<Error> failure_;
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
  return Error{Code::kCancelled, "the statement was cancelled"};
}

std::unique_ptr<engine::ResultStream> make_session_stream(std::unique_ptr<engine::ResultStream> inner,
                                                          std::shared_ptr<Run> run,
                                                          std::shared_ptr<SessionState> state,
                                                          std::chrono::milliseconds time_limit) {
  return std::make_unique<SessionStream>(std::move(inner), std::move(run), std::move(state), time_limit);
}

}  // namespace tarn::session
