// One sentence for a table of which a file cannot be read: which table, which file and why, what to do.
#pragma once

#include "base/result.h"
#include "engine/lake_catalog.h"

namespace tarn::engine {

// `cause` names the file. What does not come from the table's files (a cancel, a lack of memory) stays as it
// is.
Error unreadable(const TableName& table, const Error& cause);

}  // namespace tarn::engine
