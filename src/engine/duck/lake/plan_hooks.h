// What lake tables need of DuckDB's plans, and its binder and planner leave out.
//   - DELETE … RETURNING: the binder gives a DELETE nothing but the places of its rows; the columns of the
//     table are added before the plan is optimized.
//   - A filter that the scan does not take is put above it by the planner, which then forgets, or takes for
//     others, the columns of a scan that gives out all of them or all others: after optimizing, the scan is
//     told which it gives out.
#pragma once

#include "engine/duck/lake/glue.h"

namespace tarn::engine::lake {

void register_plan_hooks(db::DBConfig& config);

}  // namespace tarn::engine::lake
