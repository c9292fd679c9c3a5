// The command line, read.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "serve/backend.h"

namespace tarn::app {

struct Arguments {
  std::string command;  // "run", "sql", …; empty: help was printed
  std::string project = ".";
  bool json = false;
  bool no_color = false;

  std::vector<std::string> selection;  // run
  std::vector<std::string> exclude;
  bool full_refresh = false;
  serve::Vars vars;

  std::string sql;  // sql; empty: the shell, or the standard input
  std::string format = "table";
  std::string output;
  std::optional<Timestamp> as_of;
  bool unsafe = false;
  int rows_max = 40;

  std::string source, run;  // replay
  std::string http;         // serve
  std::string log;
  bool allow_public = false;
  std::string folder;  // init

  std::string schedule_action, schedule;  // schedules: "" (list), run, pause, resume
  flow::BackfillRequest backfill;
  bool dry_run = false;

  std::string alert_action, channel;  // alerts: "" (list), test
  std::vector<int64_t> alerts_done, alerts_again;

  std::string report;  // report; empty: list them
  bool list = false;
  report::Given parameters;
  bool send = false;
  std::string key;
  std::string mail_done, mail_again;  // ids or keys of mails

  std::string flow;  // flow; empty: list them; `list`, `parameters` and `vars` as above
  std::string resume;
  std::vector<std::string> done, again;  // with `resume`: tasks whose effect was unknown
};

// Prints help and version itself; then `command` is empty.
Result<Arguments> read_arguments(int count, const char* const* words);

// "{city: Utrecht, days: 3}", "city: Utrecht" or "city=Utrecht".
Status add_vars(const std::string& text, serve::Vars& vars);

}  // namespace tarn::app
