// `_tarn.runs` and `_tarn.tasks`: the records of runs as tables.
#pragma once

#include <memory>
#include <vector>

#include "engine/table_source.h"
#include "store/store.h"

namespace tarn::flow {

// The store outlives them. Newest first.
std::vector<std::shared_ptr<engine::TableSource>> run_tables(store::Store& store);

}  // namespace tarn::flow
