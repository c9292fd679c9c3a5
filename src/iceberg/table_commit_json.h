// Reads a commit of the REST protocol: {"requirements": [...], "updates": [...]}.
#pragma once

#include "base/result.h"
#include "iceberg/json.h"
#include "iceberg/table_commit.h"

namespace tarn::iceberg {

// kInvalid names the member; what is not known is refused, as the specification wants it. kUnsupported: it
// belongs to format version 3.
Result<TableCommit> table_commit_from(const Json& json);

}  // namespace tarn::iceberg
