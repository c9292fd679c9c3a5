#include <fmt/format.h>

#include "app/commands/commands.h"
#include "app/leave.h"
#include "serve/http/json.h"

namespace tarn::app {
namespace {

std::string amount(const retention::Removed& one) {
  const auto what = one.what == "raw"          ? "files as fetched"
                    : one.what == "logs"       ? "lines of logs"
                    : one.what == "quarantine" ? "rows in quarantine"
                    : one.what == "due"        ? "due times"
                    : one.what == "runs"       ? "runs"
                    : one.what == "sent"       ? "mails and alerts"
                                               : "records of fetches";
  return fmt::format("{:>10}  {}{}", one.count, what,
                     one.bytes == 0 ? "" : fmt::format(", {:.1f} MB", static_cast<double>(one.bytes) / 1e6));
}

}  // namespace

int command_clean(CommandContext& context) {
  const auto backend = open_backend(context);
  if (!backend)
    return report(context, backend.error());
  flow::CancelFlag cancel;
  context.signals.on_signal([&cancel] { cancel.set(); });
  const auto done = (*backend)->clean(context.arguments.dry_run, cancel);
  context.signals.on_signal({});
  if (!done)
    return report(context, done.error());
  if (context.arguments.json) {
    fmt::print("{}\n", serve::dump(serve::to_json(*done)));
    return 0;
  }
  fmt::print("{}\n", done->dry_run ? "would be removed:" : "removed:");
  for (const auto& one : done->removed)
    fmt::print("{}\n", amount(one));
  return 0;
}

}  // namespace tarn::app
