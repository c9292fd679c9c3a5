#include "quality/measures.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <set>
#include <tuple>

#include "quality/bands.h"

namespace tarn::quality {
namespace {

constexpr int64_t kRunsMax = 400;  // the newest of each task
constexpr double kMicrosOfHour = 3.6e9;

std::optional<int64_t> count_of(const iceberg::Snapshot& snapshot, const char* key) {
  const auto text = snapshot.summary_value(key);
  int64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (text.empty() || error != std::errc() || end != text.data() + text.size())
    return std::nullopt;
  return count;
}

// A count of nothing is not written into a summary.
Load load_of(const std::string& table, const iceberg::Snapshot& snapshot) {
  return {.table = table,
          .snapshot_id = snapshot.snapshot_id,
          .at = Timestamp(std::chrono::milliseconds(snapshot.timestamp_ms)),
          .operation = snapshot.summary_value("operation"),
          .task = snapshot.summary_value("tarn.task"),
          .run = snapshot.summary_value("tarn.run"),
          .added = count_of(snapshot, "added-records").value_or(0),
          .deleted = count_of(snapshot, "deleted-records").value_or(0),
          .rows = count_of(snapshot, "total-records"),
          .bytes = count_of(snapshot, "total-files-size")};
}

// One success of a task.
struct Done {
  std::string run;
  Timestamp at;
  double written = 0, quarantined = 0;
};

struct Writer {
  std::string table, task;
};

Result<std::vector<Writer>> writers(store::Store& store) {
  return store.read([](store::Connection& db) -> Result<std::vector<Writer>> {
    TARN_TRY(auto rows, db.query("SELECT DISTINCT v.table_name, v.task FROM task_versions v JOIN tasks t ON "
                                 "t.run_id = v.run_id AND t.name = v.task WHERE v.written = 1 AND t.kind IN "
                                 "('source', 'model', 'seed') AND v.snapshot_id <> 0 ORDER BY 1, 2"));
    std::vector<Writer> all;
    while (true) {
      TARN_TRY(const bool more, rows.next());
      if (!more)
        return all;
      all.push_back({rows.text(0), rows.text(1)});
    }
  });
}

// Oldest first.
Result<std::vector<Done>> successes(store::Store& store, const std::string& task) {
  return store.read([&](store::Connection& db) -> Result<std::vector<Done>> {
    TARN_TRY(auto rows,
             db.query("SELECT run_id, finished_at, rows_written, rows_quarantined FROM tasks WHERE "
                      "name = ? AND state = 'done' AND finished_at IS NOT NULL "
                      "ORDER BY started_at DESC LIMIT ?",
                      {task, kRunsMax}));
    std::vector<Done> all;
    while (true) {
      TARN_TRY(const bool more, rows.next());
      if (!more)
        break;
      all.push_back({rows.text(0), rows.time(1), rows.real(2), rows.real(3)});
    }
    std::sort(all.begin(), all.end(),
              [](const Done& a, const Done& b) { return std::tie(a.at, a.run) < std::tie(b.at, b.run); });
    return all;
  });
}

double hours_of(Timestamp at, const TimeZone& zone) {
  return static_cast<double>(zone.wall_at(at).time_since_epoch().count()) / kMicrosOfHour;
}

// Judges each value by those before it.
class Series {
 public:
  Series(const MeasuresOf& of, Measure front, std::vector<Measure>& out)
      : of_(of), front_(std::move(front)), out_(out) {}

  struct Next {
    Timestamp at;
    double value = 0;
    std::string run;
    double judged = 0;  // what is compared: a change of the value, or the value itself
    double base = 0;    // value - judged
    BandRules rules;
    bool low_matters = true;
    bool counts = true;  // for those that come after it
  };

  void add(const Next& next) {
    auto measure = front_;
    measure.at = next.at;
    measure.value = next.value;
    measure.run = next.run;
    measure.state = "few";
    const double hours = hours_of(next.at, of_.zone);
    if (const auto band = band_of(before_, hours, next.rules)) {
      measure.expected = next.base + band->median;
      measure.low = std::max(0.0, next.base + band->median - band->reach);
      measure.high = next.base + band->median + band->reach;
      measure.points = static_cast<int64_t>(band->points);
      measure.same_weekday = band->same_weekday;
      if (!next.low_matters)
        measure.low = 0;
      measure.state = next.value > *measure.high ? "high" : next.value < *measure.low ? "low" : "ok";
    }
    if (next.counts)
      before_.push_back({next.judged, hours});
    out_.push_back(std::move(measure));
  }

 private:
  const MeasuresOf& of_;
  const Measure front_;
  std::vector<Measure>& out_;
  std::vector<Point> before_;
};

// The change is what is usual or not: a table that grows does so by about as much each time.
void add_rows(const MeasuresOf& of, const std::vector<Load>& loads, std::vector<Measure>& out) {
  std::map<std::string, Series> series;
  for (const auto& load : loads) {
    if (!load.rows)
      continue;
    const auto found =
        series.try_emplace(load.table, of, Measure{.table = load.table, .task = "", .name = "rows"}, out)
            .first;
    const auto rows = static_cast<double>(*load.rows);
    const auto change = static_cast<double>(*load.added - *load.deleted);
    found->second.add({.at = load.at,
                       .value = rows,
                       .run = load.run,
                       .judged = change,
                       .base = rows - change,
                       .rules = {.floor = std::max(1.0, 0.05 * (rows - change))}});
  }
}

void add_runs(const MeasuresOf& of, const Writer& writer, const std::vector<Done>& runs,
              std::vector<Measure>& out) {
  const auto front = [&writer](const char* name) {
    return Measure{.table = writer.table, .task = writer.task, .name = name};
  };
  Series written(of, front("written"), out);
  for (const auto& one : runs)
    written.add({one.at, one.written, one.run, one.written, 0, {.floor = 1, .floor_share = 0.1}});
  Series quarantined(of, front("quarantined"), out);
  for (const auto& one : runs) {
    quarantined.add(
        {one.at, one.quarantined, one.run, one.quarantined, 0, {.floor = 1, .floor_share = 0.1}, false});
  }
  Series gap(of, front("gap"), out);
  const auto hours_between = [](Timestamp from, Timestamp to) {
    return static_cast<double>((to - from).count()) / kMicrosOfHour;
  };
  const BandRules rules{.floor = 1, .floor_share = 0.25};
  for (size_t i = 1; i < runs.size(); ++i) {
    const double hours = hours_between(runs[i - 1].at, runs[i].at);
    gap.add({runs[i].at, hours, runs[i].run, hours, 0, rules, false});
  }
  if (!runs.empty()) {
    const double open = hours_between(runs.back().at, of.now);
    gap.add({of.now, std::max(0.0, open), "", open, 0, rules, false, false});
  }
}

}  // namespace

Result<std::vector<Load>> loads_of(engine::LakeCatalog& catalog) {
  TARN_TRY(const auto head, catalog.head());
  std::vector<Load> loads;
  for (const auto& [folded, schema] : head->schemas) {
    for (const auto& [name, table] : schema->tables) {
      TARN_TRY(const auto metadata, table->metadata());
      for (const auto& snapshot : metadata->snapshots)  // in the order in which they were made
        loads.push_back(load_of(schema->name + "." + table->name().name, snapshot));
    }
  }
  return loads;
}

Result<std::vector<Measure>> measures_of(const MeasuresOf& of) {
  std::vector<Measure> all;
  TARN_TRY(const auto loads, loads_of(of.catalog));
  add_rows(of, loads, all);
  // The records also know tables that are gone.
  std::set<std::string> there;
  for (const auto& load : loads)
    there.insert(engine::fold(load.table));
  TARN_TRY(const auto tables, writers(of.store));
  for (const auto& writer : tables) {
    if (!there.contains(engine::fold(writer.table)))
      continue;
    TARN_TRY(const auto runs, successes(of.store, writer.task));
    add_runs(of, writer, runs, all);
  }
  return all;
}

}  // namespace tarn::quality
