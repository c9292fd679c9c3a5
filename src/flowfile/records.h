// What is written down about flows besides runs and tasks, in control.sqlite: what a run was started with,
// and what was done outside of the lake. Thread-safe.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/env/env.h"
#include "base/result.h"
#include "engine/connection.h"
#include "engine/table_source.h"
#include "store/store.h"

namespace tarn::flowfile {

// Something outside that a task does once: recorded before and after, so that one killed in between is seen
// as unknown rather than repeated.
struct Effect {
  std::string key;  // run/task: the same for all attempts
  std::string run, task, kind;
  std::string what;  // "POST https://…", "scripts/fit.py": without secrets
};

// How an attempt at it ended. What an earlier process left as kStarted is kUnknown.
enum class EffectState { kStarted, kDone, kFailed, kUnknown };
std::string_view name_of(EffectState state);

struct EffectEnd {
  EffectState state = EffectState::kDone;
  std::string answer;  // why not, or what it said
  std::string result;  // JSON, when done
};

// What a run of a flow was started with, settled once: a run that goes on a day later has the same.
struct FlowStart {
  std::string flow;
  std::vector<engine::Parameter> parameters;
  std::map<std::string, std::string> vars;  // over those of tarn.yml
};

class FlowRecords {
 public:
  // What an earlier process had started becomes unknown. flow::Runs has opened the store.
  static Result<std::unique_ptr<FlowRecords>> open(Env& env, store::Store& store);

  Status put_start(const std::string& run, const FlowStart& start);
  Result<std::optional<FlowStart>> start_of(const std::string& run);

  // Records that it is about to be done. A value: it was done already, with this result. kAborted: nobody
  // knows whether it was, and `repeatable` is false.
  Result<std::optional<std::string>> begin(const Effect& effect, bool repeatable);
  Status end(const std::string& key, const EffectEnd& end);
  // Somebody looked: what is unknown was done, or is to be done again. kNotFound: it is not unknown.
  Status settle(const std::string& key, bool done);

  // Of an sql task that writes: its result, before it commits, for a process that is killed after that.
  Status prepare_result(const std::string& run, const std::string& task, const std::string& result);
  Result<std::string> prepared_result(const std::string& run, const std::string& task);  // empty: none

  // `_tarn.effects`. The records outlive it.
  std::shared_ptr<engine::TableSource> effects_table();

 private:
  FlowRecords(Env& env, store::Store& store) : env_(env), store_(store) {}
  Env& env_;
  store::Store& store_;
};

}  // namespace tarn::flowfile
