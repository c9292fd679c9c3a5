#include "app/arguments.h"

#include <cstdio>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "app/version.h"
#include "base/time.h"
#include "codec/yaml.h"

namespace tarn::app {
namespace {

constexpr std::string_view kSelectionHelp =
    "What to run: name, path (models/staging), tag:NAME, +name (with what it needs), name+ (with what needs "
    "it)";

struct Texts {
  std::vector<std::string> vars;
  std::string as_of;
  std::vector<std::string> parameters;
};

void add_report(CLI::App& root, Arguments& arguments, Texts& texts) {
  auto* report = root.add_subcommand("report", "Make a workbook (reports/NAME.yml)");
  report->add_option("name", arguments.report, "Name of the report; none: list them");
  report->add_flag("--list", arguments.list, "List the reports, or the parameters of the one that is named");
  report
      ->add_option("--param,-p", texts.parameters, "A parameter: name=value; again for more values of a list")
      ->allow_extra_args(false);
  report->add_option("-o,--output", arguments.output, "The file to write (default NAME.xlsx)");
  report->add_flag("--send", arguments.send,
                   "Mail it to those whom its file names, instead of writing a file");
  report->add_option("--key", arguments.key, "With --send: the occasion; one is mailed once");
  report->add_option("--done", arguments.mail_done,
                     "The id or key of a mail that is unknown, and arrived (tarn sql 'from _tarn.sent')");
  report->add_option("--again", arguments.mail_again,
                     "The id or key of a mail that did not arrive: it is made anew and sent again");
  report->add_option("--as-of", texts.as_of, "Every table as it was at this time, e.g. 2026-11-21T06:35:00");
}

void add_flow(CLI::App& root, Arguments& arguments, Texts& texts) {
  auto* flow = root.add_subcommand("flow", "Run a flow (flows/NAME.yml)");
  flow->add_option("name", arguments.flow, "Name of the flow; none: list them");
  flow->add_flag("--list", arguments.list, "Show the parameters and tasks of the one that is named");
  flow->add_option("--param,-p", texts.parameters, "A parameter: name=value; again for more values of a list")
      ->allow_extra_args(false);
  flow->add_option("--resume", arguments.resume, "Go on with this run of a flow where it stopped");
  flow->add_option("--done", arguments.done, "With --resume: a task that is unknown, and was done")
      ->allow_extra_args(false);
  flow->add_option("--again", arguments.again,
                   "With --resume: one that was not done, and is to be done again")
      ->allow_extra_args(false);
  flow->add_option("--vars", texts.vars, "Variables of the project's tasks: name=value or '{name: value}'");
}

void add_run(CLI::App& root, Arguments& arguments, Texts& texts) {
  auto* run =
      root.add_subcommand("run", "Fetch sources, build models, run tests, in the order of what needs what");
  run->add_option("selection", arguments.selection, std::string(kSelectionHelp));
  run->add_option("--select,-s", arguments.selection, "The same");
  run->add_option("--exclude", arguments.exclude, "What to leave out, in the same words");
  run->add_flag("--full-refresh", arguments.full_refresh, "Build incremental models and seeds anew");
  run->add_option("--vars", texts.vars, "Variables: name=value or '{name: value}'");
}

void add_sql(CLI::App& root, Arguments& arguments, Texts& texts) {
  auto* sql = root.add_subcommand("sql", "Run SQL; a shell when no text is given");
  sql->add_option("text", arguments.sql, "One or more statements");
  sql->add_option("--format", arguments.format, "table, json, ndjson, csv, parquet or chart")
      ->check(CLI::IsMember({"table", "json", "ndjson", "csv", "parquet", "chart"}));
  sql->add_option("-o,--output", arguments.output, "Write to this file; its ending chooses the format");
  sql->add_option("--as-of", texts.as_of, "Every table as it was at this time, e.g. 2026-11-21T06:35:00");
  sql->add_option("--rows", arguments.rows_max, "Rows of a table that are shown; 0: all")
      ->check(CLI::NonNegativeNumber);
  sql->add_flag("--unsafe", arguments.unsafe,
                "Allow statements that read and write files and change settings");
}

void add_schedules(CLI::App& root, Arguments& arguments) {
  auto* schedules = root.add_subcommand("schedules", "What runs when; run, pause or resume one by its name");
  schedules->add_option("action", arguments.schedule_action, "run, pause or resume; none: the list")
      ->check(CLI::IsMember({"run", "pause", "resume"}));
  schedules->add_option("name", arguments.schedule, "Of the schedule");
  auto* backfill = root.add_subcommand("backfill", "Run something once for each step of a stretch of time");
  backfill->add_option("selection", arguments.backfill.selection, std::string(kSelectionHelp));
  backfill->add_option("--exclude", arguments.backfill.exclude, "What to leave out, in the same words");
  backfill->add_option("--from", arguments.backfill.from, "Where the first step begins, e.g. 2026-01-01")
      ->required();
  backfill->add_option("--to", arguments.backfill.to, "Where the last step ends; not part of it")->required();
  backfill->add_option("--step", arguments.backfill.step,
                       "hour, day, week, month, or e.g. 6h (default: day)");
  backfill->add_flag("--full-refresh", arguments.backfill.full_refresh, "As for run");
  backfill->add_flag("--dry-run", arguments.dry_run, "Show the steps and do nothing");
}

void add_alerts(CLI::App& root, Arguments& arguments) {
  auto* alerts = root.add_subcommand("alerts", "Who is told what, and what is the matter now; test: try it");
  alerts->add_option("action", arguments.alert_action, "test: send a test message; none: the list")
      ->check(CLI::IsMember({"test"}));
  alerts->add_option("channel", arguments.channel, "Of `alerts:` in tarn.yml; none: each");
  alerts->add_option("--done", arguments.alerts_done, "The number of an alert that is unknown, and arrived")
      ->allow_extra_args(false);
  alerts
      ->add_option("--again", arguments.alerts_again,
                   "The number of one that did not arrive, and is to be sent again")
      ->allow_extra_args(false);
}

void add_clean(CLI::App& root, Arguments& arguments) {
  auto* clean = root.add_subcommand("clean", "Take out what is older than `retention:` of tarn.yml says");
  clean->add_flag("--dry-run", arguments.dry_run, "Show what would go and do nothing");
}

void add_commands(CLI::App& root, Arguments& arguments, Texts& texts) {
  auto* init = root.add_subcommand("init", "Make a small working project");
  init->add_option("folder", arguments.folder, "Its folder, which must not exist or be empty")->required();
  auto* check = root.add_subcommand("check", "Find every mistake in the project's text");
  check->add_option("--vars", texts.vars, "Variables: name=value or '{name: value}'");
  add_run(root, arguments, texts);
  add_sql(root, arguments, texts);
  auto* replay =
      root.add_subcommand("replay", "Parse the kept raw bytes of a source's run again, without fetching");
  replay->add_option("source", arguments.source, "Name of the source")->required();
  replay->add_option("run", arguments.run, "Id of the run, as _tarn.runs shows it")->required();
  add_report(root, arguments, texts);
  add_flow(root, arguments, texts);
  root.add_subcommand("status", "What is fresh, late or failed, and why (exit code 1: a source is stale)");
  auto* serve = root.add_subcommand("serve", "Hold the project open and answer the API");
  serve->add_option("--http", arguments.http, "HOST:PORT to listen on (default 127.0.0.1:7070)");
  serve->add_option("--log", arguments.log,
                    "text or json, and debug, info, warning or error: json,debug (or the variable TARN_LOG)");
  serve->add_flag("--allow-public", arguments.allow_public,
                  "Listen on an address that other machines can reach");
  root.add_subcommand("health", "Whether the server of this project answers (exit code 4: it does not)");
  add_schedules(root, arguments);
  add_alerts(root, arguments);
  add_clean(root, arguments);
  root.add_subcommand("version", "Print the version");
  for (auto* command : root.get_subcommands({}))
    command->fallthrough();
}

// "out.csv" says csv, unless --format did.
Status settle_format(const CLI::App& root, Arguments& arguments) {
  const bool said = root.get_subcommand("sql")->count("--format") > 0;
  if (arguments.json && !said)
    arguments.format = "json";
  if (!arguments.output.empty() && !said) {
    const auto dot = arguments.output.rfind('.');
    const auto ending = dot == std::string::npos ? "" : arguments.output.substr(dot + 1);
    if (ending == "csv" || ending == "json" || ending == "ndjson" || ending == "parquet")
      arguments.format = ending;
  }
  if (arguments.format == "parquet" && arguments.output.empty()) {
    return Error{Code::kInvalid, "--format parquet needs a file: add -o FILE.parquet"};
  }
  return ok();
}

Result<Arguments> parse(CLI::App& root, Arguments& arguments, Texts& texts, int count,
                        const char* const* words) {
  try {
    root.parse(count, words);
  } catch (const CLI::Success& done) {
    root.exit(done);
    return arguments;
  } catch (const CLI::ParseError& error) {
    return Error{Code::kInvalid, fmt::format("{}; see 'tarn --help'", error.what())};
  }
  for (const auto& text : texts.vars)
    TARN_CHECK(add_vars(text, arguments.vars));
  for (const auto& text : texts.parameters) {
    const auto equals = text.find('=');
    if (equals == std::string::npos || equals == 0)
      return Error{Code::kInvalid, fmt::format("--param '{}' is not name=value", text)};
    arguments.parameters[text.substr(0, equals)].push_back(text.substr(equals + 1));
  }
  if (!texts.as_of.empty()) {
    auto time = parse_time(texts.as_of);
    if (!time)
      return time.error().at("--as-of");
    arguments.as_of = *time;
  }
  TARN_CHECK(settle_format(root, arguments));
  if (!arguments.schedule_action.empty() && arguments.schedule.empty()) {
    return Error{Code::kInvalid,
                 fmt::format("which schedule? Write 'tarn schedules {} NAME'; 'tarn schedules' "
                             "lists them",
                             arguments.schedule_action)};
  }
  const auto chosen = root.get_subcommands();
  arguments.command = chosen.empty() ? "" : chosen[0]->get_name();
  if (chosen.empty())
    fmt::print("{}", root.help());
  return arguments;
}

}  // namespace

Status add_vars(const std::string& text, serve::Vars& vars) {
  const auto equals = text.find('=');
  if (equals != std::string::npos && equals > 0 && text.find_first_of(":{ ") > equals) {
    vars[text.substr(0, equals)] = text.substr(equals + 1);
    return ok();
  }
  TARN_TRY(const auto node, codec::parse_yaml(text, "--vars"));
  if (node.kind != codec::YamlNode::Kind::kMap) {
    return Error{Code::kInvalid, fmt::format("--vars '{}' is not name=value or '{{name: value}}'", text)};
  }
  for (const auto& entry : node.entries)
    vars[entry.key] = entry.value.text;
  return ok();
}

Result<Arguments> read_arguments(int count, const char* const* words) {
  Arguments arguments;
  Texts texts;
  CLI::App root("Tarn: a lakehouse the size of a home", "tarn");
  root.set_version_flag("--version", std::string(kVersion));
  root.require_subcommand(0, 1);
  root.fallthrough();
  root.add_option("--project", arguments.project, "Folder of the project (default: this one)");
  root.add_flag("--json", arguments.json, "Print data as JSON");
  root.add_flag("--no-color", arguments.no_color, "No colours");
  add_commands(root, arguments, texts);
  return parse(root, arguments, texts, count, words);
}

}  // namespace tarn::app
