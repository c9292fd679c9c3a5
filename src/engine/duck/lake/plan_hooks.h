// What lake tables need of DuckDB's plans, and its binder and planner leave out.
//   - DELETE … RETURNING: the binder gives a DELETE nothing but the places of its rows; the columns of the
//   table
//     are added before the plan is optimized.
//   - A filter that the scan does not take is put above it by the planner, which then forgets the columns of
//   a
//     scan that gives out all of them, as those of DELETE, UPDATE and MERGE do: they are named one by one.
#pragma once

#include "engine/duck/lake/glue.h"

namespace tarn::engine::lake {

void register_plan_hooks(db::DBConfig& config);

}  // namespace tarn::engine::lake
