// A connection of the engine on one of DuckDB's. Only for engine/duck.
#pragma once

#include <memory>

#include "duckdb.hpp"
#include "engine/connection.h"

namespace tarn::engine {

Result<std::unique_ptr<Connection>> make_connection(duckdb::DuckDB& database, bool has_lake);

}  // namespace tarn::engine
