#include "flowfile/flow_file.h"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "codec/scalar_place.h"
#include "codec/text_distance.h"
#include "flowfile/task_file.h"

namespace tarn::flowfile {
namespace {

using codec::YamlNode;
using codec::YamlReader;

constexpr size_t kTasksMax = 1000;

std::string did_you_mean(const std::string& wrong, const std::vector<std::string>& known,
                         std::string otherwise) {
  const auto near = codec::nearest(wrong, known);
  return near.empty() ? std::move(otherwise) : fmt::format("did you mean '{}'?", near);
}

class FlowReader {
 public:
  FlowReader(FlowConfig& flow, Diagnostics& found) : flow_(flow), found_(found) {}

  void read(const YamlNode& node) {
    YamlReader reader(node, "the flow", found_);
    flow_.title = reader.text("title", flow_.name);
    flow_.description = reader.text("description");
    const bool in_sequence = reader.boolean("in_sequence", false);
    if (const auto at_once = reader.integer("at_once")) {
      if (*at_once < 1 || *at_once > 64)
        reader.mistake(*node.find("at_once"), fmt::format("at_once {} is not between 1 and 64", *at_once));
      else
        flow_.at_once = static_cast<int>(*at_once);
    }
    if (const auto* parameters = reader.child("parameters"))
      flow_.parameters = report::read_parameters(*parameters, found_);
    read_tasks(reader, node);
    reader.finish();
    if (in_sequence)
      put_in_sequence();
    check_names();
    check_order();
    if (!has_circle_)
      check_references();
  }

 private:
  void tell(const Place& place, std::string message) { found_.push_back({place, std::move(message)}); }

  void read_tasks(YamlReader& reader, const YamlNode& node) {
    const auto* tasks = reader.child("tasks");
    const bool any = tasks != nullptr && tasks->kind == YamlNode::Kind::kMap && !tasks->entries.empty();
    if (!any)
      return reader.mistake(tasks != nullptr ? *tasks : node,
                            "a flow needs tasks: a map of names, e.g. 'tasks: {fetch: {run: [raw_bars+]}}'");
    if (tasks->entries.size() > kTasksMax)
      return reader.mistake(*tasks, fmt::format("a flow has at most {} tasks", kTasksMax));
    for (const auto& entry : tasks->entries)
      flow_.tasks.push_back(read_task(entry, flow_.file.text, found_));
  }

  void put_in_sequence() {
    for (size_t i = 1; i < flow_.tasks.size(); ++i) {
      if (flow_.tasks[i].after.empty())
        flow_.tasks[i].after.push_back({flow_.tasks[i - 1].name, flow_.tasks[i].place});
    }
  }

  void check_names() {
    for (const auto& parameter : flow_.parameters) {
      if (is_reserved(parameter.name))
        tell(parameter.place, fmt::format("a parameter cannot be named '{}'", parameter.name));
    }
    for (const auto& task : flow_.tasks) {
      if (!is_name(task.name) || is_reserved(task.name))
        tell(task.place, fmt::format("'{}' cannot be a task's name: letters, digits and underscores, not a "
                                     "digit first, and not row or run",
                                     task.name));
    }
  }

  void check_order() {
    std::vector<std::string> names;
    for (const auto& task : flow_.tasks)
      names.push_back(task.name);
    for (const auto& task : flow_.tasks) {
      for (const auto& before : task.after) {
        if (std::find(names.begin(), names.end(), before.name) == names.end())
          tell(before.place,
               fmt::format("there is no task '{}' in this flow: {}", before.name,
                           did_you_mean(before.name, names,
                                        fmt::format("its tasks are {}", fmt::join(names, ", ")))));
      }
      if (task.after.empty() && task.join != flow::Join::kAllDone)
        tell(task.place,
             fmt::format("task {} has if_before, but comes after nothing: name tasks in 'after'", task.name));
    }
    for (const auto& task : flow_.tasks) {
      const auto circle = circle_of(task);
      if (circle.empty())
        continue;
      has_circle_ = true;
      tell(task.after.front().place,
           fmt::format("these tasks wait for each other, so none can start: {}; take a name out of 'after'",
                       circle));
      return;  // the others of the circle would say the same
    }
  }

  // "a -> b -> a"; empty: none goes through it.
  std::string circle_of(const TaskConfig& start) const {
    std::map<std::string, std::string> came_from;
    std::vector<const TaskConfig*> open = {&start};
    while (!open.empty()) {
      const auto* at = open.back();
      open.pop_back();
      for (const auto& before : at->after) {
        if (before.name == start.name) {
          auto text = start.name;
          for (auto back = at->name; back != start.name; back = came_from.at(back))
            text = back + " -> " + text;
          return start.name + " -> " + text;
        }
        const auto* next = flow_.find(before.name);
        if (next != nullptr && came_from.emplace(next->name, at->name).second)
          open.push_back(next);
      }
    }
    return "";
  }

  void check_references() {
    for (const auto& task : flow_.tasks) {
      const auto before = flow_.all_before(task);
      const bool has_rows = !task.for_each.text.empty();
      for_each_text(task, [&](const Text& text) {
        for (const auto& piece : text.pieces) {
          if (piece.reference)
            check_reference(
                *piece.reference, before, has_rows,
                codec::place_inside(flow_.file.text, text.place, text.text, piece.reference->offset));
        }
      });
      check_sql(task.sql, before, has_rows);
      check_sql(task.when, before, false);
      check_sql(task.for_each, before, false);
    }
  }

  void check_sql(const report::Query& query, const std::vector<std::string>& before, bool has_rows) {
    std::map<std::string, std::string> shown;  // by the engine's name
    for (const auto& parameter : flow_.parameters)
      shown[parameter.name] = parameter.name;
    for (const auto& reference : parse_sql(query.text).references) {
      const auto place = codec::place_inside(flow_.file.text, query.place, query.text, reference.offset);
      check_reference(reference, before, has_rows, place);
      const auto name = parameter_name(reference);
      const auto [known, fresh] = shown.emplace(name, reference.shown());
      if (!fresh && known->second != reference.shown())
        tell(place, fmt::format("${} and ${} are one name to the engine ({}): rename one of them",
                                reference.shown(), known->second, name));
    }
  }

  void check_reference(const Reference& reference, const std::vector<std::string>& before, bool has_rows,
                       const Place& place) {
    const auto& name = reference.name;
    if (reference.kind == Reference::Kind::kParameter) {
      std::vector<std::string> names;
      for (const auto& parameter : flow_.parameters)
        names.push_back(parameter.name);
      if (std::find(names.begin(), names.end(), name) == names.end())
        tell(place, fmt::format("there is no parameter '{}': {}", name,
                                flow_.find(name) != nullptr
                                    ? fmt::format("of the result of task {0} write {0}.FIELD", name)
                                    : did_you_mean(name, names, "declare it under parameters")));
    } else if (reference.kind == Reference::Kind::kRow) {
      if (!has_rows)
        tell(place, fmt::format("{} is a column of for_each, which is not known here", reference.shown()));
    } else if (reference.kind == Reference::Kind::kRun) {
      static const std::vector<std::string> kFields = {"id", "schedule", "due_at", "started_at"};
      if (std::find(kFields.begin(), kFields.end(), reference.field) == kFields.end())
        tell(place,
             fmt::format("run has no '{}': it has id, schedule, due_at and started_at", reference.field));
    } else if (reference.kind == Reference::Kind::kResult) {
      check_result(reference, before, place);
    }
  }

  void check_result(const Reference& reference, const std::vector<std::string>& before, const Place& place) {
    const auto& name = reference.name;
    if (std::find(before.begin(), before.end(), name) != before.end())
      return;
    std::vector<std::string> names;
    for (const auto& task : flow_.tasks)
      names.push_back(task.name);
    const bool exists = std::find(names.begin(), names.end(), name) != names.end();
    tell(place, exists ? fmt::format("the result of {0} is not there yet: write {0} into 'after'", name)
                       : fmt::format("there is no task '{}': {}", name,
                                     did_you_mean(name, names, "its result cannot be used")));
  }

  FlowConfig& flow_;
  Diagnostics& found_;
  bool has_circle_ = false;
};

}  // namespace

std::string_view name_of(Kind kind) {
  switch (kind) {
    case Kind::kRun: return "run";
    case Kind::kSql: return "sql";
    case Kind::kReport: return "report";
    case Kind::kHttp: return "http";
    case Kind::kScript: return "script";
  }
  return "";
}

const TaskConfig* FlowConfig::find(std::string_view task) const {
  const auto found =
      std::find_if(tasks.begin(), tasks.end(), [&](const auto& one) { return one.name == task; });
  return found == tasks.end() ? nullptr : &*found;
}

std::vector<std::string> FlowConfig::all_before(const TaskConfig& task) const {
  std::set<std::string> names;
  std::vector<const TaskConfig*> open = {&task};
  while (!open.empty()) {
    const auto* at = open.back();
    open.pop_back();
    for (const auto& before : at->after) {
      const auto* next = find(before.name);
      if (next != nullptr && names.insert(next->name).second)
        open.push_back(next);
    }
  }
  return {names.begin(), names.end()};
}

std::shared_ptr<const FlowConfig> read_flow(std::string_view text, const std::string& path,
                                            Diagnostics& diagnostics) {
  auto flow = project::read_named<FlowConfig>(
      {path, std::string(text)}, diagnostics,
      [](const auto& node, auto& config, auto& found) { FlowReader(config, found).read(node); });
  if (flow->name.find_first_of(" \t,:+@/?#%[]") != std::string::npos) {
    diagnostics.push_back({Place{.file = path}, fmt::format("the flow's name '{}' may not have blanks and "
                                                            "none of , : + @ ? # % [ ]: rename the file",
                                                            flow->name)});
    flow->broken = true;
  }
  return flow;
}

}  // namespace tarn::flowfile
