// The Avro schemas of manifests and manifest lists as version 2 writes them, with Java's names.
#pragma once

#include <string>
#include <vector>

#include "iceberg/metadata.h"
#include "iceberg/type.h"

namespace tarn::iceberg {

// Bytes of the Avro fixed type that holds a decimal of this precision.
size_t decimal_size(int precision);

// `types` are those of the spec's fields.
std::string manifest_entry_schema(const PartitionSpec& spec, const std::vector<Type>& types);
std::string manifest_file_schema();

}  // namespace tarn::iceberg
