// When what is to run, as sources/*.yml and tarn.yml say it. A plain value; docs/schedules.md is the
// reference.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/diagnostic.h"
#include "base/env/env.h"
#include "base/time_zone.h"
#include "codec/yaml.h"
#include "flow/cron.h"

namespace tarn::flow {

// What becomes of due times that nobody saw come: the server was down, or a run was still under way.
enum class CatchUp {
  kNone,  // they are left out
  kLast,  // one run stands for all of them
  kAll,   // a run for each, oldest first, for the newest catch_up_max
};
std::string_view name_of(CatchUp catch_up);

struct Schedule {
  std::string name;
  Place place;
  std::vector<std::string> run;  // selection, in the words of selection.h
  std::vector<std::string> exclude;
  std::optional<Cron> cron;  // exactly one of cron, every and after is given
  Place cron_place;
  Duration every{0};
  std::vector<std::string> after;  // tasks and tables; runs when one of them is newer
  Place after_place;
  std::optional<TimeZone> zone;  // none: the project's, which whoever reads the project fills in
  CatchUp catch_up = CatchUp::kLast;
  int catch_up_max = 100;
  Duration timeout{0};       // of a run; 0: none
  Duration task_timeout{0};  // of each attempt of a task; 0: none
  int retries = 0;           // of a run that failed: it goes on with what is not done
  Duration retry_delay{60'000'000};
  bool pause = false;  // by the file
  bool full_refresh = false;
  std::map<std::string, std::string> vars;
};

// `schedule:` of a source: a cron text, or a map. It runs the source and, unless `downstream: false`, what
// depends on it. nullopt when mistakes make it useless.
std::optional<Schedule> read_source_schedule(const codec::YamlNode& node, const std::string& source,
                                             Diagnostics& diagnostics);

// `schedules:` of tarn.yml: names to maps with `run` and one of cron, every and after.
std::vector<Schedule> read_schedules(const codec::YamlNode& node, Diagnostics& diagnostics);

// "0 6 * * *", "every 15m", "after raw_bars, stg_bars": for people and for noticing a change.
std::string pattern_of(const Schedule& schedule);

}  // namespace tarn::flow
