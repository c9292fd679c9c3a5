// What DuckDB's Parquet writer says of a file it wrote, as a data file of the table.
#pragma once

#include "engine/duck/lake/glue.h"
#include "iceberg/data_file.h"
#include "iceberg/metadata.h"

namespace tarn::engine::lake {

// Row `row` of the writer's WRITTEN_FILE_STATISTICS. `constants`: texts by field id, of which the writer gave
// no bounds.
iceberg::DataFile read_written_file(db::DataChunk& chunk, db::idx_t row,
                                    const iceberg::TableMetadata& metadata,
                                    const std::map<int, std::string>& constants);

}  // namespace tarn::engine::lake
