// models/*.yml: descriptions, configuration, columns, data tests; and which tables are sources.
#include <algorithm>

#include <fmt/format.h>

#include "codec/text_distance.h"
#include "model/generic_check.h"
#include "model/load.h"
#include "model/render.h"

namespace tarn::model {
namespace {

using codec::YamlNode;
using codec::YamlReader;
using jinja::Value;

// Reads one file; the project gets the sources, `found_` the rest.
class PropertiesReader {
 public:
  PropertiesReader(ModelProject& project, const std::string& file, PropertiesFound& found,
                   Diagnostics& diagnostics)
      : project_(project), file_(file), found_(found), diagnostics_(diagnostics) {}

  void run(const YamlNode& root) {
    YamlReader reader(root, "the file", diagnostics_);
    each(reader, "models", [&](const YamlNode& one) { node(one, NodeKind::kModel); });
    each(reader, "seeds", [&](const YamlNode& one) { node(one, NodeKind::kSeed); });
    each(reader, "sources", [&](const YamlNode& one) { source(one); });
    each(reader, "data_tests", [&](const YamlNode& one) { singular(one); });
    each(reader, "tests", [&](const YamlNode& one) { singular(one); });
    // Documentation, and what other parts of dbt use.
    for (const std::string_view key : {"version", "macros", "exposures", "metrics", "groups",
                                       "semantic_models", "saved_queries", "analyses", "anchors"}) {
      (void)reader.child(key);
    }
    for (const std::string_view key : {"unit_tests", "snapshots"}) {
      if (const YamlNode* node = reader.child(key)) {
        mistake(node->place, fmt::format("'{}' are not supported yet; take them out", key));
      }
    }
    reader.finish();
  }

 private:
  void mistake(const Place& place, std::string message) {
    diagnostics_.push_back({place, std::move(message)});
  }

  template <class Work>
  void each(YamlReader& reader, std::string_view key, Work work) {
    const YamlNode* list = reader.child(key);
    if (list == nullptr || list->kind == YamlNode::Kind::kNull) {
      return;
    }
    if (list->kind != YamlNode::Kind::kSequence) {
      mistake(list->place, fmt::format("'{}' must be a list; begin each member with '- name: …'", key));
      return;
    }
    for (const YamlNode& one : list->items) {
      work(one);
    }
  }

  Result<Value> value(const YamlNode& node) {
    return value_of(node, [this](const std::string& text, const Place& place) {
      return render_yaml_text(project_, text, place);
    });
  }

  void add_item(ConfigItems& items, const std::string& key, const YamlNode& node) {
    auto made = value(node);
    if (made) {
      ConfigItems one;
      one[key] = {*made, node.place};
      merge(items, one);
    } else {
      mistake(node.place, made.error().message);
    }
  }

  void config(const YamlNode* node, ConfigItems& items) {
    if (node == nullptr || node->kind == YamlNode::Kind::kNull) {
      return;
    }
    if (node->kind != YamlNode::Kind::kMap) {
      mistake(node->place, "'config' must be a map of keys and values");
      return;
    }
    for (const auto& entry : node->entries) {
      std::string key = entry.key.starts_with('+') ? entry.key.substr(1) : entry.key;
      std::replace(key.begin(), key.end(), '-', '_');
      add_item(items, key, entry.value);
    }
  }

  void node(const YamlNode& map, NodeKind kind) {
    YamlReader reader(map, fmt::format("a {}", name_of(kind)), diagnostics_);
    Properties one{
        .place = map.place, .file = file_, .description = "", .kind = kind, .items = {}, .columns = {}};
    std::string name = reader.required_text("name");
    one.description = reader.text("description");
    config(reader.child("config"), one.items);
    if (const YamlNode* tags = reader.child("tags")) {
      add_item(one.items, "tags", *tags);
    }
    for (const std::string_view key : {"docs", "meta", "access", "group", "latest_version", "time_spine"}) {
      (void)reader.child(key);
    }
    for (const std::string_view key : {"versions", "constraints"}) {
      if (const YamlNode* unsupported = reader.child(key)) {
        mistake(unsupported->place, fmt::format("'{}' is not supported yet; take it out", key));
      }
    }
    DataTest base;
    base.on = name;
    each(reader, "columns", [&](const YamlNode& column) { one.columns.push_back(column_of(column, base)); });
    tests_of(reader, base);
    reader.finish();
    if (name.empty()) {
      return;
    }
    auto [known, fresh] = found_.nodes.try_emplace(name, std::move(one));
    if (!fresh) {
      mistake(map.place, fmt::format("'{}' is described already at {}; keep one of them", name,
                                     to_string(known->second.place)));
    }
  }

  ColumnFacts column_of(const YamlNode& map, DataTest base) {
    YamlReader reader(map, "a column", diagnostics_);
    ColumnFacts column;
    column.name = reader.required_text("name");
    column.description = reader.text("description");
    column.data_type = reader.text("data_type");
    for (const std::string_view key : {"quote", "tags", "meta", "config", "granularity", "docs"}) {
      (void)reader.child(key);
    }
    if (const YamlNode* unsupported = reader.child("constraints")) {
      mistake(unsupported->place, "'constraints' are not supported yet; use data_tests");
    }
    base.column = column.name;
    tests_of(reader, base);
    reader.finish();
    return column;
  }

  void tests_of(YamlReader& reader, const DataTest& base) {
    each(reader, "data_tests", [&](const YamlNode& one) { test(one, base); });
    each(reader, "tests", [&](const YamlNode& one) { test(one, base); });
  }

  // "unique", or {accepted_values: {values: [a]}}, or {test_name: unique, config: …}.
  void test(const YamlNode& node, DataTest made) {
    made.place = node.place;
    made.path = file_;
    const YamlNode* body = nullptr;
    if (node.kind == YamlNode::Kind::kScalar) {
      made.generic = node.text;
    } else if (node.kind == YamlNode::Kind::kMap && !node.entries.empty()) {
      const YamlNode* named = node.find("test_name");
      made.generic = named != nullptr ? named->text : node.entries.front().key;
      body = named != nullptr ? &node : &node.entries.front().value;
      if (named == nullptr && node.entries.size() > 1) {
        // "- unique:\n  config: …": the keys beside the name, a mistake in indentation that dbt accepts.
        for (size_t i = 1; i < node.entries.size(); ++i) {
          test_key(node.entries[i].key, node.entries[i].value, made);
        }
      }
    } else {
      mistake(node.place,
              "a test must be a name such as 'unique', or a map such as {accepted_values: {values: [a]}}");
      return;
    }
    if (body != nullptr && body->kind == YamlNode::Kind::kMap) {
      for (const auto& entry : body->entries) {
        test_key(entry.key, entry.value, made);
      }
    }
    std::vector<std::string> known;
    if (!is_generic_test(project_, made.generic, known)) {
      mistake(node.place, unknown_test(made.generic, known));
      return;
    }
    size_t before = diagnostics_.size();
    check_arguments(project_, made, diagnostics_);
    if (diagnostics_.size() == before) {
      found_.tests.push_back(std::move(made));
    }
  }

  static std::string unknown_test(const std::string& name, const std::vector<std::string>& known) {
    if (size_t dot = name.find('.'); dot != std::string::npos) {
      return fmt::format(
          "the package '{}' is not installed; copy its macro as {{% test {}(model, …) %}} into "
          "tests/generic and write '{}' here",
          name.substr(0, dot), name.substr(dot + 1), name.substr(dot + 1));
    }
    std::string near = codec::nearest(name, known);
    return near.empty() ? fmt::format(
                              "there is no test '{}'; known are {}; your own is a macro {{% test {}(model, "
                              "column_name) %}} in tests/generic",
                              name, fmt::join(known, ", "), name)
                        : fmt::format("there is no test '{}': did you mean '{}'?", name, near);
  }

  void test_key(const std::string& key, const YamlNode& node, DataTest& made) {
    if (key == "config") {
      config(&node, made.items);
    } else if (key == "arguments" && node.kind == YamlNode::Kind::kMap) {
      for (const auto& entry : node.entries) {
        test_key(entry.key, entry.value, made);
      }
    } else if (key == "name") {
      made.name = node.text;
    } else if (key == "test_name" || key == "description" || key == "meta") {
      return;
    } else if (key == "severity" || key == "where" || key == "limit" || key == "warn_if" ||
               key == "error_if" || key == "tags" || key == "enabled" || key == "store_failures") {
      add_item(made.items, key, node);
    } else {
      auto given = value(node);
      if (!given) {
        mistake(node.place, given.error().message);
        return;
      }
      if (key == "column_name") {
        made.column = given->text();
      }
      made.arguments.emplace_back(key, *given);
    }
  }

  void source(const YamlNode& map) {
    YamlReader reader(map, "a source", diagnostics_);
    std::string group = reader.required_text("name");
    // dbt's default schema is the source's name; Tarn's sources write to "public".
    // One in a database of others is named as tarn.yml attaches it; dbt's other databases mean nothing here.
    const auto attachment = project_.attachments.find(reader.text("database"));
    const bool outside = attachment != project_.attachments.end();
    DeclaredSource where;
    where.database = outside ? attachment->first : "";
    where.table.schema = reader.text("schema", outside ? attachment->second : "public");
    for (const std::string_view key : {"description", "loader", "tags", "meta", "config", "quoting",
                                       "freshness", "loaded_at_field", "overrides"}) {
      (void)reader.child(key);
    }
    each(reader, "tables", [&](const YamlNode& table) { source_table(table, group, where); });
    reader.finish();
  }

  void source_table(const YamlNode& map, const std::string& group, DeclaredSource declared) {
    YamlReader reader(map, "a table of a source", diagnostics_);
    std::string name = reader.required_text("name");
    declared.place = map.place;
    declared.description = reader.text("description");
    declared.table.name = reader.text("identifier", name);
    for (const std::string_view key :
         {"loaded_at_field", "freshness", "tags", "meta", "config", "quoting", "external", "docs"}) {
      (void)reader.child(key);
    }
    DataTest base;
    base.table = declared.table;
    base.database = declared.database;
    each(reader, "columns", [&](const YamlNode& column) { (void)column_of(column, base); });
    tests_of(reader, base);
    reader.finish();
    auto [known, fresh] = project_.declared.try_emplace({group, name}, declared);
    if (!fresh) {
      mistake(map.place, fmt::format("source '{}' has the table '{}' already at {}", group, name,
                                     to_string(known->second.place)));
    }
  }

  void singular(const YamlNode& map) {
    YamlReader reader(map, "a test", diagnostics_);
    std::string name = reader.required_text("name");
    (void)reader.child("description");
    ConfigItems items;
    config(reader.child("config"), items);
    reader.finish();
    found_.singular[name] = std::move(items);
  }

  ModelProject& project_;
  const std::string& file_;
  PropertiesFound& found_;
  Diagnostics& diagnostics_;
};

}  // namespace

void read_properties(ModelProject& project, const YamlNode& root, const std::string& file,
                     PropertiesFound& found, Diagnostics& diagnostics) {
  if (root.kind != YamlNode::Kind::kNull) {
    PropertiesReader(project, file, found, diagnostics).run(root);
  }
}

}  // namespace tarn::model
