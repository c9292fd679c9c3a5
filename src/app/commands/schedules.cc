#include <algorithm>

#include <unistd.h>

#include <fmt/format.h>

#include "app/commands/commands.h"
#include "app/commands/watched_run.h"
#include "app/show/box_table.h"
#include "app/show/sql_output.h"
#include "base/time.h"
#include "serve/http/json.h"

namespace tarn::app {
namespace {

std::string state_text(const flow::ScheduleInfo& schedule) {
  for (const auto& due : schedule.open) {
    if (due.state == flow::DueState::kRunning)
      return due.reason.empty() ? "running" : "waiting";
  }
  if (schedule.paused)
    return "paused";
  if (!schedule.open.empty())
    return "waiting";
  return schedule.last ? std::string(flow::name_of(schedule.last->state)) : "never run";
}

engine::TextBatch batch_of(const std::vector<flow::ScheduleInfo>& all) {
  engine::TextBatch batch;
  batch.columns.resize(7);
  batch.rows = all.size();
  const auto add = [&batch](size_t column, std::string text) {
    batch.columns[column].null.push_back(false);
    batch.columns[column].text.push_back(std::move(text));
  };
  for (const auto& one : all) {
    add(0, one.name);
    add(1, fmt::format("{}", fmt::join(one.run, " ")));
    add(2, one.pattern.empty() ? fmt::format("{} to go", one.waiting) : one.pattern);
    add(3, one.time_zone);
    add(4, one.next_at ? wall_text(*one.next_at, one.time_zone) : "");
    add(5, state_text(one));
    add(6, one.last ? wall_text(one.last->due_at, one.time_zone) : "");
  }
  return batch;
}

std::string painted(const Colors& colors, const std::string& state) {
  if (state == "done")
    return colors.green(state);
  return state == "failed" ? colors.red(state) : colors.yellow(state);
}

// The table, and below it why something waits or failed.
Status show(const CommandContext& context, const serve::ScheduleList& list) {
  BoxTableOptions options;
  options.width = terminal_width(STDOUT_FILENO);
  options.rows_max = 0;
  options.footer = fmt::format("{} schedule{}", list.schedules.size(), list.schedules.size() == 1 ? "" : "s");
  options.colors = context.out;
  options.paint = [&context](size_t column, const std::string& text) {
    return column == 5 ? painted(context.out, text) : text;
  };
  const auto writer = make_box_table_writer(std::move(options), print_text);
  TARN_CHECK(writer->columns({{"name", "VARCHAR"},
                              {"runs", "VARCHAR"},
                              {"when", "VARCHAR"},
                              {"time zone", "VARCHAR"},
                              {"next", "VARCHAR"},
                              {"state", "VARCHAR"},
                              {"last due", "VARCHAR"}}));
  TARN_CHECK(writer->rows(batch_of(list.schedules)));
  TARN_CHECK(writer->end());
  for (const auto& schedule : list.schedules) {
    const auto waits = std::find_if(schedule.open.begin(), schedule.open.end(),
                                    [](const flow::Due& due) { return !due.reason.empty(); });
    if (waits != schedule.open.end()) {
      TARN_CHECK(print_text(
          fmt::format("{} {}: {}\n", context.out.yellow("waiting"), schedule.name, waits->reason)));
    }
    if (schedule.last && schedule.last->state == flow::DueState::kFailed) {
      TARN_CHECK(print_text(
          fmt::format("{} {}: {}\n", context.out.red("failed"), schedule.name, schedule.last->reason)));
    }
  }
  return ok();
}

int list_schedules(CommandContext& context, serve::Backend& backend) {
  const auto list = backend.schedules();
  if (!list)
    return report(context, list.error());
  if (context.arguments.json) {
    serve::Json json = {{"schedules", serve::Json::array()}, {"problem", list->problem}};
    for (const auto& one : list->schedules)
      json["schedules"].push_back(serve::to_json(one));
    fmt::print("{}\n", serve::dump(json));
    return 0;
  }
  if (list->schedules.empty()) {
    fmt::print(
        "no schedules: write 'schedule: \"0 6 * * *\"' into a source, or 'schedules:' into tarn.yml\n");
  } else if (const auto shown = show(context, *list); !shown) {
    return report(context, shown.error());
  }
  if (!list->problem.empty())
    fmt::print(stderr, "{} {}\n", context.errors.yellow("note:"), list->problem);
  return 0;
}

int pause_schedule(CommandContext& context, serve::Backend& backend, bool paused) {
  const auto& name = context.arguments.schedule;
  const auto done = backend.pause_schedule(name, paused);
  if (!done)
    return report(context, done.error());
  fmt::print("{} {}\n", name, paused ? "is paused" : "goes on; what was due meanwhile is left out");
  return 0;
}

void print_steps(const flow::BackfillPlan& plan) {
  for (const auto& step : plan.steps)
    fmt::print("{} to {}{}{}\n", step.from, step.to, step.run_id.empty() ? "" : "  run ", step.run_id);
}

}  // namespace

std::string wall_text(Timestamp time, const std::string& zone) {
  const auto wall = TimeZone::find(zone).value_or(TimeZone()).wall_at(time);
  auto text = format_utc(Timestamp(wall.time_since_epoch())).substr(0, 19);
  text[10] = ' ';
  return text.ends_with(":00") ? text.substr(0, 16) : text;
}

int command_schedules(CommandContext& context) {
  const auto& action = context.arguments.schedule_action;
  if (action == "run") {
    const auto& name = context.arguments.schedule;
    return watched_run(context, [&name](serve::Backend& backend, flow::RunObserver& observer,
                                        const flow::CancelFlag& cancel) {
      return backend.run_schedule(name, observer, cancel);
    });
  }
  const auto backend = open_backend(context);
  if (!backend)
    return report(context, backend.error());
  if (action.empty())
    return list_schedules(context, **backend);
  return pause_schedule(context, **backend, action == "pause");
}

int command_backfill(CommandContext& context) {
  const auto& arguments = context.arguments;
  serve::StartedBackfill started;
  const int code = watched(
      context,
      [&](serve::Backend& backend, flow::RunObserver& observer, const flow::CancelFlag& cancel) -> Status {
        TARN_TRY(started, backend.backfill(arguments.backfill, arguments.dry_run, observer, cancel));
        return ok();
      });
  if (code != 0)
    return code;
  if (arguments.json) {
    fmt::print("{}\n", serve::dump(serve::to_json(started.plan)));
  } else {
    print_steps(started.plan);
  }
  if (started.goes_on) {
    fmt::print(stderr,
               "the server works on the {} runs of backfill {}, one after the other; 'tarn schedules' "
               "shows how far it is\n",
               started.plan.steps.size(), started.plan.id);
  }
  if (started.failed > 0)
    fmt::print(stderr, "{} of {} steps failed\n", started.failed, started.plan.steps.size());
  return started.failed > 0 ? 1 : 0;
}

}  // namespace tarn::app
