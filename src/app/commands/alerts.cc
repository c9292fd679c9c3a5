#include <fmt/format.h>

#include "app/cancel_by_signal.h"
#include "app/commands/commands.h"
#include "app/leave.h"
#include "base/time.h"
#include "serve/http/alerts_api.h"
#include "serve/http/json.h"

namespace tarn::app {
namespace {

using alert::AlertState;

void show_channels(const CommandContext& context, const alert::Overview& all) {
  for (const auto& one : all.channels) {
    fmt::print("{}  {}{}: {}{}\n", context.out.bold(one.name), one.kind,
               one.kind == one.target ? "" : " to " + one.target, fmt::join(one.events, ", "),
               one.of.empty() ? "" : fmt::format(", of {}", fmt::join(one.of, " ")));
    if (one.waiting > 0 && one.trouble.failures > 0) {
      fmt::print("  {} {} wait, after {} failed tr{}: {}\n", context.out.red("trouble"), one.waiting,
                 one.trouble.failures, one.trouble.failures == 1 ? "y" : "ies", one.trouble.answer);
    } else if (one.waiting > 0) {
      fmt::print("  {} {} to be told\n", context.out.yellow("waiting"), one.waiting);
    }
  }
  if (all.channels.empty())
    fmt::print("nobody is told: write 'alerts: {{me: {{mail: ada@example.org}}}}' in tarn.yml\n");
}

int show(CommandContext& context, serve::Backend& backend) {
  const auto all = backend.alerts();
  if (!all)
    return report(context, all.error());
  if (context.arguments.json) {
    fmt::print("{}\n", serve::dump(serve::to_json(*all)));
    return 0;
  }
  show_channels(context, *all);
  for (const auto& one : all->open) {
    fmt::print("{} {} since {}{}{}\n", context.out.red("open"), alert::headline(one.fact),
               format_utc(one.fact.since), one.fact.text.empty() ? "" : ": ", one.fact.text);
  }
  for (const auto& one : all->newest) {
    if (one.state != AlertState::kUnknown)
      continue;
    fmt::print("{} {} to {}: {}, at {} ({}); did it arrive? tarn alerts --done {}; if not: --again {}\n",
               context.out.yellow("unknown"), one.id, one.channel, alert::headline(one.fact),
               format_utc(one.finished_at.value_or(one.created_at)), one.answer, one.id, one.id);
  }
  if (!all->problem.empty())
    fmt::print(stderr, "{} {}\n", context.errors.yellow("note:"), all->problem);
  return 0;
}

// Somebody looked whether they arrived.
int settle(CommandContext& context, serve::Backend& backend) {
  for (const bool done : {true, false}) {
    for (const auto id : done ? context.arguments.alerts_done : context.arguments.alerts_again) {
      if (const auto settled = backend.settle_alert(id, done); !settled)
        return report(context, settled.error());
    }
  }
  return show(context, backend);
}

int test(CommandContext& context, serve::Backend& backend) {
  const CancelBySignal by_signal(context.signals);
  const auto results = backend.test_alerts(context.arguments.channel, by_signal.cancel);
  if (!results)
    return report(context, results.error());
  bool all_sent = true;
  serve::Json list = serve::Json::array();
  for (const auto& one : *results) {
    const bool sent = one.state == AlertState::kSent;
    all_sent = all_sent && sent;
    list.push_back(serve::to_json(one));
    if (context.arguments.json)
      continue;
    const auto state = std::string(alert::name_of(one.state));
    fmt::print("{}  {}{}: {} ({}){}{}\n", context.out.bold(one.channel), one.kind,
               one.kind == one.target ? "" : " to " + one.target,
               sent ? context.out.green(state) : context.out.red(state), format_duration(one.took),
               one.answer.empty() ? "" : ": ", one.answer);
  }
  if (context.arguments.json)
    fmt::print("{}\n", serve::dump(list));
  return all_sent ? 0 : exit_code_of(Code::kUnavailable);
}

}  // namespace

int command_alerts(CommandContext& context) {
  const auto backend = open_backend(context);
  if (!backend)
    return report(context, backend.error());
  const auto& arguments = context.arguments;
  if (!arguments.alerts_done.empty() || !arguments.alerts_again.empty())
    return settle(context, **backend);
  return arguments.alert_action == "test" ? test(context, **backend) : show(context, **backend);
}

}  // namespace tarn::app
