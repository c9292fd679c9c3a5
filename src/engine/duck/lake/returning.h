// DELETE … RETURNING: DuckDB's binder gives a DELETE nothing but the places of its rows. Before a plan is
// optimized, the columns of the table are added, so that the rows can be answered.
#pragma once

#include "engine/duck/lake/glue.h"

namespace tarn::engine::lake {

void register_returning(db::DBConfig& config);

}  // namespace tarn::engine::lake
