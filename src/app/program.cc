#include "app/program.h"

#include <unistd.h>

#include <clocale>
#include <cstdlib>
#include <functional>
#include <map>

#include <fmt/format.h>

#include "app/arguments.h"
#include "app/commands/commands.h"
#include "app/version.h"

namespace tarn::app {
namespace {

int command_version(CommandContext& context) {
  if (context.arguments.json) {
    fmt::print("{{\"version\":\"{}\"}}\n", kVersion);
  } else {
    fmt::print("tarn {}\n", kVersion);
  }
  return 0;
}

Colors colors_of(const Arguments& arguments, int fd) {
  const char* no_color = std::getenv("NO_COLOR");
  const bool smart = is_smart_terminal(fd);
  return {.on = !arguments.no_color && smart && (no_color == nullptr || *no_color == '\0'),
          .can_move = smart};
}

}  // namespace

int run_program(int count, const char* const* words, const ProgramOptions& options) {
  if (std::setlocale(LC_CTYPE, "") == nullptr || MB_CUR_MAX == 1)
    std::setlocale(LC_CTYPE, "C.UTF-8");
  const auto arguments = read_arguments(count, words);
  if (!arguments) {
    fmt::print(stderr, "tarn: {}\n", arguments.error().message);
    return exit_code_of(arguments.error().code);
  }
  if (arguments->command.empty())
    return 0;
  Signals signals;
  CommandContext context{.env = options.env != nullptr ? *options.env : real_env(),
                         .faults = options.faults,
                         .arguments = *arguments,
                         .signals = signals,
                         .out = colors_of(*arguments, STDOUT_FILENO),
                         .errors = colors_of(*arguments, STDERR_FILENO)};
  static const std::map<std::string, std::function<int(CommandContext&)>> kCommands = {
      {"init", command_init},         {"check", command_check},
      {"run", command_run},           {"sql", command_sql},
      {"replay", command_replay},     {"status", command_status},
      {"serve", command_serve},       {"health", command_health},
      {"version", command_version},   {"schedules", command_schedules},
      {"backfill", command_backfill}, {"report", command_report},
      {"flow", command_flow},         {"alerts", command_alerts},
      {"clean", command_clean}};
  return kCommands.at(arguments->command)(context);
}

}  // namespace tarn::app
