// Configuration of models, seeds and tests: merged from dbt_project.yml, the properties file and config() in
// the file itself, each key remembering where it was written.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/diagnostic.h"
#include "codec/yaml.h"
#include "model/jinja/value.h"

namespace tarn::model {

struct ConfigItem {
  jinja::Value value;
  Place place;
};
using ConfigItems = std::map<std::string, ConfigItem>;

enum class NodeKind { kModel, kSeed, kTest };
std::string_view name_of(NodeKind kind);

// "> 10" in warn_if and error_if.
struct Threshold {
  std::string op = "!=";
  int64_t bound = 0;
  [[nodiscard]] bool holds(int64_t count) const;
};

struct Config {
  std::string materialized = "view";
  bool enabled = true;
  std::vector<std::string> tags;
  std::string schema;  // as configured; empty: the target's
  std::string alias;
  // incremental
  std::vector<std::string> unique_key;
  std::string incremental_strategy;  // empty: delete+insert with a key, append without
  std::string on_schema_change = "ignore";
  std::optional<bool> full_refresh;
  std::vector<std::string> partition_by;
  std::vector<std::string> pre_hook, post_hook;
  // seeds
  std::map<std::string, std::string> column_types;
  std::string delimiter = ",";
  // tests
  std::string severity = "error";
  std::string where;
  std::optional<int64_t> limit;
  Threshold warn_if, error_if;
};

// `over` wins; tags add up.
void merge(ConfigItems& base, const ConfigItems& over);

// Reads the merged items; unknown keys and wrong values are mistakes at their place.
Config decode(const ConfigItems& items, NodeKind kind, Diagnostics& diagnostics);
bool is_config_key(NodeKind kind, std::string_view key);

// YAML to values, with YAML's types; texts with {{ }} go through `render` first (null: they stay as they
// are).
using RenderText = std::function<Result<jinja::Value>(const std::string& text, const Place& place)>;
Result<jinja::Value> value_of(const codec::YamlNode& node, const RenderText& render);
// A plain scalar as YAML understands it: true, 3, 2.5, null or a text.
jinja::Value scalar_of(const std::string& text);

}  // namespace tarn::model
