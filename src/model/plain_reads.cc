// What SQL reads without ref() and source(): tables named in full, views and macros of the lake, attachments.
#include <algorithm>

#include <fmt/format.h>

#include "engine/lake_reads.h"
#include "engine/parse.h"
#include "model/load.h"
#include "model/render.h"

namespace tarn::model {
namespace {

using Names = std::set<std::string>;

std::string key_of(const engine::TableName& table) {
  return engine::fold(table.schema) + "." + engine::fold(table.name);
}

void add(std::vector<std::string>& list, const Names& more) {
  list.insert(list.end(), more.begin(), more.end());
  std::sort(list.begin(), list.end());
  list.erase(std::unique(list.begin(), list.end()), list.end());
}

class PlainReads {
 public:
  PlainReads(ModelProject& project, const engine::LakeVersion& lake) : project_(project), lake_(lake) {
    for (const auto& entry : project.attachments)
      attachments_.insert(entry.first);
    for (const auto& [name, node] : project.nodes) {
      if (node.config.materialized != "ephemeral")
        makers_[key_of(node.table)] = name;
    }
    for (const auto& source : project.sources) {
      for (const auto& table : source.writes) {
        if (project.nodes.contains(source.name)) {
          makers_.erase(key_of(table));  // two things of one name: a mistake that is told elsewhere
        } else {
          makers_.try_emplace(key_of(table), source.name);
        }
      }
    }
  }

  void run() {
    for (auto& [name, node] : project_.nodes) {
      if (!node.text || project_.broken.contains(name))
        continue;
      Found found;
      for (const bool incremental : {false, true}) {
        Diagnostic mistake;
        if (incremental && node.config.materialized != "incremental")
          break;
        if (const auto compiled = compile_node(project_, node, incremental, false, mistake))
          look(compiled->rendered.text, found);
      }
      found.makers.erase(name);  // its own former rows
      std::erase_if(found.makers, [&](const auto& maker) { return comes_after(maker.first, name); });
      take(found, node.reads);
    }
    for (auto& test : project_.tests) {
      Diagnostic mistake;
      Found found;
      if (const auto compiled = compile_test(project_, test, mistake))
        look(compiled->rendered.text, found);
      take(found, test.reads);
    }
  }

 private:
  struct Found {
    std::map<std::string, engine::TableName> makers;  // tasks, with the table that is read
    std::vector<engine::TableName> tables;            // of the lake, that no task makes
    Names outside;
  };

  // A text that is no SQL is told of elsewhere.
  void look(const std::string& sql, Found& found) {
    const auto statements = engine::parse(sql);
    if (!statements)
      return;
    const auto known = [&](const engine::TableName& name) {
      const auto maker = makers_.find(key_of(name));
      if (maker == makers_.end())
        return false;
      found.makers.try_emplace(maker->second, name);
      return true;
    };
    const auto reads = engine::lake_reads(lake_, *statements, {.databases = attachments_, .known = known});
    if (!reads)
      return;
    for (const auto& table : reads->tables)
      found.tables.push_back(table->name());
    for (const auto& other : reads->others) {
      const auto attachment = project_.attachments.find(other.database);
      if (attachment == project_.attachments.end())
        continue;
      const auto& schema = other.schema.empty() ? attachment->second : other.schema;
      found.outside.insert(fmt::format("{}.{}.{}", other.database, schema, other.name));
    }
  }

  void take(const Found& found, Reads& reads) {
    Names nodes, sources;
    for (const auto& [maker, table] : found.makers) {
      if (project_.nodes.contains(maker)) {
        nodes.insert(maker);
      } else {
        sources.insert(maker);
        reads.tables.push_back(table);
      }
    }
    add(reads.refs, nodes);
    add(reads.source_tasks, sources);
    add(reads.outside, found.outside);
    reads.tables.insert(reads.tables.end(), found.tables.begin(), found.tables.end());
    drop_twins(reads.tables);
  }

  // One way of writing a name is enough.
  static void drop_twins(std::vector<engine::TableName>& tables) {
    std::sort(tables.begin(), tables.end(), [](const auto& a, const auto& b) {
      return std::make_pair(key_of(a), a) < std::make_pair(key_of(b), b);
    });
    const auto same = [](const auto& a, const auto& b) { return key_of(a) == key_of(b); };
    tables.erase(std::unique(tables.begin(), tables.end(), same), tables.end());
  }

  // Does `task` wait for `other`, through models and sources?
  bool comes_after(const std::string& task, const std::string& other) const {
    Names seen;
    std::vector<std::string> todo = {task};
    while (!todo.empty()) {
      const auto one = std::move(todo.back());
      todo.pop_back();
      if (one == other)
        return true;
      if (seen.insert(one).second)
        put_upstream(one, todo);
    }
    return false;
  }

  void put_upstream(const std::string& task, std::vector<std::string>& out) const {
    if (const auto* node = project_.find(task)) {
      out.insert(out.end(), node->reads.refs.begin(), node->reads.refs.end());
      out.insert(out.end(), node->reads.source_tasks.begin(), node->reads.source_tasks.end());
      return;
    }
    for (const auto& source : project_.sources) {
      if (source.name != task)
        continue;
      out.insert(out.end(), source.after.begin(), source.after.end());
      for (const auto& table : source.reads) {
        if (const auto maker = makers_.find(engine::fold(table)); maker != makers_.end())
          out.push_back(maker->second);
      }
    }
  }

  ModelProject& project_;
  const engine::LakeVersion& lake_;
  Names attachments_;
  std::map<std::string, std::string> makers_;  // of tables, by folded name: models, seeds, sources
};

}  // namespace

void add_plain_reads(ModelProject& project, const engine::LakeVersion* lake) {
  const engine::LakeVersion nothing;
  PlainReads(project, lake == nullptr ? nothing : *lake).run();
}

}  // namespace tarn::model
