// Tasks of kind run: a selection of the project's tasks, as a run of its own that is a part of the flow's.
#include <fmt/format.h>

#include "base/time.h"
#include "flowfile/step.h"

namespace tarn::flowfile {
namespace {

// What the part does becomes lines of the task's log.
class PartObserver final : public flow::RunObserver {
 public:
  explicit PartObserver(flow::TaskLog& log) : log_(log) {}
  void run_started(const flow::RunRecord& run, size_t tasks) override {
    total_ = tasks;
    log_.line(fmt::format("run {}: {} tasks", run.id, tasks));
  }
  void task_started(const flow::TaskRecord& task) override { log_.progress(at(task.name)); }
  void task_progress(const std::string& task, const std::string& text) override {
    log_.progress(fmt::format("{}: {}", at(task), text));
  }
  void task_line(const std::string&, const std::string&) override {}  // in the log of the part
  void task_retried(const std::string& task, const std::string& error, Duration delay) override {
    log_.line(fmt::format("{}: {}; again in {}", task, error, format_duration(delay)));
  }
  void task_ended(const flow::TaskRecord& task) override {
    ++ended_;
    const auto rows = task.report.counts.rows_written;
    log_.line(fmt::format("{}: {}{}{}", task.name, flow::name_of(task.state),
                          rows > 0 ? fmt::format(", {} rows", rows) : "",
                          task.error.empty() ? "" : ": " + task.error));
    log_.progress(at(""));
  }
  void run_ended(const flow::RunRecord&) override {}

 private:
  std::string at(const std::string& task) const {
    return fmt::format("{} of {} tasks{}{}", ended_, total_, task.empty() ? "" : ", ", task);
  }
  flow::TaskLog& log_;
  size_t total_ = 0, ended_ = 0;
};

}  // namespace

Result<Json> run_selection(StepContext& context) {
  auto& task = context.task;
  const auto& run = context.config.run;
  PartRequest request{.take = run.take, .leave = run.leave, .full_refresh = run.full_refresh};
  // "flow/fetch[3]" is a part named "<run>.fetch.3": also a folder's name.
  request.run_id = task.run_id + "." + context.config.name;
  if (const auto row = task.task_name.find('['); row != std::string::npos)
    request.run_id += "." + task.task_name.substr(row + 1, task.task_name.size() - row - 2);
  request.part_of = task.run_id + "/" + task.task_name;
  request.vars = context.run.vars;
  for (const auto& [name, text] : run.vars) {
    TARN_TRY(auto value, fill(text, context.scope));
    request.vars[name] = std::move(value.text);
  }
  PartObserver observer(task.log);
  TARN_TRY(const auto outcome, context.run.host.run_part(request, observer, task.cancel));
  int64_t done = 0;
  auto& counts = task.report->counts;
  for (const auto& one : outcome.tasks) {
    done += one.state == flow::State::kDone ? 1 : 0;
    counts.rows_in += one.report.counts.rows_in;
    counts.rows_written += one.report.counts.rows_written;
    counts.rows_quarantined += one.report.counts.rows_quarantined;
    counts.requests += one.report.counts.requests;
    counts.bytes_in += one.report.counts.bytes_in;
  }
  if (outcome.run.exit_code != 0) {
    const auto code = outcome.run.exit_code == 4     ? Code::kUnavailable
                      : outcome.run.exit_code == 130 ? Code::kCancelled
                                                     : Code::kFailed;
    return Error{code, fmt::format("run {}: {}", outcome.run.id,
                                   outcome.run.error.empty() ? std::string(flow::name_of(outcome.run.state))
                                                             : outcome.run.error)};
  }
  return Json{{"run", outcome.run.id}, {"tasks", done}, {"rows_written", counts.rows_written}};
}

}  // namespace tarn::flowfile
