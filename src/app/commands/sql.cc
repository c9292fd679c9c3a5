#include <unistd.h>

#include <cstdio>
#include <filesystem>

#include <fmt/format.h>

#include "app/commands/commands.h"
#include "app/leave.h"
#include "app/shell/shell.h"
#include "app/show/excerpt.h"
#include "app/show/sql_output.h"

namespace tarn::app {
namespace {

constexpr size_t kScriptBytesMax = 64 * 1024 * 1024;

Result<std::string> read_standard_input() {
  std::string text;
  std::array<char, 65536> bytes{};
  while (const auto got = std::fread(bytes.data(), 1, bytes.size(), stdin)) {
    text.append(bytes.data(), got);
    if (text.size() > kScriptBytesMax)
      return Error{Code::kExhausted, "the script on the standard input is too long"};
  }
  return text;
}

Status check_output_folder(const std::string& file) {
  const auto folder = std::filesystem::path(file).parent_path();
  std::error_code error;
  if (file.empty() || std::filesystem::is_directory(folder, error))
    return ok();
  return Error{Code::kInvalid,
               fmt::format("-o: the folder {} does not exist; make it first", folder.string())};
}

Status run_sql(CommandContext& context, serve::Backend& backend, const std::string& sql) {
  const auto& arguments = context.arguments;
  const serve::SqlRequest request{
      .sql = sql,
      .session = {.as_of = arguments.as_of, .unsafe = arguments.unsafe},
      .on_cancellable = [&context](auto cancel) { context.signals.on_signal(std::move(cancel)); }};
  SqlOutput output;
  output.format = arguments.format;
  output.file = arguments.output.empty() ? "" : absolute_path(arguments.output);
  output.rows_max = static_cast<size_t>(arguments.rows_max);
  output.colors = context.out;
  TARN_CHECK(check_output_folder(output.file));
  if (output.format == "parquet") {
    TARN_TRY([[maybe_unused]] const auto rows, backend.export_parquet(request, output.file));
    return ok();
  }
  TARN_TRY(const auto answer, backend.sql(request));
  auto written = write_answer(context.env, answer->rows(), output);
  context.signals.on_signal({});
  return written;
}

}  // namespace

int command_sql(CommandContext& context) {
  const bool shell = context.arguments.sql.empty() && is_terminal(STDIN_FILENO);
  auto sql = context.arguments.sql;
  if (sql.empty() && !shell) {
    auto text = read_standard_input();
    if (!text)
      return report(context, text.error());
    sql = std::move(*text);
  }
  const auto backend = open_backend(context);
  if (!backend)
    return report(context, backend.error());
  if (shell) {
    const int code = run_shell(context, **backend);
    leave_soon(code, std::chrono::seconds(1));  // a cancelled statement may still be under way
    return code;
  }
  const auto done = run_sql(context, **backend, sql);
  if (done)
    return 0;
  // A reader that has had enough, as `head`, is no mistake.
  if (done.error().code == Code::kCancelled && std::ferror(stdout) != 0)
    return 0;
  const int code = report(context, done.error());
  if (done.error().code == Code::kCancelled)
    leave_soon(code);
  fmt::print(stderr, "{}", excerpt(sql, done.error().message, terminal_width(STDERR_FILENO)));
  return code;
}

}  // namespace tarn::app
