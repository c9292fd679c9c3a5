// Functions that show what a lake table is made of: table_snapshots('t'), table_history, table_files,
// table_partitions, table_properties, table_refs. The table is looked up as in FROM: what a person may not
// see is not found.
#pragma once

#include "duckdb/main/extension/extension_loader.hpp"
#include "engine/duck/lake/glue.h"

namespace tarn::engine::lake {

void register_table_functions(db::ExtensionLoader& loader);

}  // namespace tarn::engine::lake
