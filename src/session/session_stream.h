// A result that keeps its statement's slot and time limit until its rows are read, dropped or set aside.
#pragma once

#include <chrono>
#include <memory>
#include <optional>

#include "engine/connection.h"
#include "session/link.h"
#include "session/session_state.h"
#include "session/watchdog.h"

namespace tarn::session {

// A result as its session and its client share it. One thread at a time, as the session.
struct OpenResult {
  std::shared_ptr<Link> link;
  std::shared_ptr<Run> run;
  std::chrono::milliseconds time_limit{0};
  std::unique_ptr<engine::ResultStream> rows;  // not to be touched once the link was left
  bool on_connection = true;                   // false: its rows were read to the end or set aside
  std::optional<Error> failure;
};

// The error of a statement that was stopped says who stopped it.
Error explain_stop(Error error, const Run& run, std::chrono::milliseconds time_limit);
// The same for a call that was left to itself.
Error explain_left(const Run& run, std::chrono::milliseconds time_limit);

// Frees the connection for the next statement. An error, which also stands in `result.failure`, is one of the
// old result's rows.
Status set_aside(const std::shared_ptr<OpenResult>& result, uint64_t bytes_max);

std::unique_ptr<engine::ResultStream> make_session_stream(std::shared_ptr<OpenResult> result,
                                                          std::shared_ptr<SessionState> state);

}  // namespace tarn::session
