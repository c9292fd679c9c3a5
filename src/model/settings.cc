// dbt_project.yml and configuration trees.
#include <fmt/format.h>

#include "base/diagnostic_text.h"
#include "model/jinja/text.h"
#include "model/load.h"
#include "model/render.h"

namespace tarn::model {
namespace {

using codec::YamlNode;

void read_paths(codec::YamlReader& reader, std::string_view key, std::vector<std::string>& out) {
  if (auto given = reader.texts(key)) {
    out.clear();
    for (const std::string& path : *given) {
      out.push_back(jinja::strip(path, "/", false, true));
    }
  }
}

void read_vars(const YamlNode* vars, Settings& settings, Diagnostics& diagnostics) {
  if (vars == nullptr || vars->kind == YamlNode::Kind::kNull) {
    return;
  }
  if (vars->kind != YamlNode::Kind::kMap) {
    diagnostics.push_back({vars->place, "'vars' must be a map of names and values"});
    return;
  }
  for (const auto& entry : vars->entries) {
    // vars: {my_project: {x: 1}} narrows to that project.
    if (entry.key == settings.name && entry.value.kind == YamlNode::Kind::kMap) {
      read_vars(&entry.value, settings, diagnostics);
    } else if (auto value = value_of(entry.value, nullptr)) {
      settings.vars[entry.key] = *value;
    }
  }
}

// Members of a tree node that are configuration, not folders.
bool is_config_entry(const YamlNode::Entry& entry, NodeKind kind) {
  return entry.key.starts_with('+') ||
         (entry.value.kind != YamlNode::Kind::kMap && is_config_key(kind, entry.key));
}

std::string key_of(const YamlNode::Entry& entry) {
  std::string key = entry.key.starts_with('+') ? entry.key.substr(1) : entry.key;
  for (char& c : key) {
    c = c == '-' ? '_' : c;  // pre-hook is pre_hook
  }
  return key;
}

void refuse_unsupported(const YamlNode& root, Diagnostics& diagnostics) {
  for (const std::string_view key : {"on-run-start", "on-run-end", "snapshots", "dispatch"}) {
    const YamlNode* node = root.find(key);
    if (node != nullptr && node->kind != YamlNode::Kind::kNull &&
        !(node->items.empty() && node->entries.empty() && node->text.empty())) {
      diagnostics.push_back({node->place, fmt::format("'{}' is not supported yet; take it out", key)});
    }
  }
}

}  // namespace

Status read_settings(FileSystem& files, const project::Project& project, Settings& settings,
                     Diagnostics& diagnostics) {
  settings.name = project.name;
  const std::string name = "dbt_project.yml";
  TARN_TRY(bool exists, files.exists(project.root + "/" + name));
  if (exists) {
    TARN_TRY(std::string text, files.read(project.root + "/" + name));
    auto root = codec::parse_yaml(text, name);
    if (!root) {
      diagnostics.push_back(diagnostic_of_text(root.error().message));
      return ok();
    }
    codec::YamlReader reader(*root, "dbt_project.yml", diagnostics);
    settings.name = reader.required_text("name");
    read_paths(reader, "model-paths", settings.model_paths);
    read_paths(reader, "seed-paths", settings.seed_paths);
    read_paths(reader, "macro-paths", settings.macro_paths);
    read_paths(reader, "test-paths", settings.test_paths);
    read_vars(reader.child("vars"), settings, diagnostics);
    auto tree = [&](std::string_view key, YamlNode& out) {
      const YamlNode* node = reader.child(key);
      out = node != nullptr ? *node : out;
    };
    tree("models", settings.models);
    tree("seeds", settings.seeds);
    tree("tests", settings.tests);
    tree("data_tests", settings.tests);
    // Keys of dbt's that concern its own working.
    for (const std::string_view key : {"version",
                                       "config-version",
                                       "profile",
                                       "analysis-paths",
                                       "snapshot-paths",
                                       "asset-paths",
                                       "docs-paths",
                                       "target-path",
                                       "log-path",
                                       "clean-targets",
                                       "packages-install-path",
                                       "require-dbt-version",
                                       "quoting",
                                       "flags",
                                       "query-comment",
                                       "sources",
                                       "on-run-start",
                                       "on-run-end",
                                       "snapshots",
                                       "dispatch",
                                       "exposures"}) {
      (void)reader.child(key);
    }
    reader.finish();
    refuse_unsupported(*root, diagnostics);
    check_tree(settings.models, NodeKind::kModel, diagnostics);
    check_tree(settings.seeds, NodeKind::kSeed, diagnostics);
    check_tree(settings.tests, NodeKind::kTest, diagnostics);
  }
  for (const auto& [key, text] : project.vars) {
    settings.vars[key] = scalar_of(text);
  }
  return ok();
}

void check_tree(const YamlNode& tree, NodeKind kind, Diagnostics& diagnostics) {
  ConfigItems items;
  for (const auto& entry : tree.entries) {
    if (entry.key.starts_with('+') && !is_config_key(kind, key_of(entry))) {
      items[key_of(entry)] = {jinja::Value(""), entry.place};
    } else if (!is_config_entry(entry, kind)) {
      if (entry.value.kind != YamlNode::Kind::kMap && entry.value.kind != YamlNode::Kind::kNull) {
        items[key_of(entry)] = {jinja::Value(""), entry.place};
      }
      check_tree(entry.value, kind, diagnostics);
    }
  }
  (void)decode(items, kind, diagnostics);
}

ConfigItems tree_items(const ModelProject& project, const YamlNode& tree, NodeKind kind,
                       const std::vector<std::string>& path, Diagnostics& diagnostics) {
  ConfigItems all;
  const YamlNode* at = &tree;
  auto render = [&](const std::string& text, const Place& place) {
    return render_yaml_text(project, text, place);
  };
  for (size_t depth = 0; at != nullptr; ++depth) {
    ConfigItems here;
    for (const auto& entry : at->entries) {
      if (!is_config_entry(entry, kind) || !is_config_key(kind, key_of(entry))) {
        continue;
      }
      auto value = value_of(entry.value, render);
      if (value) {
        here[key_of(entry)] = {*value, entry.value.place};
      } else {
        diagnostics.push_back({entry.value.place, value.error().message});
      }
    }
    merge(all, here);
    at = depth < path.size() ? at->find(path[depth]) : nullptr;
  }
  return all;
}

}  // namespace tarn::model
