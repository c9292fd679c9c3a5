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
  batch.columns.resize(6);
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
    add(5, one.why);
  }
  return batch;
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
    return 0;
  }
  if (all->empty()) {
    fmt::print("the project has no sources and models yet\n");
    return 0;
  }
  const auto writer =
      make_box_table_writer({.width = terminal_width(1), .rows_max = 0, .colors = context.out}, print_text);
  auto shown = writer->columns({{"name", "VARCHAR"},
                                {"kind", "VARCHAR"},
                                {"state", "VARCHAR"},
                                {"updated", "VARCHAR"},
                                {"rows", "BIGINT"},
                                {"why", "VARCHAR"}});
  if (shown)
    shown = writer->rows(batch_of(*context.env.clock, *all));
  if (shown)
    shown = writer->end();
  return shown ? 0 : report(context, shown.error());
}

}  // namespace tarn::app
