// How many rows each load brought, how many there are, how many were refused, and how long it took until the
// next: with what is usual for each. Computed from the records and the tables' snapshots when asked for.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/env/env.h"
#include "base/result.h"
#include "base/time_zone.h"
#include "engine/lake_catalog.h"
#include "store/store.h"

namespace tarn::quality {

// One change of a table, as its snapshot tells it.
struct Load {
  std::string table;  // "schema.name"
  int64_t snapshot_id = 0;
  Timestamp at;
  std::string operation;  // append, overwrite, delete
  std::string task, run;  // that made it; empty: somebody's statement
  std::optional<int64_t> added, deleted, rows, bytes;
};

// Of all tables that are there now, by table, oldest first. Of many snapshots only those that are kept.
Result<std::vector<Load>> loads_of(engine::LakeCatalog& catalog);

struct Measure {
  std::string table;
  std::string task;  // empty: not known
  std::string name;  // "rows", "written", "quarantined", "gap"
  Timestamp at;
  double value = 0;
  std::optional<double> expected, low, high;
  int64_t points = 0;  // that the band stands on
  bool same_weekday = false;
  std::string state;  // "ok", "low", "high", "few": too few before it
  std::string run;    // empty: the gap that is open now
};

struct MeasuresOf {
  engine::LakeCatalog& catalog;
  store::Store& store;
  const TimeZone& zone;
  Timestamp now;
};
// Each measure of a table together, oldest first.
Result<std::vector<Measure>> measures_of(const MeasuresOf& of);

}  // namespace tarn::quality
