// Rows of one data file that position deletes took out.
#pragma once

#include "duckdb/common/multi_file/multi_file_data.hpp"
#include "engine/duck/lake/glue.h"
#include "engine/lake_catalog.h"

namespace tarn::engine::lake {

// Reads the delete files of `file`. They are small: a list of positions is kept, in order.
db::unique_ptr<db::DeleteFilter> read_deletes(db::ClientContext& context, const ScanFile& file);

}  // namespace tarn::engine::lake
