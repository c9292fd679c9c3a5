// Commands that run things: progress on stderr, Ctrl-C cancels.
#pragma once

#include <functional>

#include "app/commands/commands.h"
#include "flow/executor.h"
#include "serve/backend.h"

namespace tarn::app {

using RunBody =
    std::function<Result<flow::RunOutcome>(serve::Backend&, flow::RunObserver&, const flow::CancelFlag&)>;
// Prints the outcome as JSON where asked for; returns the run's exit code.
int watched_run(CommandContext& context, const RunBody& body);

using Body = std::function<Status(serve::Backend&, flow::RunObserver&, const flow::CancelFlag&)>;
// Returns 0, or the code of the error, which it has told.
int watched(CommandContext& context, const Body& body);

}  // namespace tarn::app
