// A loaded project of models: nodes, tests, macros, settings. Immutable after load(); see model.h.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/diagnostic.h"
#include "base/env/env.h"
#include "engine/lake_catalog.h"
#include "model/config.h"
#include "model/jinja/interpreter.h"
#include "model/model.h"

namespace tarn::model {

// dbt_project.yml, or dbt's defaults when there is none.
struct Settings {
  std::string name;
  std::vector<std::string> model_paths = {"models"};
  std::vector<std::string> seed_paths = {"seeds"};
  std::vector<std::string> macro_paths = {"macros"};
  std::vector<std::string> test_paths = {"tests"};
  std::map<std::string, jinja::Value> vars;
  codec::YamlNode models, seeds, tests;  // configuration trees
};

struct ColumnFacts {
  std::string name;
  std::string description;
  std::string data_type;
};

// What a node reads, found by rendering it and in its SQL.
struct Reads {
  std::vector<std::string> refs;          // names of models and seeds
  std::vector<engine::TableName> tables;  // of the lake that no model or seed makes
  std::vector<std::string> source_tasks;  // that write those tables
  std::vector<std::string> outside;       // of attachments: "shop.public.customers"
};

struct DataTest {
  std::string name;
  std::string path;  // of the YAML or SQL file
  Place place;
  std::string generic;      // "unique" ...; empty: a SQL file
  std::string on;           // model or seed that it stands at; empty for a SQL file and for sources
  engine::TableName table;  // of a source, when it stands there
  std::string database;     // of that table, when it is an attachment's
  std::string column;
  jinja::Members arguments;
  ConfigItems items;
  Config config;
  Reads reads;
  std::shared_ptr<const jinja::Template> text;  // of a SQL file
  std::string home;  // the model in whose transaction it runs; empty: a task of its own
};

struct Node {
  NodeKind kind = NodeKind::kModel;
  std::string name;
  std::string path;
  std::shared_ptr<const jinja::Template> text;  // null for seeds
  ConfigItems items;
  Config config;
  engine::TableName table;
  std::string description;
  std::vector<ColumnFacts> columns;
  Reads reads;
  std::vector<std::string> upstream;  // tasks, ephemeral models resolved; tests that must hold among them
  std::vector<size_t> tests;          // run inside its transaction; index into ModelProject::tests
};

struct DeclaredSource {
  engine::TableName table;
  std::string database;  // an attachment; empty: the lake
  Place place;
  std::string description;
};

class ModelProject {
 public:
  Env* env = nullptr;
  std::string root;
  std::string data_folder;
  Settings settings;
  std::string target_name;
  jinja::Macros macros;
  std::map<std::string, Node> nodes;
  std::vector<DataTest> tests;
  std::map<std::pair<std::string, std::string>, DeclaredSource> declared;  // source('a', 'b')
  std::vector<SourceTables> sources;
  std::map<std::string, std::string> attachments;  // name -> its default schema
  std::set<std::string> disabled;                  // names of disabled models and seeds
  std::set<std::string> broken;                    // names of models whose text does not render; told already

  [[nodiscard]] const Node* find(const std::string& name) const;
  // The task that writes a table; empty when none is known.
  [[nodiscard]] std::string writer_of(const engine::TableName& table) const;
};

// A name for flow and people: "schema.name".
std::string to_text(const engine::TableName& table);

}  // namespace tarn::model
