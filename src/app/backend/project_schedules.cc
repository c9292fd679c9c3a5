#include "app/backend/project_schedules.h"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "codec/text_distance.h"
#include "flow/selection.h"

namespace tarn::app {
namespace {

// What `after` may name of each schedule's run: its tasks, and their tables.
using Products = std::vector<std::set<std::string>>;

std::set<std::string> table_names(const flow::Task& task) {
  std::set<std::string> names;
  for (const auto& table : task.writes())
    names.insert(engine::fold(table));
  return names;
}

std::set<std::string> products_of(const ProjectPlan& plan, const flow::Schedule& schedule,
                                  Diagnostics& mistakes) {
  std::set<std::string> products;
  const auto names = select_names(plan, schedule.run, schedule.exclude);
  if (!names) {
    mistakes.push_back(
        {schedule.place, fmt::format("schedule {}: {}", schedule.name, names.error().message)});
    return products;
  }
  if (names->empty())
    mistakes.push_back({schedule.place, fmt::format("schedule {} selects nothing", schedule.name)});
  for (const auto& task : plan.tasks) {
    if (!names->contains(task->name()))
      continue;
    products.insert(task->name());
    products.merge(table_names(*task));
  }
  return products;
}

std::string folded_table(const std::string& name) {
  return name.find('.') == std::string::npos ? name : engine::fold(name);
}

void check_after(const ProjectPlan& plan, const flow::Schedule& schedule,
                 const std::function<bool(const std::string&)>& is_table, Diagnostics& mistakes) {
  std::set<std::string> known;
  for (const auto& task : plan.tasks) {
    known.insert(task->name());
    known.merge(table_names(*task));
  }
  for (const auto& name : schedule.after) {
    if (known.contains(folded_table(name)) || (is_table && is_table(name)))
      continue;
    const auto near = codec::nearest(name, std::vector<std::string>(known.begin(), known.end()));
    mistakes.push_back(
        {schedule.after_place,
         fmt::format("schedule {}: there is no task or table '{}'{}", schedule.name, name,
                     near.empty() ? std::string("; write a task's name, or schema.table of a table")
                                  : fmt::format(": did you mean '{}'?", near))});
  }
}

// Schedules that the end of this one's run starts.
std::vector<size_t> started_by(const std::vector<flow::Schedule>& schedules,
                               const std::set<std::string>& products) {
  std::vector<size_t> started;
  for (size_t i = 0; i < schedules.size(); ++i) {
    const auto& after = schedules[i].after;
    if (std::any_of(after.begin(), after.end(),
                    [&](const auto& name) { return products.contains(folded_table(name)); }))
      started.push_back(i);
  }
  return started;
}

// A circle through `start`, as names; empty: there is none.
std::string circle_of(const std::vector<flow::Schedule>& schedules,
                      const std::vector<std::vector<size_t>>& edges, size_t start) {
  std::map<size_t, size_t> came_from;
  std::vector<size_t> open = {start};
  while (!open.empty()) {
    const auto at = open.back();
    open.pop_back();
    for (const auto next : edges[at]) {
      if (next == start) {
        auto text = schedules[start].name;
        for (auto back = at; back != start; back = came_from.at(back))
          text = schedules[back].name + " -> " + text;
        return schedules[start].name + " -> " + text;
      }
      if (came_from.emplace(next, at).second)
        open.push_back(next);
    }
  }
  return "";
}

void check_circles(const std::vector<flow::Schedule>& schedules, const Products& products,
                   Diagnostics& mistakes) {
  std::vector<std::vector<size_t>> edges;
  edges.reserve(products.size());
  for (const auto& one : products)
    edges.push_back(started_by(schedules, one));
  for (size_t i = 0; i < schedules.size(); ++i) {
    if (schedules[i].after.empty())
      continue;
    const auto circle = circle_of(schedules, edges, i);
    if (circle.empty())
      continue;
    mistakes.push_back({schedules[i].after_place,
                        fmt::format("schedule {} would start itself again for ever: {}; take a name out of "
                                    "'after', or tasks out of 'run'",
                                    schedules[i].name, circle)});
    return;  // the others of the circle would say the same
  }
}

}  // namespace

flow::SchedulePlan schedules_of(const ProjectPlan& plan,
                                const std::function<bool(const std::string&)>& is_table) {
  flow::SchedulePlan found;
  const auto& project = plan.sources->project();
  found.schedules = flow::read_schedules(project.schedules, found.mistakes);
  for (const auto& config : plan.sources->configs()) {
    if (config->schedule && !config->broken)
      found.schedules.push_back(*config->schedule);
  }
  const auto zone = TimeZone::find(project.time_zone).value_or(TimeZone());
  std::map<std::string, Place> places;
  Products products;
  for (auto& schedule : found.schedules) {
    if (!schedule.zone)
      schedule.zone = zone;
    const auto [other, fresh] = places.emplace(schedule.name, schedule.place);
    if (!fresh) {
      found.mistakes.push_back(
          {other->second, fmt::format("a schedule named {} stands in {}, too: a source's schedule has the "
                                      "source's name; choose another one here",
                                      schedule.name, to_string(schedule.place))});
    }
    products.push_back(products_of(plan, schedule, found.mistakes));
    check_after(plan, schedule, is_table, found.mistakes);
  }
  if (found.mistakes.empty())
    check_circles(found.schedules, products, found.mistakes);
  return found;
}

}  // namespace tarn::app
