// The JSON forms of the parts of a metadata document that the REST catalog sends by themselves, too.
#pragma once

#include "base/result.h"
#include "iceberg/json.h"
#include "iceberg/metadata.h"

namespace tarn::iceberg {

Result<Snapshot> snapshot_from(const Json& json);
Result<SnapshotRef> ref_from(const Json& json);

// The object under this name, which maps texts to texts; empty when it is absent.
Result<std::map<std::string, std::string>> get_string_map(const Json& object, const char* name);

}  // namespace tarn::iceberg
