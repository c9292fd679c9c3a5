// The Iceberg view metadata document (view spec, version 1) of a view, dialect duckdb.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/lake_catalog.h"
#include "iceberg/view_metadata.h"

namespace tarn::catalog {

struct ViewVersion {
  std::string location;  // of the view: file:///…
  int64_t version_id = 1;
  int64_t timestamp_ms = 0;
};

std::string view_metadata_json(const engine::LakeView& view, const ViewVersion& version);

// The columns of a view of another engine, by what its document says, in DuckDB's types.
std::vector<engine::ViewColumn> columns_of(const iceberg::ViewMetadata& document);

}  // namespace tarn::catalog
