// Reads the parts of view metadata that the REST protocol sends by themselves.
#pragma once

#include "base/result.h"
#include "iceberg/json.h"
#include "iceberg/view_metadata.h"

namespace tarn::iceberg {

Result<ViewVersion> view_version_from(const Json& json);
// {"requirements": [...], "updates": [...]}; kInvalid names the member.
Result<ViewCommit> view_commit_from(const Json& json);

}  // namespace tarn::iceberg
