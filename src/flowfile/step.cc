#include "flowfile/step.h"

#include <fmt/format.h>

namespace tarn::flowfile {

Result<Json> run_step(StepContext& context) {
  switch (context.config.kind) {
    case Kind::kRun: return run_selection(context);
    case Kind::kSql: return run_sql(context);
    case Kind::kReport: return run_report(context);
    case Kind::kHttp: return run_http(context);
    case Kind::kScript: return run_script_step(context);
  }
  return Error{Code::kInternal, "a task of a flow has no kind"};
}

Result<Json> once(StepContext& context, const std::string& what,
                  const std::function<Result<Json>(EffectEnd& end)>& work) {
  auto& task = context.task;
  auto& records = context.run.host.records;
  const auto key = task.run_id + "/" + task.task_name;
  const auto before = records.begin({.key = key,
                                     .run = task.run_id,
                                     .task = task.task_name,
                                     .kind = std::string(name_of(context.config.kind)),
                                     .what = what},
                                    context.config.repeatable);
  if (!before) {
    task.sequel->unknown = before.error().code == Code::kAborted;
    return before.error();
  }
  if (*before) {
    task.log.line("it was done before this process: nothing to do");
    return object_of(**before);
  }
  EffectEnd end{.state = EffectState::kFailed};
  auto result = work(end);
  if (result) {
    end.state = EffectState::kDone;
    end.result = dump(*result);
  } else if (end.answer.empty()) {
    end.answer = result.error().message;
  }
  TARN_CHECK(records.end(key, end));
  const bool unknown = end.state == EffectState::kUnknown;
  if (unknown && !context.config.repeatable) {
    task.sequel->unknown = true;
    return Error{result.error().code,
                 fmt::format("{}: nobody knows whether it was done", result.error().message)};
  }
  return result;
}

}  // namespace tarn::flowfile
