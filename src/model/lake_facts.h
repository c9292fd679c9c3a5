// What stands in the lake under a name, at one version.
#pragma once

#include <string>

#include "engine/lake_catalog.h"
#include "model/project.h"

namespace tarn::model {

enum class Standing { kNothing, kTable, kView };

Standing standing_of(const engine::LakeVersion& version, const engine::TableName& name);
bool has_schema(const engine::LakeVersion& version, const std::string& schema);
// The table's current snapshot; 0 for a view, an empty table or nothing.
Result<int64_t> snapshot_of(const engine::LakeVersion& version, const engine::TableName& name);
// What the commit that made the table's current rows noted under `key`; "" when there is no such note or the
// table's columns were changed since.
Result<std::string> note_of(const engine::LakeVersion& version, const engine::TableName& name,
                            const std::string& key);
std::string uuid_of(const engine::LakeVersion& version, const engine::TableName& name);
// Every table that a model reads, ephemeral models resolved.
std::vector<engine::TableName> tables_read(const ModelProject& project, const Reads& reads);

}  // namespace tarn::model
