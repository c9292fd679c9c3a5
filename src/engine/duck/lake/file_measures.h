// What DuckDB's Parquet writer does not tell of a file it wrote, read back from the file: how many NaNs a
// column has, the bounds of a column that holds a text of more than 256 bytes or nothing but the least
// integer, where the row groups begin.
// Files of which nothing is missing are not looked at again.
#pragma once

#include <vector>

#include "engine/duck/lake/glue.h"
#include "iceberg/data_file.h"
#include "iceberg/metadata.h"

namespace tarn::engine::lake {

// `files` were written in the current schema of `metadata`, and are closed.
void measure_files(db::ClientContext& context, const iceberg::TableMetadata& metadata,
                   std::vector<iceberg::DataFile>& files);

// Sets split_offsets of a file that may have several row groups.
void measure_row_groups(db::ClientContext& context, iceberg::DataFile& file);

}  // namespace tarn::engine::lake
