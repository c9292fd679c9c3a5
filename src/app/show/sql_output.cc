#include "app/show/sql_output.h"

#include <unistd.h>

#include <fmt/format.h>

#include "app/show/box_table.h"
#include "app/show/chart.h"

namespace tarn::app {
namespace {

constexpr int kChartWidthMax = 120;

std::unique_ptr<serve::RowWriter> writer_of(const SqlOutput& output, serve::ByteSink sink) {
  const int width = output.file.empty() ? terminal_width(STDOUT_FILENO) : 0;
  if (output.format == "table") {
    return make_box_table_writer({.width = width,
                                  .rows_max = output.rows_max,
                                  .more_hint = output.more_hint,
                                  .note = output.note,
                                  .colors = output.colors},
                                 std::move(sink));
  }
  if (output.format == "chart") {
    ChartOptions options;
    options.width = width > 0 ? std::min(width, kChartWidthMax) : 80;
    options.colors = output.colors;
    return make_chart_writer(options, std::move(sink));
  }
  return serve::make_row_writer(output.format, std::move(sink));
}

// A plan is a drawing already; in a cell of a table nobody could read it.
class PlanWriter final : public serve::RowWriter {
 public:
  explicit PlanWriter(serve::ByteSink sink) : sink_(std::move(sink)) {}
  Status columns(const std::vector<engine::Column>&) override { return ok(); }
  Status rows(const engine::TextBatch& batch) override {
    for (const auto& text : batch.columns[1].text)
      TARN_CHECK(sink_(text.ends_with('\n') ? text : text + "\n"));
    return ok();
  }
  Status end() override { return ok(); }

 private:
  serve::ByteSink sink_;
};

bool is_plan(const std::vector<engine::Column>& columns) {
  return columns.size() == 2 && columns[0].name == "explain_key" && columns[1].name == "explain_value";
}

std::string noted(std::string text, const SqlOutput& output) {
  if (output.note)
    text += ", " + output.note();
  return output.colors.dim(text) + "\n";
}

// Statements that return no rows say how many they changed.
Status write_changed(int64_t changed, const SqlOutput& output, const serve::ByteSink& sink) {
  if (output.format == "table" || output.format == "chart") {
    return sink(noted(changed == 1 ? "1 row changed" : fmt::format("{} rows changed", changed), output));
  }
  if (output.format == "csv")
    return sink(fmt::format("rows_changed\n{}\n", changed));
  const auto object = fmt::format("{{\"rows_changed\":{}}}", changed);
  return sink(output.format == "json" ? "[" + object + "]\n" : object + "\n");
}

Status write_to(engine::ResultStream& rows, const SqlOutput& output, const serve::ByteSink& sink) {
  if (const auto changed = rows.rows_changed())
    return write_changed(*changed, output, sink);
  if (rows.columns().empty())
    return output.note ? sink(noted("done", output)) : ok();
  const auto writer = output.format == "table" && is_plan(rows.columns()) ? std::make_unique<PlanWriter>(sink)
                                                                          : writer_of(output, sink);
  if (!writer)
    return Error{Code::kInvalid, fmt::format("format '{}' is not known", output.format)};
  TARN_TRY([[maybe_unused]] const auto count, serve::write_rows(rows, *writer));
  return ok();
}

}  // namespace

Status print_text(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0)
    return ok();
  return Error{Code::kCancelled, "the standard output was closed"};
}

Status write_answer(Env& env, engine::ResultStream& rows, const SqlOutput& output) {
  if (output.file.empty())
    return write_to(rows, output, print_text);
  const auto unfinished = output.file + ".unfinished";
  TARN_TRY(const bool left, env.files->exists(unfinished));
  if (left)
    TARN_CHECK(env.files->remove(unfinished));
  TARN_TRY(const auto file, env.files->create(unfinished));
  auto written = write_to(rows, output, [&file](std::string_view bytes) { return file->append(bytes); });
  const auto closed = file->close();
  if (written && !closed)
    written = closed;
  if (written)
    return env.files->rename(unfinished, output.file);
  (void)env.files->remove(unfinished);
  return written;
}

}  // namespace tarn::app
