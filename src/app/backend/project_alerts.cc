#include "app/backend/project_alerts.h"

#include <fmt/format.h>

namespace tarn::app {
namespace {

void settle_selection(const ProjectPlan& plan, alert::Channel& channel, Diagnostics& mistakes) {
  if (channel.of.empty() && channel.except.empty())
    return;
  auto names = select_names(plan, channel.of, channel.except);
  if (!names) {
    mistakes.push_back({channel.place, fmt::format("alert {}: {}", channel.name, names.error().message)});
    return;
  }
  if (names->empty())
    mistakes.push_back({channel.place, fmt::format("alert {} selects nothing", channel.name)});
  channel.tasks = std::move(*names);
}

}  // namespace

alert::Plan alerts_of(const ProjectPlan& plan) {
  alert::Plan found;
  found.project = plan.sources->project();
  found.zone = TimeZone::find(found.project.time_zone).value_or(TimeZone());
  found.channels = alert::read_channels(found.project.alerts, found.mistakes);
  for (auto& channel : found.channels) {
    settle_selection(plan, channel, found.mistakes);
    if (channel.kind == alert::Kind::kMail && found.project.mail.kind == codec::YamlNode::Kind::kNull) {
      found.mistakes.push_back(
          {channel.place, fmt::format("alert {} is a mail, and tarn.yml names no server that takes it: write "
                                      "'mail: {{host: …, user: …, password: ${{env:NAME}}, from: …}}'",
                                      channel.name)});
    }
  }
  for (const auto& task : plan.tasks) {
    found.tasks.insert(task->name());
    if (const auto limit = task->freshness().error_after)
      found.promises.push_back({task->name(), task->kind(), task->path(), *limit});
  }
  return found;
}

}  // namespace tarn::app
