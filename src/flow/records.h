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

// Of runs, tasks and attempts alike; a run is never skipped, an attempt neither that nor waiting.
enum class State { kWaiting, kRunning, kDone, kFailed, kSkipped, kCancelled, kInterrupted };

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

struct LogLine {
  std::string task;
  int attempt = 0;
  int number = 0;
  Timestamp at;
  std::string text;
};

}  // namespace tarn::flow
