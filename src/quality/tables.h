// `_tarn.table_history` and `_tarn.measures`.
#pragma once

#include <memory>
#include <vector>

#include "base/env/env.h"
#include "base/time_zone.h"
#include "engine/lake_catalog.h"
#include "engine/table_source.h"
#include "store/store.h"

namespace tarn::quality {

struct TablesOf {
  Env& env;
  store::Store& store;
  engine::LakeCatalog& catalog;
  TimeZone zone;
};
// What they are of outlives them.
std::vector<std::shared_ptr<engine::TableSource>> quality_tables(const TablesOf& of);

}  // namespace tarn::quality
