// The tasks of a project, and what else model.h answers about it.
#include <algorithm>

#include <fmt/format.h>

#include "model/build.h"
#include "model/lake_facts.h"
#include "model/model.h"
#include "model/project.h"
#include "model/render.h"
#include "model/run_check.h"

namespace tarn::model {
namespace {

using Project = std::shared_ptr<const ModelProject>;

// Ephemeral models stand for what they read themselves.
void outside_of(const ModelProject& project, const Reads& reads, std::set<std::string>& tables) {
  tables.insert(reads.outside.begin(), reads.outside.end());
  for (const std::string& ref : reads.refs) {
    const Node* node = project.find(ref);
    if (node != nullptr && node->config.materialized == "ephemeral") {
      outside_of(project, node->reads, tables);
    }
  }
}

// A model or a seed.
class BuildTask : public flow::Task {
 public:
  BuildTask(Project project, const Node& node) : project_(std::move(project)), node_(node) {}

  [[nodiscard]] std::string name() const override { return node_.name; }
  [[nodiscard]] std::string kind() const override { return std::string(name_of(node_.kind)); }
  [[nodiscard]] std::string path() const override { return node_.path; }
  [[nodiscard]] std::vector<std::string> tags() const override { return node_.config.tags; }
  [[nodiscard]] std::vector<std::string> upstream() const override { return node_.upstream; }
  [[nodiscard]] std::vector<std::string> writes() const override { return {to_text(node_.table)}; }
  [[nodiscard]] std::vector<std::string> reads_outside() const override {
    std::set<std::string> tables;
    outside_of(*project_, node_.reads, tables);
    for (const size_t index : node_.tests) {
      outside_of(*project_, project_->tests[index].reads, tables);
    }
    return {tables.begin(), tables.end()};
  }
  [[nodiscard]] flow::RetryPolicy retry() const override { return {}; }
  Status run(flow::TaskContext& context) override { return build(*project_, node_, context); }

 private:
  Project project_;
  const Node& node_;  // of *project_
};

// A data test that no single model's transaction can hold.
class TestTask : public flow::Task {
 public:
  TestTask(Project project, const DataTest& test) : project_(std::move(project)), test_(test) {
    std::set<std::string> seen;
    collect(test_.reads, seen);
  }

  [[nodiscard]] std::string name() const override { return test_.name; }
  [[nodiscard]] std::string kind() const override { return "test"; }
  [[nodiscard]] std::string path() const override { return test_.path; }
  [[nodiscard]] std::vector<std::string> tags() const override { return test_.config.tags; }
  [[nodiscard]] std::vector<std::string> upstream() const override { return upstream_; }
  [[nodiscard]] std::vector<std::string> writes() const override { return {}; }
  [[nodiscard]] std::vector<std::string> reads_outside() const override {
    std::set<std::string> tables;
    outside_of(*project_, test_.reads, tables);
    return {tables.begin(), tables.end()};
  }
  [[nodiscard]] flow::RetryPolicy retry() const override { return {}; }

  Status run(flow::TaskContext& context) override {
    TARN_TRY(auto session, context.sessions.open({}));
    TARN_TRY(auto version, context.sessions.catalog().head());
    TARN_TRY(Verdict verdict, run_test(*project_, test_, *session, context.report->tests));
    for (const auto& read : tables_read(*project_, test_.reads)) {
      TARN_TRY(int64_t snapshot, snapshot_of(*version, read));
      context.report->versions.push_back({to_text(read), snapshot, false});
    }
    if (verdict.kind == Verdict::Kind::kWarned) {
      context.report->warnings.push_back(verdict.message);
      context.log.line("warning: " + verdict.message);
    }
    if (verdict.kind == Verdict::Kind::kFailed) {
      return Error{Code::kFailed, fmt::format("{}: {}", to_string(test_.place), verdict.message)};
    }
    return ok();
  }

 private:
  void add(const std::string& task) {
    if (std::find(upstream_.begin(), upstream_.end(), task) == upstream_.end()) {
      upstream_.push_back(task);
    }
  }

  void collect(const Reads& reads, std::set<std::string>& seen) {
    for (const std::string& ref : reads.refs) {
      const Node* node = project_->find(ref);
      if (node == nullptr || !seen.insert(ref).second) {
        continue;
      }
      if (node->config.materialized == "ephemeral") {
        collect(node->reads, seen);
      } else {
        add(ref);
      }
    }
    for (const std::string& source : reads.source_tasks) {
      add(source);
    }
  }

  Project project_;
  const DataTest& test_;  // of *project_
  std::vector<std::string> upstream_;
};

}  // namespace

std::vector<std::unique_ptr<flow::Task>> model_tasks(const Project& project) {
  std::vector<std::unique_ptr<flow::Task>> tasks;
  for (const auto& [name, node] : project->nodes) {
    if (node.config.materialized != "ephemeral") {
      tasks.push_back(std::make_unique<BuildTask>(project, node));
    }
  }
  for (const DataTest& test : project->tests) {
    if (test.home.empty()) {
      tasks.push_back(std::make_unique<TestTask>(project, test));
    }
  }
  return tasks;
}

Result<CompiledModel> compile(const ModelProject& project, const std::string& name, bool incremental) {
  const Node* node = project.find(name);
  if (node == nullptr || !node->text) {
    return Error{Code::kNotFound, fmt::format("there is no model '{}'", name)};
  }
  Diagnostic mistake;
  TARN_TRY(Compiled compiled, compile_node(project, *node, incremental, false, mistake));
  return CompiledModel{node->name, node->path, compiled.rendered.text, to_text(node->table),
                       node->config.materialized};
}

std::vector<NodeFacts> list_nodes(const ModelProject& project) {
  std::vector<NodeFacts> all;
  for (const auto& [name, node] : project.nodes) {
    NodeFacts facts{.name = name,
                    .kind = std::string(name_of(node.kind)),
                    .path = node.path,
                    .table = node.config.materialized == "ephemeral" ? "" : to_text(node.table),
                    .materialized = node.config.materialized,
                    .description = node.description,
                    .tags = node.config.tags,
                    .upstream = node.upstream,
                    .tests = {}};
    for (size_t index : node.tests) {
      facts.tests.push_back(project.tests[index].name);
    }
    all.push_back(std::move(facts));
  }
  return all;
}

}  // namespace tarn::model
