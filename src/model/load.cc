#include "model/load.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/diagnostic_text.h"
#include "codec/text_distance.h"
#include "model/generic_check.h"
#include "model/jinja/text.h"
#include "model/render.h"
#include "model/unknown_names.h"

namespace tarn::model {
namespace {

using jinja::Value;

std::string stem_of(const std::string& path) {
  size_t slash = path.rfind('/');
  std::string name = slash == std::string::npos ? path : path.substr(slash + 1);
  return name.substr(0, name.rfind('.'));
}

bool below(const std::string& path, const std::string& folder) {
  return path.starts_with(folder + "/");
}

// The call config(…) at the top of a file, for the places of its values.
const jinja::Expr* find_config(const jinja::Expr* expr) {
  if (expr == nullptr) {
    return nullptr;
  }
  bool is_it = expr->kind == jinja::Expr::Kind::kCall &&
               expr->children[0]->kind == jinja::Expr::Kind::kName && expr->children[0]->text == "config";
  return is_it ? expr : nullptr;
}

Place place_of_config(const jinja::Template& text, const std::string& key) {
  Place fallback{text.file};
  for (const auto& node : text.nodes) {
    const jinja::Expr* call = find_config(node->expr.get());
    if (call == nullptr) {
      continue;
    }
    fallback = text.place_of(call->offset);
    for (const auto& [name, value] : call->named) {
      if (name == key) {
        return text.place_of(value->offset);
      }
    }
  }
  return fallback;
}

class Loader {
 public:
  Loader(ModelProject& project, FileSystem& files, const project::Project& config,
         const engine::LakeVersion* lake, Diagnostics& diagnostics)
      : project_(project), files_(files), config_(config), lake_(lake), diagnostics_(diagnostics) {}

  Status run() {
    TARN_CHECK(read_settings(files_, config_, project_.settings, diagnostics_));
    TARN_CHECK(read_macros());
    TARN_CHECK(read_nodes());
    TARN_CHECK(read_yaml());
    configure();
    TARN_CHECK(read_singular_tests());
    name_tests();
    read_test_reads();
    add_plain_reads(project_, lake_);
    link(project_, diagnostics_);
    return ok();
  }

 private:
  void mistake(Place place, std::string message) {
    diagnostics_.push_back({std::move(place), std::move(message)});
  }

  Result<std::vector<std::string>> find(const std::vector<std::string>& folders, const std::string& ending) {
    std::vector<std::string> all;
    for (const std::string& folder : folders) {
      TARN_TRY(auto found, project::find_files(files_, project_.root, folder, ending));
      all.insert(all.end(), found.begin(), found.end());
    }
    std::sort(all.begin(), all.end());
    all.erase(std::unique(all.begin(), all.end()), all.end());
    return all;
  }

  Result<std::shared_ptr<const jinja::Template>> read_template(const std::string& path) {
    TARN_TRY(std::string text, files_.read(project_.root + "/" + path));
    Diagnostic wrong;
    auto parsed = jinja::parse_template(path, std::move(text), wrong);
    if (!parsed) {
      diagnostics_.push_back(wrong);
      return std::shared_ptr<const jinja::Template>();
    }
    return parsed;
  }

  Status read_macros() {
    std::vector<std::string> folders = project_.settings.macro_paths;
    for (const std::string& folder : project_.settings.test_paths) {
      folders.push_back(folder + "/generic");
    }
    TARN_TRY(auto paths, find(folders, ".sql"));
    for (const std::string& path : paths) {
      TARN_TRY(auto text, read_template(path));
      Diagnostic wrong;
      if (text && !jinja::collect_macros(text, project_.macros, wrong)) {
        diagnostics_.push_back(wrong);
      }
    }
    return ok();
  }

  Status read_nodes() {
    TARN_TRY(auto models, find(project_.settings.model_paths, ".sql"));
    for (const std::string& path : models) {
      TARN_TRY(auto text, read_template(path));
      if (!text) {
        project_.broken.insert(stem_of(path));
      }
      add_node(NodeKind::kModel, path, text);
    }
    TARN_TRY(auto python, find(project_.settings.model_paths, ".py"));
    for (const std::string& path : python) {
      mistake(Place{path}, "Python models are not supported; write the model in SQL");
    }
    TARN_TRY(auto seeds, find(project_.settings.seed_paths, ".csv"));
    for (const std::string& path : seeds) {
      add_node(NodeKind::kSeed, path, nullptr);
    }
    return ok();
  }

  void add_node(NodeKind kind, const std::string& path, std::shared_ptr<const jinja::Template> text) {
    Node node;
    node.kind = kind;
    node.name = stem_of(path);
    node.path = path;
    node.text = std::move(text);
    node.config.materialized = kind == NodeKind::kSeed ? "seed" : "view";
    node.table = {"public", node.name};
    for (const SourceTables& source : project_.sources) {
      if (source.name == node.name) {
        mistake(Place{path},
                fmt::format("'{}' is the name of a source too (sources/{}.yml); rename one of them",
                            node.name, node.name));
      }
    }
    auto [known, fresh] = project_.nodes.try_emplace(node.name, node);
    if (!fresh) {
      mistake(Place{path},
              fmt::format("'{}' exists already as {}; rename one of them", node.name, known->second.path));
    }
  }

  Status read_yaml() {
    std::vector<std::string> folders = project_.settings.model_paths;
    for (const auto* more :
         {&project_.settings.seed_paths, &project_.settings.macro_paths, &project_.settings.test_paths}) {
      folders.insert(folders.end(), more->begin(), more->end());
    }
    for (const char* ending : {".yml", ".yaml"}) {
      TARN_TRY(auto paths, find(folders, ending));
      for (const std::string& path : paths) {
        TARN_TRY(std::string text, files_.read(project_.root + "/" + path));
        auto root = codec::parse_yaml(text, path);
        if (root) {
          read_properties(project_, *root, path, found_, diagnostics_);
        } else {
          diagnostics_.push_back(diagnostic_of_text(root.error().message));
        }
      }
    }
    std::vector<std::string> names;
    for (const auto& entry : project_.nodes) {
      names.push_back(entry.first);
    }
    for (const auto& [name, properties] : found_.nodes) {
      if (!project_.nodes.contains(name)) {
        std::string near = codec::nearest(name, names);
        mistake(properties.place, fmt::format("there is no {} '{}'{}", name_of(properties.kind), name,
                                              near.empty() ? "" : fmt::format(": did you mean '{}'?", near)));
      }
    }
    return ok();
  }

  // Folders and name of a file below its path, after the project's name, as configuration trees go.
  std::vector<std::string> tree_path(const Node& node) const {
    const auto& folders =
        node.kind == NodeKind::kSeed ? project_.settings.seed_paths : project_.settings.model_paths;
    for (const std::string& folder : folders) {
      if (below(node.path, folder)) {
        std::string rest = node.path.substr(folder.size() + 1);
        auto parts = jinja::split(rest.substr(0, rest.rfind('.')), "/", -1);
        parts.insert(parts.begin(), project_.settings.name);
        return parts;
      }
    }
    return {project_.settings.name, node.name};
  }

  void configure() {
    for (auto& [name, node] : project_.nodes) {
      const codec::YamlNode& tree =
          node.kind == NodeKind::kSeed ? project_.settings.seeds : project_.settings.models;
      ConfigItems items = tree_items(project_, tree, node.kind, tree_path(node), diagnostics_);
      if (auto found = found_.nodes.find(name); found != found_.nodes.end()) {
        merge(items, found->second.items);
        node.description = found->second.description;
        node.columns = found->second.columns;
      }
      node.items = std::move(items);
    }
    drop_disabled();  // what YAML disables is not rendered at all, as in dbt
    for (auto& [name, node] : project_.nodes) {
      if (node.text) {
        render_for_reads(node);
      }
      node.config = decode(node.items, node.kind, diagnostics_);
    }
    drop_disabled();
    name_tables();
  }

  void drop_disabled() {
    for (auto it = project_.nodes.begin(); it != project_.nodes.end();) {
      auto item = it->second.items.find("enabled");
      bool off = item != it->second.items.end() && jinja::to_lower(item->second.value.text()) == "false";
      if (off) {
        project_.disabled.insert(it->first);
        it = project_.nodes.erase(it);
      } else {
        ++it;
      }
    }
  }

  // Twice: a model reads other things when it is incremental. The first answers count as configuration.
  void render_for_reads(Node& node) {
    for (bool incremental : {false, true}) {
      jinja::Members configured;
      Diagnostic wrong;
      RenderRequest request{
          .node = &node, .incremental = incremental, .reads = &node.reads, .configured = &configured};
      auto done = render(project_, *node.text, request, wrong);
      if (!done) {
        project_.broken.insert(node.name);
        tell_all(*node.text, request, wrong);
      }
      if (!incremental || !done) {
        ConfigItems own;
        for (const auto& [key, value] : configured) {
          own[key] = {value, place_of_config(*node.text, key)};
        }
        merge(node.items, own);
      }
      if (!done) {
        break;
      }
    }
    tidy(node.reads);
  }

  // Rendering stops at the first mistake; the others that can be seen without it are told with it.
  void tell_all(const jinja::Template& text, const RenderRequest& request, const Diagnostic& first) {
    diagnostics_.push_back(first);
    for (auto& other : unknown_names(project_, text, {.node = request.node, .test = request.test})) {
      if (other.place != first.place) {
        diagnostics_.push_back(std::move(other));
      }
    }
  }

  void tidy(Reads& reads) const {
    auto once = [](auto& list) {
      std::sort(list.begin(), list.end());
      list.erase(std::unique(list.begin(), list.end()), list.end());
    };
    once(reads.refs);
    once(reads.tables);
    once(reads.outside);
    reads.source_tasks.clear();
    for (const auto& table : reads.tables) {
      std::string writer = project_.writer_of(table);
      if (!writer.empty()) {
        reads.source_tasks.push_back(writer);
      }
    }
    once(reads.source_tasks);
  }

  // Schema and alias, as dbt's own macro makes them, or the project's generate_schema_name.
  void name_tables() {
    std::map<std::string, std::string> taken;
    for (auto& [name, node] : project_.nodes) {
      node.table.name = node.config.alias.empty() ? name : node.config.alias;
      node.table.schema = schema_of(node);
      if (node.config.materialized == "ephemeral") {
        continue;
      }
      auto [other, fresh] = taken.try_emplace(engine::fold(to_text(node.table)), node.path);
      if (!fresh) {
        mistake(Place{node.path}, fmt::format("writes the table {}, and so does {}; give one an alias",
                                              to_text(node.table), other->second));
      }
      for (const SourceTables& source : project_.sources) {
        if (source.name == node.name) {
          continue;  // told already
        }
        for (const auto& table : source.writes) {
          if (engine::fold(to_text(table)) == engine::fold(to_text(node.table))) {
            mistake(Place{node.path},
                    fmt::format("writes the table {}, and so does source '{}'; rename one of them",
                                to_text(table), source.name));
          }
        }
      }
    }
  }

  std::string schema_of(const Node& node) {
    if (project_.macros.contains("generate_schema_name")) {
      jinja::Arguments arguments;
      arguments.positional = {node.config.schema.empty() ? Value() : Value(node.config.schema)};
      arguments.positional.push_back(Value::object({node.name, {{"name", Value(node.name)}}, {}}));
      Diagnostic wrong;
      RenderRequest request{.node = &node};
      auto made = call_macro(project_, "generate_schema_name", arguments, request, wrong);
      if (made) {
        return jinja::strip(made->text(), " \t\r\n", true, true);
      }
      diagnostics_.push_back(wrong);
    }
    return node.config.schema.empty() ? "public" : "public_" + node.config.schema;
  }

  Status read_singular_tests() {
    TARN_TRY(auto paths, find(project_.settings.test_paths, ".sql"));
    for (const std::string& path : paths) {
      bool generic = std::any_of(project_.settings.test_paths.begin(), project_.settings.test_paths.end(),
                                 [&](const std::string& folder) { return below(path, folder + "/generic"); });
      if (generic) {
        continue;
      }
      TARN_TRY(auto text, read_template(path));
      if (!text) {
        continue;
      }
      DataTest test;
      test.name = stem_of(path);
      test.path = path;
      test.place = Place{path};
      test.text = text;
      if (auto found = found_.singular.find(test.name); found != found_.singular.end()) {
        test.items = found->second;
        found_.singular.erase(found);
      }
      found_.tests.push_back(std::move(test));
    }
    for (const auto& entry : found_.singular) {
      mistake(Place{}, fmt::format("there is no test file tests/{}.sql, which a properties file configures",
                                   entry.first));
    }
    return ok();
  }

  // dbt's names: unique_orders_id, accepted_values_orders_status__placed__shipped.
  void name_tests() {
    std::set<std::string> taken;
    for (DataTest& test : found_.tests) {
      if (test.generic.empty() && !test.name.empty()) {
        taken.insert(test.name);
      }
    }
    for (DataTest& test : found_.tests) {
      if (test.generic.empty()) {
        continue;
      }
      if (test.name.empty()) {
        std::string raw = test.generic + "_" + (test.on.empty() ? "source_" + test.table.name : test.on) +
                          "_" + test.column;
        for (const auto& [key, value] : test.arguments) {
          if (key != "column_name") {
            raw += "__" + value.text();
          }
        }
        for (char c : raw) {
          bool word = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
          test.name += word ? c : '_';
        }
        test.name = test.name.substr(0, 100);
      }
      std::string base = test.name;
      for (int i = 2; taken.contains(test.name) || project_.nodes.contains(test.name); ++i) {
        test.name = fmt::format("{}_{}", base, i);
      }
      taken.insert(test.name);
    }
  }

  void read_test_reads() {
    ConfigItems all = tree_items(project_, project_.settings.tests, NodeKind::kTest, {project_.settings.name},
                                 diagnostics_);
    for (DataTest& test : found_.tests) {
      if (!test.on.empty() && !project_.nodes.contains(test.on)) {
        continue;  // disabled, or told already
      }
      jinja::Members configured;
      Diagnostic wrong;
      RenderRequest request{.test = &test, .reads = &test.reads, .configured = &configured};
      bool good = true;
      if (test.text && !render(project_, *test.text, request, wrong)) {
        good = false;
        tell_all(*test.text, request, wrong);
      }
      ConfigItems items = all;
      merge(items, test.items);
      for (const auto& [key, value] : configured) {
        ConfigItems one;
        one[key] = {value, place_of_config(*test.text, key)};
        merge(items, one);
      }
      test.items = std::move(items);
      test.config = decode(test.items, NodeKind::kTest, diagnostics_);
      if (good && !test.text && test.config.enabled) {
        good = generic_test_sql(project_, test, request, wrong).has_value();
        if (!good) {
          diagnostics_.push_back(wrong);
        }
      }
      if (good && test.config.enabled) {
        tidy(test.reads);
        project_.tests.push_back(std::move(test));
      }
    }
  }

  ModelProject& project_;
  FileSystem& files_;
  const project::Project& config_;
  const engine::LakeVersion* const lake_;  // may be null
  Diagnostics& diagnostics_;
  PropertiesFound found_;
};

}  // namespace

Result<std::shared_ptr<const ModelProject>> load(Env& env, const project::Project& project,
                                                 const LoadOptions& options, Diagnostics& diagnostics) {
  auto made = std::make_shared<ModelProject>();
  made->env = &env;
  made->root = project.root;
  made->data_folder = project.data_folder;
  made->target_name = options.target_name;
  made->sources = options.sources;
  for (const auto& attachment : project.attachments) {
    made->attachments[attachment.name] = project::default_schema(attachment);
  }
  TARN_CHECK(Loader(*made, *env.files, project, options.lake.get(), diagnostics).run());
  return std::shared_ptr<const ModelProject>(std::move(made));
}

const Node* ModelProject::find(const std::string& name) const {
  auto found = nodes.find(name);
  return found == nodes.end() ? nullptr : &found->second;
}

std::string ModelProject::writer_of(const engine::TableName& table) const {
  std::string wanted = engine::fold(to_text(table));
  for (const SourceTables& source : sources) {
    for (const auto& written : source.writes) {
      if (engine::fold(to_text(written)) == wanted) {
        return source.name;
      }
    }
  }
  return "";
}

std::string to_text(const engine::TableName& table) {
  return table.schema + "." + table.name;
}

}  // namespace tarn::model
