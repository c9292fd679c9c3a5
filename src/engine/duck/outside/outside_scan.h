// The scan of a table of others: one SELECT on the other side, with the columns that are wanted and the
// conditions that it understands; conditions are checked here once more.
#pragma once

#include "engine/duck/outside/outside_catalog.h"

namespace tarn::engine::outside {

db::TableFunction outside_scan(OutsideTableEntry& entry, db::unique_ptr<db::FunctionData>& bind_data);

}  // namespace tarn::engine::outside
