// SQL models in dbt's layout: models/**.sql and *.yml, seeds/*.csv, macros/**.sql, tests/**.sql,
// dbt_project.yml. load() reads and checks a project's text once; what it gives is immutable and may be used
// from any thread.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/diagnostic.h"
#include "base/env/env.h"
#include "base/result.h"
#include "engine/lake_catalog.h"
#include "flow/task.h"
#include "project/project.h"
#include "session/draft.h"
#include "session/session.h"

namespace tarn::model {

// What a Tarn source (sources/NAME.yml) writes and reads, for the edges of the graph.
struct SourceTables {
  std::string name;  // of its task
  std::vector<engine::TableName> writes;
  std::vector<std::string> after;       // tasks that run before it, as far as known
  std::vector<std::string> reads = {};  // "schema.name" of tables
};

class ModelProject;  // model/project.h

struct LoadOptions {
  std::vector<SourceTables> sources;
  std::string target_name = "dev";  // target.name in templates
  // The lake as it stands, for what is read through its views and macros; null: nothing is known of it.
  std::shared_ptr<const engine::LakeVersion> lake;
};

// Mistakes go to `diagnostics`, all of them with their place; a project with mistakes must not be run.
// The error is for what stops everything (a file cannot be read).
Result<std::shared_ptr<const ModelProject>> load(Env& env, const project::Project& project,
                                                 const LoadOptions& options, Diagnostics& diagnostics);

// One task for each enabled model, seed and stand-alone test; ephemeral models have none.
std::vector<std::unique_ptr<flow::Task>> model_tasks(const std::shared_ptr<const ModelProject>& project);

// Binds every compiled model and test against the draft, in order, so that each finds its upstream as it will
// be; what stands below a mistake is left alone. Puts the tables of models and seeds into the draft.
Status check(const ModelProject& project, session::SessionService& sessions, session::Draft& draft,
             Diagnostics& diagnostics);

struct CompiledModel {
  std::string name;
  std::string path;
  std::string sql;
  std::string table;  // "schema.name"
  std::string materialized;
};
// What a model's SELECT becomes; `incremental` is what is_incremental() answers.
Result<CompiledModel> compile(const ModelProject& project, const std::string& name, bool incremental);

// What `docs` and the UI show of a model, seed or test.
struct NodeFacts {
  std::string name;
  std::string kind;  // "model", "seed", "test"
  std::string path;
  std::string table;
  std::string materialized;
  std::string description;
  std::vector<std::string> tags;
  std::vector<std::string> upstream;  // tasks
  std::vector<std::string> tests;     // run inside its transaction
};
std::vector<NodeFacts> list_nodes(const ModelProject& project);

}  // namespace tarn::model
