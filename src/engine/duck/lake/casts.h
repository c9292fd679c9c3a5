// Casts that the lake's types need and DuckDB's own do slowly.
#pragma once

#include "duckdb/main/extension/extension_loader.hpp"
#include "engine/duck/lake/glue.h"

namespace tarn::engine::lake {

// HUGEINT, UBIGINT and UHUGEINT lie in files as DECIMAL(38, 0) (types.h), the same 16 bytes as a HUGEINT.
// DuckDB's cast divides each value by its scale, 0.7 µs a row; one without a scale is taken as the HUGEINT
// that it is.
void register_casts(db::ExtensionLoader& loader);

}  // namespace tarn::engine::lake
