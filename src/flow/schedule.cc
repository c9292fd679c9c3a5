#include "flow/schedule.h"

#include <fmt/format.h>

#include "base/time.h"

namespace tarn::flow {
namespace {

using codec::YamlNode;
using codec::YamlReader;

constexpr Duration kEveryMin{1'000'000};
constexpr int64_t kRetriesMax = 100;
constexpr int64_t kCatchUpMax = 10'000;

void read_cron(const YamlNode& node, Schedule& schedule, Diagnostics& diagnostics) {
  size_t at = 0;
  const auto cron = parse_cron(node.text, &at);
  auto place = node.place;
  schedule.cron_place = place;
  if (!cron) {
    place.column += static_cast<int>(at) + (node.quoted ? 1 : 0);
    diagnostics.push_back({place, cron.error().message});
    return;
  }
  if (!next_on_wall(*cron, WallTime())) {
    diagnostics.push_back(
        {place, fmt::format("'{}' never comes: no month named has such a day; write another "
                            "day or month",
                            node.text)});
    return;
  }
  schedule.cron = *cron;
}

Duration read_duration(YamlReader& reader, const YamlNode& map, std::string_view key, Duration fallback) {
  const auto text = reader.text(key);
  if (text.empty())
    return fallback;
  const auto duration = parse_duration(text);
  if (!duration || duration->count() <= 0) {
    reader.mistake(*map.find(key), fmt::format("{} is a time, for example 30s, 15m or 2h", key));
    return fallback;
  }
  return *duration;
}

int read_count(YamlReader& reader, const YamlNode& map, std::string_view key, int fallback, int64_t max) {
  const auto count = reader.integer(key);
  if (!count)
    return fallback;
  if (*count < 0 || *count > max) {
    reader.mistake(*map.find(key), fmt::format("{} {} is not between 0 and {}", key, *count, max));
    return fallback;
  }
  return static_cast<int>(*count);
}

void read_zone(YamlReader& reader, const YamlNode& map, Schedule& schedule) {
  const auto name = reader.text("time_zone");
  if (name.empty())
    return;
  auto zone = TimeZone::find(name);
  if (!zone)
    return reader.mistake(*map.find("time_zone"), zone.error().message);
  schedule.zone = std::move(*zone);
}

void read_vars(YamlReader& reader, Schedule& schedule) {
  const auto* node = reader.child("vars");
  if (node == nullptr)
    return;
  if (node->kind != YamlNode::Kind::kMap)
    return reader.mistake(*node, "vars must be a map of names to values, e.g. 'vars: {city: Utrecht}'");
  for (const auto& entry : node->entries) {
    if (entry.value.kind == YamlNode::Kind::kMap || entry.value.kind == YamlNode::Kind::kSequence)
      reader.mistake(entry.value, fmt::format("var '{}' must be a single value", entry.key));
    else
      schedule.vars[entry.key] = entry.value.text;
  }
}

void read_when(YamlReader& reader, const YamlNode& map, Schedule& schedule, Diagnostics& diagnostics) {
  const auto* cron = reader.child("cron");
  const auto* every = reader.child("every");
  const auto* after = reader.child("after");
  const int given = (cron != nullptr ? 1 : 0) + (every != nullptr ? 1 : 0) + (after != nullptr ? 1 : 0);
  if (given != 1) {
    diagnostics.push_back(
        {map.place, fmt::format("schedule {} needs exactly one of cron, every and after, e.g. "
                                "cron: '0 6 * * *', every: 15m, or after: [raw_bars]",
                                schedule.name)});
  }
  if (cron != nullptr && cron->kind == YamlNode::Kind::kScalar) {
    read_cron(*cron, schedule, diagnostics);
  } else if (cron != nullptr) {
    reader.mistake(*cron, "cron is a text of five fields, e.g. '0 6 * * *'");
  }
  if (every != nullptr) {
    schedule.every = read_duration(reader, map, "every", Duration(0));
    if (schedule.every.count() > 0 && schedule.every < kEveryMin) {
      reader.mistake(*every, "every is at least 1s");
      schedule.every = Duration(0);
    }
  }
  if (after != nullptr) {
    schedule.after = reader.texts("after").value_or(std::vector<std::string>());
    schedule.after_place = after->place;
    if (schedule.after.empty())
      reader.mistake(*after, "after names tasks or tables, e.g. after: [raw_bars]");
  }
}

void read_members(YamlReader& reader, const YamlNode& map, Schedule& schedule, Diagnostics& diagnostics) {
  read_when(reader, map, schedule, diagnostics);
  read_zone(reader, map, schedule);
  const auto catch_up = reader.choice("catch_up", {"none", "last", "all"}, "last");
  schedule.catch_up = catch_up == "none"  ? CatchUp::kNone
                      : catch_up == "all" ? CatchUp::kAll
                                          : CatchUp::kLast;
  schedule.catch_up_max =
      std::max(1, read_count(reader, map, "catch_up_max", schedule.catch_up_max, kCatchUpMax));
  schedule.timeout = read_duration(reader, map, "timeout", Duration(0));
  schedule.task_timeout = read_duration(reader, map, "task_timeout", Duration(0));
  schedule.retries = read_count(reader, map, "retries", 0, kRetriesMax);
  schedule.retry_delay = read_duration(reader, map, "retry_delay", schedule.retry_delay);
  schedule.pause = reader.boolean("pause", false);
  schedule.full_refresh = reader.boolean("full_refresh", false);
  read_vars(reader, schedule);
}

}  // namespace

std::string_view name_of(CatchUp catch_up) {
  switch (catch_up) {
    case CatchUp::kNone: return "none";
    case CatchUp::kLast: return "last";
    case CatchUp::kAll: return "all";
  }
  return "last";
}

std::optional<Schedule> read_source_schedule(const YamlNode& node, const std::string& source,
                                             Diagnostics& diagnostics) {
  const auto mistakes = diagnostics.size();
  Schedule schedule;
  schedule.name = source;
  schedule.place = node.place;
  bool downstream = true;
  if (node.kind == YamlNode::Kind::kScalar) {
    read_cron(node, schedule, diagnostics);
  } else if (node.kind == YamlNode::Kind::kMap) {
    YamlReader reader(node, "schedule", diagnostics);
    read_members(reader, node, schedule, diagnostics);
    downstream = reader.boolean("downstream", true);
    reader.finish();
  } else {
    diagnostics.push_back(
        {node.place, "schedule is a cron text, e.g. '0 6 * * *', or a map with cron, every or after"});
  }
  schedule.run = {downstream ? source + "+" : source};
  return diagnostics.size() == mistakes ? std::optional(std::move(schedule)) : std::nullopt;
}

std::vector<Schedule> read_schedules(const YamlNode& node, Diagnostics& diagnostics) {
  std::vector<Schedule> schedules;
  if (node.kind == YamlNode::Kind::kNull)
    return schedules;
  if (node.kind != YamlNode::Kind::kMap) {
    diagnostics.push_back(
        {node.place, "schedules is a map of names: 'nightly: {run: [raw_bars+], cron: \"0 3 * * *\"}'"});
    return schedules;
  }
  for (const auto& entry : node.entries) {
    const auto mistakes = diagnostics.size();
    Schedule schedule;
    schedule.name = entry.key;
    schedule.place = entry.place;
    if (entry.value.kind != YamlNode::Kind::kMap) {
      diagnostics.push_back(
          {entry.value.place,
           fmt::format("schedule {} is a map with run and one of cron, every and after", entry.key)});
      continue;
    }
    YamlReader reader(entry.value, fmt::format("schedule {}", entry.key), diagnostics);
    schedule.run = reader.texts("run").value_or(std::vector<std::string>());
    schedule.exclude = reader.texts("exclude").value_or(std::vector<std::string>());
    read_members(reader, entry.value, schedule, diagnostics);
    reader.finish();
    if (entry.key.find_first_of("/ \t\n?#%") != std::string::npos || entry.key.empty()) {
      diagnostics.push_back({entry.place, fmt::format("the schedule's name '{}' may not have blanks and none "
                                                      "of / ? # %",
                                                      entry.key)});
    }
    if (diagnostics.size() == mistakes)
      schedules.push_back(std::move(schedule));
  }
  return schedules;
}

std::string pattern_of(const Schedule& schedule) {
  if (schedule.cron)
    return schedule.cron->text;
  if (schedule.every.count() > 0) {
    const auto count = schedule.every.count();
    for (const auto& [unit, size] :
         {std::pair{'d', 86'400'000'000}, {'h', 3'600'000'000}, {'m', 60'000'000}}) {
      if (count % size == 0)
        return fmt::format("every {}{}", count / size, unit);
    }
    return count % 1'000'000 == 0 ? fmt::format("every {}s", count / 1'000'000)
                                  : fmt::format("every {}ms", count / 1'000);
  }
  return fmt::format("after {}", fmt::join(schedule.after, ", "));
}

}  // namespace tarn::flow
