// Writing position deletes: one Parquet file for the deleted rows of one data file (spec: "Position Delete
// Files").
#pragma once

#include <string>

#include "engine/duck/lake/glue.h"
#include "engine/duck/lake/positions.h"
#include "iceberg/data_file.h"

namespace tarn::engine::lake {

// Reserved field ids of the specification: the columns of a position delete file.
inline constexpr int kDeletePathField = 2147483546;
inline constexpr int kDeletePositionField = 2147483545;

// Synced when it returns. `folder` is an absolute path; `tag` begins the file's name.
iceberg::DataFile write_deletes(db::ClientContext& context, const std::string& folder, const std::string& tag,
                                const iceberg::DataFile& data, const Positions& rows);

}  // namespace tarn::engine::lake
