// The steps of load(), each in a file of its own. Internal to the module.
#pragma once

#include <string>
#include <vector>

#include "codec/yaml.h"
#include "model/project.h"

namespace tarn::model {

// dbt_project.yml, when there is one; then the project's own vars, which win.
Status read_settings(FileSystem& files, const project::Project& project, Settings& settings,
                     Diagnostics& diagnostics);

// What a properties file says of one model or seed, before the node's own config() is known.
struct Properties {
  Place place;
  std::string file;
  std::string description;
  NodeKind kind = NodeKind::kModel;
  ConfigItems items;
  std::vector<ColumnFacts> columns;
};

struct PropertiesFound {
  std::map<std::string, Properties> nodes;
  std::map<std::string, ConfigItems> singular;  // of SQL tests, by name
  std::vector<DataTest> tests;                  // generic ones, not yet named
};

// One models/*.yml: models, seeds, sources, tests.
void read_properties(ModelProject& project, const codec::YamlNode& root, const std::string& file,
                     PropertiesFound& found, Diagnostics& diagnostics);

// "+materialized: table" for all below a folder: the items of a configuration tree that apply to one file.
ConfigItems tree_items(const ModelProject& project, const codec::YamlNode& tree, NodeKind kind,
                       const std::vector<std::string>& path, Diagnostics& diagnostics);
// Every configuration key in a tree is known, told once.
void check_tree(const codec::YamlNode& tree, NodeKind kind, Diagnostics& diagnostics);

// What SQL reads without ref() and source(), also through views and macros of the lake as they stand (null:
// nothing is known of it). A read that would close a circle orders nothing: it finds what the run before
// left.
void add_plain_reads(ModelProject& project, const engine::LakeVersion* lake);

// Edges, cycles, and where each test runs.
void link(ModelProject& project, Diagnostics& diagnostics);

}  // namespace tarn::model
