#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "app/cancel_by_signal.h"
#include "app/commands/commands.h"
#include "app/leave.h"
#include "serve/http/json.h"

namespace tarn::app {
namespace {

constexpr size_t kPathsShown = 20;

std::string_view what_of(const std::string& what) {
  static const std::map<std::string, std::string_view> kWhat = {
      {"raw", "files as fetched"},
      {"logs", "lines of logs"},
      {"quarantine", "rows in quarantine"},
      {"due", "due times"},
      {"runs", "runs"},
      {"sent", "mails and alerts"},
      {"fetches", "records of fetches"},
      {"records", "free pages of the records' file"},
      {"history", "versions of tables"},
      {"orphans", "files that nothing names"}};
  const auto known = kWhat.find(what);
  return known == kWhat.end() ? std::string_view(what) : known->second;
}

std::string amount(const retention::Removed& one) {
  auto text =
      fmt::format("{:>10}  {}{}", one.count, what_of(one.what),
                  one.bytes == 0 ? "" : fmt::format(", {:.1f} MB", static_cast<double>(one.bytes) / 1e6));
  for (size_t i = 0; i < std::min(one.paths.size(), kPathsShown); ++i)
    text += fmt::format("\n            {}", one.paths[i]);
  if (const auto more = one.count - static_cast<int64_t>(kPathsShown); !one.paths.empty() && more > 0)
    text += fmt::format("\n            and {} more: --json lists up to 1,000", more);
  return text;
}

}  // namespace

int command_clean(CommandContext& context) {
  const auto backend = open_backend(context);
  if (!backend)
    return report(context, backend.error());
  const CancelBySignal by_signal(context.signals);
  const auto done = (*backend)->clean(context.arguments.dry_run, by_signal.cancel);
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
