// A result that keeps its statement's slot and time limit until its rows are read or dropped.
#pragma once

#include <chrono>
#include <memory>

#include "engine/connection.h"
#include "session/session_state.h"
#include "session/watchdog.h"

namespace tarn::session {

// The error of a statement that was stopped says who stopped it.
Error explain_stop(Error error, const Run& run, std::chrono::milliseconds time_limit);

std::unique_ptr<engine::ResultStream> make_session_stream(std::unique_ptr<engine::ResultStream> inner,
                                                          std::shared_ptr<Run> run,
                                                          std::shared_ptr<SessionState> state,
                                                          std::chrono::milliseconds time_limit);

}  // namespace tarn::session
