// What is written down about runs: a run, its tasks, each attempt. Plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/env/env.h"
#include "flow/task.h"

namespace tarn::flow {

// Of runs, tasks and attempts alike; a run is never skipped or unknown, an attempt never waiting. Unknown:
// something outside may or may not have been done.
enum class State { kWaiting, kRunning, kDone, kFailed, kSkipped, kCancelled, kInterrupted, kUnknown };

// The error_code of a task that was skipped because nothing was to be done, not for a failure.
constexpr std::string_view kLeftOut = "left_out";

std::string_view name_of(State state);
State state_of(std::string_view name);  // an unknown name is kInterrupted

struct RunRecord {
  std::string id;
  std::string command;    // "run" or "replay"
  std::string selection;  // as the user wrote it; empty: everything
  bool full_refresh = false;
  State state = State::kRunning;
  Timestamp started_at;
  std::optional<Timestamp> finished_at;
  std::string error;  // first failure
  int exit_code = 0;
  std::string schedule;             // that it was due by; empty: somebody asked for it
  std::optional<Timestamp> due_at;  // with `schedule`
  std::string waits_for;            // why a waiting run does not start; empty otherwise
  std::string part_of;              // "run/task" of the flow that it is a part of; empty: none
};

struct TaskRecord {
  std::string run_id;
  std::string name;
  std::string kind;
  std::string path;
  int position = 0;
  State state = State::kWaiting;
  std::string resumes;  // the interrupted run whose work this task goes on with; empty: none
  int attempts = 0;
  std::optional<Timestamp> started_at;
  std::optional<Timestamp> finished_at;
  std::string error;  // why it failed, was skipped or cancelled
  std::string error_code;
  TaskReport report;
};

// What a task was given and what it gave, as JSON; empty: nothing.
struct TaskValues {
  std::string input;
  std::string result;
};

struct LogLine {
  std::string task;
  int attempt = 0;
  int number = 0;
  Timestamp at;
  std::string text;
};

}  // namespace tarn::flow
