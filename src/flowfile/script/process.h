// Runs one script under its keeper (keeper_main.cc), within limits, and hands on its output line by line.
// When it returns, no process of the script is left.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/env/env.h"
#include "base/result.h"

namespace tarn::flowfile {

struct ScriptRequest {
  std::vector<std::string> command;
  std::vector<std::string> environment;  // "NAME=value": all that it sees
  std::string folder;                    // absolute; where it works
  std::string input;                     // on its standard input
  uint64_t memory_bytes = 0;             // of all its processes, and the data of each; 0: no limit
  uint64_t file_bytes = 0;               // of each file that it writes; 0: no limit
  Duration cpu_time{0};                  // of each process; 0: no limit
  int64_t processes = 256;               // at the same time
  Duration grace{3'000'000};             // between SIGTERM and SIGKILL
};

struct ScriptEnd {
  int exit_code = 0;    // -1: by a signal
  int signal = 0;       // that ended it
  std::string why;      // "-": by itself; "stopped", "memory", "processes"
  int left_behind = 0;  // processes that were still there, and are no more
  Duration cpu{0};
  uint64_t memory_bytes_max = 0;  // of its largest process
};

// Lines longer than 4,000 bytes are cut. kUnavailable: it could not be started. The thread waits.
Result<ScriptEnd> run_script(const ScriptRequest& request,
                             const std::function<void(std::string line)>& on_line,
                             const std::function<bool()>& cancelled);

// Kills what scripts left behind, whose processes have a variable of their environment that begins so; for
// when a keeper was killed, or Tarn with it. Returns how many there were.
int kill_leftovers(const std::string& variable_prefix);

// At the start of a process that holds the data folder: what scripts of before left there ends and goes.
void clear_scripts(const std::string& data_folder);

}  // namespace tarn::flowfile
