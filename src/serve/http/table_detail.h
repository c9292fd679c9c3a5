// One table or view as GET /api/v1/tables/{schema}/{name} tells it.
#pragma once

#include <optional>
#include <string>

#include "base/env/env.h"
#include "engine/lake_catalog.h"
#include "serve/http/json.h"
#include "serve/insight.h"

namespace tarn::serve {

// As the lake was then; nullopt: now. kNotFound when there is none of that name.
Result<Json> table_detail(Insight& insight, const engine::TableName& name, std::optional<Timestamp> as_of);

// DuckDB's name for the type of a field, the declared one where another stores it.
std::string shown_type(const iceberg::TableMetadata& metadata, const iceberg::Field& field);

}  // namespace tarn::serve
