#include "serve/http/hub_host.h"

namespace tarn::serve {

Status HubHost::launch(const flow::Launch& launch, OnEnd on_end) {
  RunRequest request;
  request.id = launch.run_id;
  request.selection = launch.selection;
  request.exclude = launch.exclude;
  request.full_refresh = launch.full_refresh;
  request.vars = launch.vars;
  request.schedule = launch.schedule;
  request.due_at = launch.due_at;
  request.resume = true;
  request.timeout = launch.timeout;
  request.task_timeout = launch.task_timeout;
  const auto submitted =
      hub_.submit(std::move(request), [on_end = std::move(on_end)](const Result<flow::RunOutcome>& outcome) {
        on_end(outcome ? Result<flow::RunRecord>(outcome->run) : Result<flow::RunRecord>(outcome.error()));
      });
  return submitted ? ok() : Status(submitted.error());
}

void HubHost::changed(const std::string& schedule) {
  hub_.publish("", {{"event", "schedule_changed"}, {"name", schedule}});
}

}  // namespace tarn::serve
