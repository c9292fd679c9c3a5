#include "model/lake_facts.h"

#include <algorithm>

namespace tarn::model {
namespace {

const engine::LakeSchema* schema_of(const engine::LakeVersion& version, const std::string& name) {
  auto found = version.schemas.find(engine::fold(name));
  return found == version.schemas.end() ? nullptr : found->second.get();
}

const engine::LakeTable* table_of(const engine::LakeVersion& version, const engine::TableName& name) {
  const engine::LakeSchema* schema = schema_of(version, name.schema);
  if (schema == nullptr) {
    return nullptr;
  }
  auto found = schema->tables.find(engine::fold(name.name));
  return found == schema->tables.end() ? nullptr : found->second.get();
}

void collect(const ModelProject& project, const Reads& reads, std::set<std::string>& seen,
             std::vector<engine::TableName>& out) {
  for (const std::string& ref : reads.refs) {
    const Node* node = project.find(ref);
    if (node == nullptr || !seen.insert(ref).second) {
      continue;
    }
    if (node->config.materialized == "ephemeral") {
      collect(project, node->reads, seen, out);
    } else {
      out.push_back(node->table);
    }
  }
  out.insert(out.end(), reads.tables.begin(), reads.tables.end());
}

}  // namespace

Standing standing_of(const engine::LakeVersion& version, const engine::TableName& name) {
  const engine::LakeSchema* schema = schema_of(version, name.schema);
  if (schema == nullptr) {
    return Standing::kNothing;
  }
  if (schema->views.contains(engine::fold(name.name))) {
    return Standing::kView;
  }
  return table_of(version, name) != nullptr ? Standing::kTable : Standing::kNothing;
}

bool has_schema(const engine::LakeVersion& version, const std::string& schema) {
  return schema_of(version, schema) != nullptr;
}

Result<int64_t> snapshot_of(const engine::LakeVersion& version, const engine::TableName& name) {
  const engine::LakeTable* table = table_of(version, name);
  if (table == nullptr) {
    return int64_t{0};
  }
  TARN_TRY(auto metadata, table->metadata());
  return metadata->current_snapshot_id.value_or(0);
}

Result<std::string> note_of(const engine::LakeVersion& version, const engine::TableName& name,
                            const std::string& key) {
  const engine::LakeTable* table = table_of(version, name);
  if (table == nullptr) {
    return std::string();
  }
  TARN_TRY(auto metadata, table->metadata());
  const iceberg::Snapshot* snapshot = metadata->current_snapshot();
  const bool same_columns = snapshot != nullptr && snapshot->schema_id == metadata->current_schema_id;
  return same_columns ? snapshot->summary_value(key) : std::string();
}

std::string uuid_of(const engine::LakeVersion& version, const engine::TableName& name) {
  const engine::LakeTable* table = table_of(version, name);
  return table == nullptr ? "" : table->uuid();
}

std::vector<engine::TableName> tables_read(const ModelProject& project, const Reads& reads) {
  std::set<std::string> seen;
  std::vector<engine::TableName> out;
  collect(project, reads, seen, out);
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

}  // namespace tarn::model
