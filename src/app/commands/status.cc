#include <unistd.h>

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "app/commands/commands.h"
#include "app/show/box_table.h"
#include "app/show/sql_output.h"
#include "base/time.h"
#include "serve/http/json.h"

namespace tarn::app {
namespace {

std::string age_text(Clock& clock, const std::optional<Timestamp>& time) {
  if (!time)
    return "never";
  const auto age = std::chrono::duration_cast<Duration>(clock.now() - *time);
  if (age < Duration(0))
    return format_utc(*time);
  const auto seconds = age.count() / 1'000'000;
  if (seconds < 120)
    return fmt::format("{} s ago", seconds);
  if (seconds < 7200)
    return fmt::format("{} min ago", seconds / 60);
  if (seconds < 172'800)
    return fmt::format("{} h ago", seconds / 3600);
  return fmt::format("{} days ago", seconds / 86'400);
}

engine::TextBatch batch_of(Clock& clock, const std::vector<flow::TaskStatus>& all) {
  engine::TextBatch batch;
  batch.columns.resize(5);
  batch.rows = all.size();
  const auto add = [&batch](size_t column, std::string text) {
    batch.columns[column].null.push_back(false);
    batch.columns[column].text.push_back(std::move(text));
  };
  for (const auto& one : all) {
    add(0, one.name);
    add(1, one.kind);
    add(2, one.state);
    add(3, age_text(clock, one.last_done_at));
    add(4, one.last_done_at ? std::to_string(one.rows_written) : "");
  }
  return batch;
}

std::string painted(const Colors& colors, std::string_view state, const std::string& text) {
  if (state == "fresh")
    return colors.green(text);
  return state == "failed" || state == "stale" ? colors.red(text) : colors.yellow(text);
}

// "3 fresh, 1 late"
std::string counts_text(const std::vector<flow::TaskStatus>& all) {
  std::map<std::string, int> counts;
  for (const auto& one : all)
    ++counts[one.state];
  std::string text;
  for (const auto& [state, count] : counts)
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, state);
  return text;
}

// The table, and below it, whole, why something is not fresh.
Status show_table(const CommandContext& context, const std::vector<flow::TaskStatus>& all) {
  BoxTableOptions options;
  options.width = terminal_width(STDOUT_FILENO);
  options.rows_max = 0;
  options.footer = counts_text(all);
  options.colors = context.out;
  options.paint = [&context](size_t column, const std::string& text) {
    return column == 2 ? painted(context.out, text, text) : text;
  };
  const auto writer = make_box_table_writer(std::move(options), print_text);
  TARN_CHECK(writer->columns({{"name", "VARCHAR"},
                              {"kind", "VARCHAR"},
                              {"state", "VARCHAR"},
                              {"updated", "VARCHAR"},
                              {"written", "BIGINT"}}));
  TARN_CHECK(writer->rows(batch_of(*context.env.clock, all)));
  TARN_CHECK(writer->end());
  for (const auto& one : all) {
    if (!one.why.empty())
      TARN_CHECK(print_text(
          fmt::format("{} {}: {}\n", painted(context.out, one.state, one.state), one.name, one.why)));
  }
  return ok();
}

// What comes next, of all schedules; how they are is told by `tarn schedules`.
Status show_next(const CommandContext& context, const serve::ScheduleList& list) {
  const flow::ScheduleInfo* first = nullptr;
  for (const auto& one : list.schedules) {
    if (one.next_at && (first == nullptr || *one.next_at < *first->next_at))
      first = &one;
  }
  if (first != nullptr) {
    TARN_CHECK(print_text(fmt::format("next: {} at {} ({})\n", first->name,
                                      wall_text(*first->next_at, first->time_zone), first->time_zone)));
  }
  if (!list.problem.empty() && !list.schedules.empty())
    fmt::print(stderr, "{} {}\n", context.errors.yellow("note:"), list.problem);
  return ok();
}

// For whoever runs it by a timer.
int exit_code(const std::vector<flow::TaskStatus>& all) {
  return std::any_of(all.begin(), all.end(), [](const auto& one) { return one.state == "stale"; }) ? 1 : 0;
}

}  // namespace

int command_status(CommandContext& context) {
  const auto backend = open_backend(context);
  if (!backend)
    return report(context, backend.error());
  const auto all = (*backend)->status();
  if (!all)
    return report(context, all.error());
  if (context.arguments.json) {
    serve::Json list = serve::Json::array();
    for (const auto& one : *all)
      list.push_back(serve::to_json(one));
    fmt::print("{}\n", serve::dump(list));
    return exit_code(*all);
  }
  if (all->empty()) {
    fmt::print("the project has no sources and models yet\n");
    return 0;
  }
  auto shown = show_table(context, *all);
  // The project's mistakes, which keep the schedules from being read, are for `tarn check`.
  if (const auto schedules = (*backend)->schedules(); shown && schedules)
    shown = show_next(context, *schedules);
  if (!shown)
    return report(context, shown.error());
  return exit_code(*all);
}

}  // namespace tarn::app
