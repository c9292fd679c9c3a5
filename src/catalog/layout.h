// Where the files of the lake lie, and which names are good. Paths here are absolute; locations are "file://"
// + path.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "engine/lake_catalog.h"

namespace tarn::catalog {

// Fails on names that no table, view or schema may have: empty, with '@' or control characters, too long.
Status check_name(std::string_view name, std::string_view kind);
// The same for a schema, level by level.
Status check_schema_name(std::string_view name);

// "<lake>/<schema>"; characters that are not good in a path become '_'.
std::string schema_folder(const std::string& lake, const std::string& schema);

// "<lake>/<schema>/<name>-<8 digits of uuid>", alike.
std::string object_folder(const std::string& lake, const engine::TableName& name, const std::string& uuid);

// "<location>/metadata/00012-<uuid>.metadata.json"
std::string metadata_path(const std::string& folder, int64_t version, const std::string& uuid);

// The version in the name of a metadata file; 0 when there is none.
int64_t version_of(std::string_view metadata_location);

std::string to_location(const std::string& path);
// kUnsupported for anything but file:///…
Result<std::string> to_path(const std::string& location);

}  // namespace tarn::catalog
