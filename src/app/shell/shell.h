// `tarn sql` on a terminal: lines are edited, kept as history and completed; a statement ends with ';'.
#pragma once

#include "app/commands/commands.h"
#include "serve/backend.h"

namespace tarn::app {

// Returns the exit code.
int run_shell(CommandContext& context, serve::Backend& backend);

}  // namespace tarn::app
