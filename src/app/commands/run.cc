#include <unistd.h>

#include <fmt/format.h>

#include "app/commands/commands.h"
#include "app/commands/watched_run.h"
#include "app/leave.h"
#include "app/progress.h"
#include "serve/http/json.h"

namespace tarn::app {
namespace {

int report_outcome(const CommandContext& context, const flow::RunOutcome& outcome) {
  if (context.arguments.json) {
    auto json = serve::to_json(outcome.run);
    json["tasks"] = serve::Json::array();
    for (const auto& task : outcome.tasks)
      json["tasks"].push_back(serve::to_json(task));
    fmt::print("{}\n", serve::dump(json));
  }
  return outcome.run.exit_code;
}

}  // namespace

int watched(CommandContext& context, const Body& body) {
  flow::CancelFlag cancel;
  Status done = ok();
  const auto backend = open_backend(context);
  if (!backend)
    return report(context, backend.error());
  {
    Progress progress(*context.env.clock, context.errors.can_move, context.errors);
    context.signals.on_signal([&cancel, &progress] {
      if (cancel.is_set())
        ::_exit(130);  // asked twice: at once; what was published stays, the rest never was
      cancel.set();
      progress.stopping();
    });
    done = body(**backend, progress, cancel);
    context.signals.on_signal({});
  }
  if (cancel.is_set())
    leave_soon(130);
  return done ? 0 : report(context, done.error());
}

int watched_run(CommandContext& context, const RunBody& body) {
  flow::RunOutcome outcome;
  const int code = watched(
      context,
      [&](serve::Backend& backend, flow::RunObserver& observer, const flow::CancelFlag& cancel) -> Status {
        TARN_TRY(outcome, body(backend, observer, cancel));
        return ok();
      });
  return code != 0 ? code : report_outcome(context, outcome);
}

int command_run(CommandContext& context) {
  serve::RunRequest request;
  request.selection = context.arguments.selection;
  request.exclude = context.arguments.exclude;
  request.full_refresh = context.arguments.full_refresh;
  request.vars = context.arguments.vars;
  return watched_run(
      context, [&request](serve::Backend& backend, flow::RunObserver& observer,
                          const flow::CancelFlag& cancel) { return backend.run(request, observer, cancel); });
}

int command_replay(CommandContext& context) {
  serve::ReplayRequest request;
  request.source = context.arguments.source;
  request.run = context.arguments.run;
  return watched_run(context, [&request](serve::Backend& backend, flow::RunObserver& observer,
                                         const flow::CancelFlag& cancel) {
    return backend.replay(request, observer, cancel);
  });
}

}  // namespace tarn::app
