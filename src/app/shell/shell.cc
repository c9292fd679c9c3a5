#include "app/shell/shell.h"

#include <termios.h>
#include <unistd.h>

#include <atomic>
#include <charconv>
#include <cstdio>

#include <fmt/format.h>

#include "app/shell/line_editor.h"
#include "app/shell/names.h"
#include "app/shell/statement.h"
#include "app/show/excerpt.h"
#include "app/show/sql_output.h"
#include "base/time.h"
#include "engine/parse.h"
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

bool changes_names(engine::StatementKind kind) {
  return kind != engine::StatementKind::kSelect && kind != engine::StatementKind::kShow &&
         kind != engine::StatementKind::kExplain && kind != engine::StatementKind::kInsert;
}

class Shell {
 public:
  Shell(CommandContext& context, std::shared_ptr<serve::SqlSession> session, std::string history_file)
      : context_(context),
        session_(std::move(session)),
        editor_(std::move(history_file), [this](std::string_view word) { return names_.candidates(word); }) {
    output_.colors = context.out;
    output_.rows_max = static_cast<size_t>(context.arguments.rows_max);
    output_.more_hint = ".rows 0 shows all";
    output_.note = [this] { return format_duration(context_.env.clock->steady() - began_); };
    if (context.arguments.format != "parquet")
      output_.format = context.arguments.format;
  }

  int run() {
    note_signals();
    print("Tarn SQL. Type .help for help; a statement ends with ';'.\n");
    names_.refresh(*session_);
    std::string text;
    while (true) {
      *pressed_ = false;
      const auto line = editor_.read(text.empty() ? "tarn> " : "  ... ");
      if (!line)
        break;
      if (line->dropped) {
        text.clear();
        print("\n");
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
      run_text(text);
      text.clear();
    }
    print("\n");
    return 0;
  }

 private:
  // Each statement with its answer, until one fails.
  void run_text(const std::string& text) {
    const auto statements = engine::parse(text);
    if (!statements)
      return say(text, statements.error());
    bool changed = false;
    for (const auto& statement : *statements) {
      if (!run_statement(placed(text, statement.begin, statement.end)))
        break;
      changed = changed || changes_names(statement.kind);
    }
    if (changed)
      names_.refresh(*session_);
  }

  bool run_statement(const std::string& sql) {
    const auto on_cancellable = [&](const std::function<void()>& cancel) {
      cancel ? context_.signals.on_signal(cancel) : note_signals();
      if (cancel && *pressed_)
        cancel();
    };
    began_ = context_.env.clock->steady();
    Status done;
    {
      const auto answer = session_->sql({.sql = sql, .on_cancellable = on_cancellable});
      done = answer ? write_answer(context_.env, (*answer)->rows(), output_) : Status(answer.error());
      note_signals();
    }
    if (!done)
      say(sql, done.error());
    return done.has_value();
  }

  // Ctrl-C is a key while a line is edited; as a signal it means the statement that has not begun yet.
  void note_signals() {
    context_.signals.on_signal([pressed = pressed_] { *pressed = true; });
  }

  void say(const std::string& sql, const Error& error) {
    if (error.code == Code::kCancelled)
      print("\n");  // below the ^C
    report(context_, error);
    fmt::print(stderr, "{}", excerpt(sql, error.message, terminal_width(STDERR_FILENO)));
  }

  // False: leave.
  bool dot_command(const std::string& text) {
    const auto blank = text.find(' ');
    const auto name = text.substr(0, blank);
    auto rest = blank == std::string::npos ? "" : trim(text.substr(blank));
    while (!rest.empty() && rest.back() == ';')
      rest.pop_back();
    if (name == ".quit" || name == ".exit" || name == "\\q")
      return false;
    if (name == ".help" || name == "\\?") {
      print(kHelp);
    } else if (name == ".tables" || name == "\\dt" ||
               ((name == ".schema" || name == "\\d") && rest.empty())) {
      run_statement(
          "select case when table_catalog in ('lake', 'system', 'temp') then table_schema "
          "else table_catalog || '.' || table_schema end as schema, table_name as name, "
          "case when table_catalog not in ('lake', 'system', 'temp') then 'outside' "
          "when table_type = 'VIEW' then 'view' else 'table' end as kind "
          "from information_schema.tables order by kind = 'outside', schema, name, kind");
    } else if (name == ".schema" || name == "\\d") {
      run_statement(
          fmt::format("select column_name as column, column_type as type from (describe {})", rest));
    } else if (name == ".rows") {
      set_rows(rest);
    } else if (name == ".format") {
      set_format(rest);
    } else {
      print(fmt::format("there is no {}; .help lists what there is\n", name));
    }
    return true;
  }

  void set_rows(const std::string& text) {
    size_t rows = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), rows);
    if (text.empty() || error != std::errc() || end != text.data() + text.size())
      return print(fmt::format("'{}' is no number of rows; write .rows 100, or .rows 0 for all\n", text));
    output_.rows_max = rows;
  }

  void set_format(const std::string& format) {
    for (const std::string_view known : {"table", "json", "ndjson", "csv", "chart"}) {
      if (format == known) {
        output_.format = format;
        return;
      }
    }
    print(fmt::format("format '{}' is not known; use table, json, ndjson, csv or chart\n", format));
  }

  static void print(std::string_view text) { (void)print_text(text); }

  CommandContext& context_;
  const std::shared_ptr<serve::SqlSession> session_;
  const std::shared_ptr<std::atomic<bool>> pressed_ = std::make_shared<std::atomic<bool>>(false);
  Duration began_{0};  // of the running statement
  SqlOutput output_;
  Names names_;
  LineEditor editor_;
};

}  // namespace

int run_shell(CommandContext& context, serve::Backend& backend) {
  const auto project = load_settings(context);
  if (!project)
    return report(context, project.error());
  auto session = backend.open_session({.as_of = context.arguments.as_of, .unsafe = context.arguments.unsafe});
  if (!session)
    return report(context, session.error());
  // A terminal that was closed, or a kill: the history is on the disk, and a transaction is rolled back.
  termios before{};
  const bool known = ::tcgetattr(STDIN_FILENO, &before) == 0;
  context.signals.on_end([before, known] {
    if (known)
      (void)::tcsetattr(STDIN_FILENO, TCSANOW, &before);
    ::_exit(130);
  });
  Shell shell(context, std::move(*session), project->data_folder + "/history");
  return shell.run();
}

}  // namespace tarn::app
