// The graph: who runs before whom, cycles told with their way, and where each data test runs.
#include <algorithm>

#include <fmt/format.h>

#include "model/load.h"

namespace tarn::model {
namespace {

void add(std::vector<std::string>& list, const std::string& name) {
  if (std::find(list.begin(), list.end(), name) == list.end()) {
    list.push_back(name);
  }
}

class Linker {
 public:
  Linker(ModelProject& project, Diagnostics& diagnostics) : project_(project), diagnostics_(diagnostics) {}

  void run() {
    refuse_disabled();
    if (find_cycles()) {
      return;
    }
    for (auto& [name, node] : project_.nodes) {
      std::set<std::string> seen;
      tasks_of(node.reads, node.upstream, seen);
    }
    for (size_t i = 0; i < project_.tests.size(); ++i) {
      place_test(i);
    }
    hold_back();
  }

 private:
  enum class Mark { kNone, kOpen, kDone };

  void refuse_disabled() {
    for (const auto& [name, node] : project_.nodes) {
      for (const std::string& ref : node.reads.refs) {
        if (project_.disabled.contains(ref)) {
          diagnostics_.push_back(
              {Place{node.path},
               fmt::format("reads '{}', which is disabled; enable it or take the ref out", ref)});
        }
      }
    }
  }

  bool find_cycles() {
    size_t before = diagnostics_.size();
    std::map<std::string, Mark> marks;
    std::vector<std::string> way;
    for (const auto& entry : project_.nodes) {
      visit(entry.first, marks, way);
    }
    return diagnostics_.size() != before;
  }

  void visit(const std::string& name, std::map<std::string, Mark>& marks, std::vector<std::string>& way) {
    const Node* node = project_.find(name);
    if (node == nullptr || marks[name] == Mark::kDone) {
      return;
    }
    if (marks[name] == Mark::kOpen) {
      auto begin = std::find(way.begin(), way.end(), name);
      std::vector<std::string> loop(begin, way.end());
      loop.push_back(name);
      diagnostics_.push_back(
          {Place{node->path},
           fmt::format("models read each other in a circle: {}; take one ref out", fmt::join(loop, " -> "))});
      return;
    }
    marks[name] = Mark::kOpen;
    way.push_back(name);
    for (const std::string& ref : node->reads.refs) {
      visit(ref, marks, way);
    }
    way.pop_back();
    marks[name] = Mark::kDone;
  }

  // Tasks behind what is read: an ephemeral model stands for what it reads itself.
  void tasks_of(const Reads& reads, std::vector<std::string>& tasks, std::set<std::string>& seen) const {
    for (const std::string& ref : reads.refs) {
      const Node* node = project_.find(ref);
      if (node == nullptr || !seen.insert(ref).second) {
        continue;
      }
      if (node->config.materialized == "ephemeral") {
        tasks_of(node->reads, tasks, seen);
      } else {
        add(tasks, ref);
      }
    }
    for (const std::string& source : reads.source_tasks) {
      add(tasks, source);
    }
  }

  // All tasks that run before `name`, through sources too.
  const std::set<std::string>& before(const std::string& name) {
    auto known = before_.find(name);
    if (known != before_.end()) {
      return known->second;
    }
    std::set<std::string> all;
    before_[name];  // ends a circle that goes through a source
    std::vector<std::string> direct;
    if (const Node* node = project_.find(name)) {
      direct = node->upstream;
    } else {
      for (const SourceTables& source : project_.sources) {
        if (source.name == name) {
          direct = source.after;
        }
      }
    }
    for (const std::string& one : direct) {
      all.insert(one);
      const auto& more = before(one);
      all.insert(more.begin(), more.end());
    }
    return before_[name] = std::move(all);
  }

  std::vector<std::string> parents_of(const DataTest& test) const {
    std::vector<std::string> tasks;
    std::set<std::string> seen;
    tasks_of(test.reads, tasks, seen);
    return tasks;
  }

  // Into the transaction of the one model after which all else that it reads has run; else a task of its own.
  void place_test(size_t index) {
    DataTest& test = project_.tests[index];
    std::vector<std::string> parents = parents_of(test);
    for (const std::string& candidate : parents) {
      const auto& earlier = before(candidate);
      bool last = std::all_of(parents.begin(), parents.end(), [&](const std::string& other) {
        return other == candidate || earlier.contains(other);
      });
      auto node = project_.nodes.find(candidate);
      if (last && node != project_.nodes.end()) {
        test.home = candidate;
        node->second.tests.push_back(index);
        return;
      }
    }
  }

  // What comes after all that a stand-alone test reads waits for the test, as `dbt build` does.
  void hold_back() {
    std::vector<std::pair<std::string, std::string>> edges;
    for (const DataTest& test : project_.tests) {
      std::vector<std::string> parents = parents_of(test);
      if (!test.home.empty() || parents.empty() || test.config.severity == "warn") {
        continue;
      }
      for (const auto& [name, node] : project_.nodes) {
        const auto& earlier = before(name);
        bool after_all = std::all_of(parents.begin(), parents.end(),
                                     [&](const std::string& parent) { return earlier.contains(parent); });
        if (after_all && node.config.materialized != "ephemeral") {
          edges.emplace_back(name, test.name);
        }
      }
    }
    for (const auto& [name, test] : edges) {
      add(project_.nodes.at(name).upstream, test);
    }
  }

  ModelProject& project_;
  Diagnostics& diagnostics_;
  std::map<std::string, std::set<std::string>> before_;
};

}  // namespace

void link(ModelProject& project, Diagnostics& diagnostics) {
  Linker(project, diagnostics).run();
}

}  // namespace tarn::model
