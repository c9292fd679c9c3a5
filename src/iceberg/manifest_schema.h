// The Avro schemas of manifests and manifest lists as version 2 writes them, with Java's names.
#pragma once

#include <string>

#include "iceberg/metadata.h"
#include "iceberg/type.h"

namespace tarn::iceberg {

// Bytes of the Avro fixed type that holds a decimal of this precision.
size_t decimal_size(int precision);

std::string manifest_entry_schema(const TableMetadata& metadata, const PartitionSpec& spec);
std::string manifest_file_schema();

}  // namespace tarn::iceberg
