#include "flowfile/flow_tasks.h"

#include <fmt/format.h>

namespace tarn::flowfile {
namespace {

std::string task_name(const FlowRun& run, const std::string& task) {
  return run.flow->name + "/" + task;
}

class FlowTask final : public flow::Task {
 public:
  // `rows`: names of the rows that a run which goes on has already. `row`: null of a task itself.
  FlowTask(std::shared_ptr<FlowRun> run, const TaskConfig& config, std::vector<std::string> upstream)
      : run_(std::move(run)),
        config_(config),
        upstream_(std::move(upstream)),
        name_(task_name(*run_, config.name)) {}
  FlowTask(std::shared_ptr<FlowRun> run, const TaskConfig& config, size_t number, Json row)
      : run_(std::move(run)),
        config_(config),
        upstream_({task_name(*run_, config.name)}),
        name_(fmt::format("{}[{}]", task_name(*run_, config.name), number)),
        row_(std::move(row)) {}

  [[nodiscard]] std::string name() const override { return name_; }
  [[nodiscard]] std::string kind() const override { return std::string(name_of(config_.kind)); }
  [[nodiscard]] std::string path() const override { return run_->flow->file.path; }
  [[nodiscard]] std::vector<std::string> tags() const override { return {}; }
  [[nodiscard]] std::vector<std::string> upstream() const override { return upstream_; }
  [[nodiscard]] std::vector<std::string> writes() const override { return {}; }
  [[nodiscard]] flow::RetryPolicy retry() const override {
    return {.attempts = config_.retries + 1, .first_delay = config_.retry_delay, .any_failure = true};
  }
  [[nodiscard]] flow::Join join() const override { return row_ ? flow::Join::kAllDone : config_.join; }
  [[nodiscard]] flow::TaskGroup group() const override {
    return row_ ? flow::TaskGroup{task_name(*run_, config_.name), config_.at_once} : flow::TaskGroup{};
  }
  [[nodiscard]] Duration timeout() const override { return config_.timeout; }

  Status run(flow::TaskContext& task) override {
    StepContext context{.run = *run_, .config = config_, .task = task, .scope = scope(task)};
    if (!row_) {
      TARN_TRY(const bool goes, look(context));
      if (!goes)
        return ok();
    }
    TARN_TRY(auto result, run_step(context));
    return keep(task, std::move(result));
  }

 private:
  Scope scope(const flow::TaskContext& task) const {
    return {.parameters = run_->parameters,
            .row = row_ ? &*row_ : nullptr,
            .results = run_->results,
            .run = run_->facts,
            .vars = run_->project.vars,
            .resolve_secret = [this, &task](const std::string& reference) {
              return project::resolve_secrets(*task.env.files, run_->project.root, reference);
            }};
  }

  // What comes before its work: false when there is none, or only that of its rows.
  Result<bool> look(StepContext& context) {
    auto& task = context.task;
    if (!config_.when.text.empty()) {
      TARN_TRY(const bool holds, ask_when(context));
      if (!holds) {
        task.sequel->left_out = fmt::format("left out: {} does not hold", config_.when.text);
        return false;
      }
    }
    if (config_.for_each.text.empty())
      return true;
    TARN_TRY(auto rows, ask_rows(context));
    for (size_t i = 0; i < rows.size(); ++i) {
      auto input = dump(rows[i]);
      task.sequel->follow_ups.push_back(
          {std::make_shared<FlowTask>(run_, config_, i + 1, std::move(rows[i])), std::move(input)});
    }
    task.log.line(fmt::format("{} rows", rows.size()));
    TARN_CHECK(keep(task, Json{{"rows", rows.size()}}));
    return false;
  }

  Status keep(flow::TaskContext& task, Json result) {
    task.report->result = dump(result);
    if (!row_)
      run_->results.put(config_.name, std::move(result));
    return ok();
  }

  const std::shared_ptr<FlowRun> run_;
  const TaskConfig& config_;  // of run_->flow
  const std::vector<std::string> upstream_;
  const std::string name_;
  const std::optional<Json> row_;
};

}  // namespace

std::vector<std::unique_ptr<flow::Task>> flow_tasks(const std::shared_ptr<FlowRun>& run,
                                                    const std::map<std::string, flow::TaskValues>& known) {
  std::vector<std::unique_ptr<flow::Task>> tasks;
  std::map<std::string, std::vector<std::string>> rows_of;
  for (const auto& config : run->flow->tasks) {
    const auto name = task_name(*run, config.name);
    if (const auto found = known.find(name); found != known.end() && !found->second.result.empty())
      run->results.put(config.name, object_of(found->second.result));
    if (config.for_each.text.empty())
      continue;
    for (size_t number = 1;; ++number) {
      const auto row = known.find(fmt::format("{}[{}]", name, number));
      if (row == known.end())
        break;
      auto task = std::make_unique<FlowTask>(run, config, number, object_of(row->second.input));
      rows_of[config.name].push_back(task->name());
      tasks.push_back(std::move(task));
    }
  }
  for (const auto& config : run->flow->tasks) {
    std::vector<std::string> upstream;
    for (const auto& before : config.after) {
      upstream.push_back(task_name(*run, before.name));
      const auto& rows = rows_of[before.name];
      upstream.insert(upstream.end(), rows.begin(), rows.end());
    }
    tasks.push_back(std::make_unique<FlowTask>(run, config, std::move(upstream)));
  }
  return tasks;
}

}  // namespace tarn::flowfile
