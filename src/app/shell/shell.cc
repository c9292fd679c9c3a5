#include "app/shell/shell.h"

#include <cstdio>

#include <fmt/format.h>

#include "app/shell/line_editor.h"
#include "app/shell/names.h"
#include "app/shell/statement.h"
#include "app/show/sql_output.h"
#include "session/session.h"

namespace tarn::app {
namespace {

constexpr std::string_view kHelp =
    R"(A statement ends with ';' and may span lines. Tab completes, Ctrl-R searches,
Ctrl-C drops the line or stops the statement, Ctrl-D leaves.

  .tables            tables and views          \dt
  .schema [NAME]     columns of a table        \d NAME
  .format NAME       table, json, ndjson, csv, chart
  .rows N            rows shown of a table; 0: all
  .help              this                      \?
  .quit              leave                     \q
)";

std::string trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos)
    return "";
  return std::string(text.substr(first, text.find_last_not_of(" \t\r\n") + 1 - first));
}

class Shell {
 public:
  Shell(CommandContext& context, serve::Backend& backend, std::string history_file)
      : context_(context),
        backend_(backend),
        editor_(std::move(history_file), [this](std::string_view word) { return names_.candidates(word); }) {
    output_.colors = context.out;
    output_.rows_max = static_cast<size_t>(context.arguments.rows_max);
    if (context.arguments.format != "parquet")
      output_.format = context.arguments.format;
  }

  int run() {
    fmt::print("Tarn SQL. Type .help for help; a statement ends with ';'.\n");
    names_.refresh(backend_);
    std::string text;
    while (true) {
      const auto line = editor_.read(text.empty() ? "tarn> " : "  ... ");
      if (!line)
        break;
      if (line->dropped) {
        text.clear();
        fmt::print("\n");
        continue;
      }
      const auto word = trim(line->text);
      if (text.empty() && word.empty())
        continue;
      if (text.empty() && (word[0] == '.' || word[0] == '\\')) {
        editor_.add_history(word);
        if (!dot_command(word))
          break;
        continue;
      }
      text += (text.empty() ? "" : "\n") + line->text;
      if (!is_complete(text))
        continue;
      editor_.add_history(text);
      run_statement(text);
      names_.refresh(backend_);
      text.clear();
    }
    fmt::print("\n");
    return 0;
  }

 private:
  void run_statement(const std::string& sql) {
    const auto quiet = [] {};  // between statements Ctrl-C is a key of the editor
    const auto on_cancellable = [&](std::function<void()> cancel) {
      context_.signals.on_signal(cancel ? std::move(cancel) : quiet);
    };
    const auto answer = backend_.sql({.sql = sql,
                                      .as_of = context_.arguments.as_of,
                                      .unsafe = context_.arguments.unsafe,
                                      .on_cancellable = on_cancellable});
    const auto written =
        answer ? write_answer(context_.env, (*answer)->rows(), output_) : Status(answer.error());
    context_.signals.on_signal(quiet);
    if (!written)
      report(context_, written.error());
  }

  // False: leave.
  bool dot_command(const std::string& text) {
    const auto blank = text.find(' ');
    const auto name = text.substr(0, blank);
    const auto rest = blank == std::string::npos ? "" : trim(text.substr(blank));
    if (name == ".quit" || name == ".exit" || name == "\\q")
      return false;
    if (name == ".help" || name == "\\?") {
      fmt::print("{}", kHelp);
    } else if (name == ".tables" || name == "\\dt" ||
               ((name == ".schema" || name == "\\d") && rest.empty())) {
      run_statement(
          "select table_schema as schema, table_name as name, lower(table_type) as kind "
          "from information_schema.tables where table_catalog = 'lake' order by all");
    } else if (name == ".schema" || name == "\\d") {
      run_statement("describe " + rest);
    } else if (name == ".rows") {
      output_.rows_max = static_cast<size_t>(std::strtoul(rest.c_str(), nullptr, 10));
    } else if (name == ".format") {
      set_format(rest);
    } else {
      fmt::print("there is no {}; .help lists what there is\n", name);
    }
    return true;
  }

  void set_format(const std::string& format) {
    for (const std::string_view known : {"table", "json", "ndjson", "csv", "chart"}) {
      if (format == known) {
        output_.format = format;
        return;
      }
    }
    fmt::print("format '{}' is not known; use table, json, ndjson, csv or chart\n", format);
  }

  CommandContext& context_;
  serve::Backend& backend_;
  SqlOutput output_;
  Names names_;
  LineEditor editor_;
};

}  // namespace

int run_shell(CommandContext& context, serve::Backend& backend) {
  const auto project = load_settings(context);
  if (!project)
    return report(context, project.error());
  context.signals.on_signal([] {});  // between statements Ctrl-C is a key of the editor
  Shell shell(context, backend, project->data_folder + "/history");
  return shell.run();
}

}  // namespace tarn::app
