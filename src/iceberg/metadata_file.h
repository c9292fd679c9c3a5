// A metadata file as it lies on the disk: JSON, or JSON packed with gzip (property
// write.metadata.compression-codec; names end with .gz.metadata.json, of older writers with
// .metadata.json.gz).
#pragma once

#include <string>

#include "base/result.h"

namespace tarn::iceberg {

// The JSON text. What the file is, is told by its first bytes.
Result<std::string> metadata_text(std::string bytes);

}  // namespace tarn::iceberg
