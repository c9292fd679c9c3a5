// The commands of the `tarn` program. Each returns the exit code; errors are one sentence on stderr.
#pragma once

#include <memory>
#include <string>

#include "app/arguments.h"
#include "app/show/terminal.h"
#include "app/signals.h"
#include "base/env/env.h"
#include "base/result.h"
#include "project/project.h"
#include "serve/backend.h"

namespace tarn {
class FaultInjector;
}

namespace tarn::app {

struct CommandContext {
  Env& env;
  FaultInjector* faults;  // null but in tests
  const Arguments& arguments;
  Signals& signals;
  Colors out;     // standard output
  Colors errors;  // stderr
};

int command_init(CommandContext& context);
int command_check(CommandContext& context);
int command_run(CommandContext& context);
int command_replay(CommandContext& context);
int command_sql(CommandContext& context);
int command_status(CommandContext& context);
int command_report(CommandContext& context);
int command_flow(CommandContext& context);
int command_serve(CommandContext& context);
int command_health(CommandContext& context);
int command_schedules(CommandContext& context);
int command_clean(CommandContext& context);
int command_alerts(CommandContext& context);
int command_backfill(CommandContext& context);

// What a clock on the wall of the zone shows: "2026-11-22 06:00".
std::string wall_text(Timestamp time, const std::string& zone);

// Says it on stderr; returns the error's exit code.
int report(const CommandContext& context, const Error& error);
// Says each with its place; returns 2.
int report(const CommandContext& context, const Diagnostics& diagnostics);

// Absolute, without "." and "..".
std::string absolute_path(const std::string& path);
// The project's settings; mistakes in tarn.yml are an error, but for `tarn check`.
Result<project::Project> load_settings(CommandContext& context);
// The server that holds the project, or the project opened here.
Result<std::unique_ptr<serve::Backend>> open_backend(CommandContext& context);

}  // namespace tarn::app
