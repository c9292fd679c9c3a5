#include "engine/duck/lake/attach.h"

namespace tarn::engine {

duckdb::shared_ptr<LakeClientState> LakeClientState::of(duckdb::ClientContext& context) {
  return context.registered_state->GetOrCreate<LakeClientState>(kKey);
}

void register_lake(duckdb::DBConfig& config, const duckdb::shared_ptr<LakeAttachment>& attachment) {
  throw duckdb::NotImplementedException("the catalog `lake` is not part of this build");
}

void register_lake_files(duckdb::DatabaseInstance& instance, const LakeAttachment& attachment) {}

Status remove_files(duckdb::ClientContext& context, const TableName& table,
                    const std::vector<std::string>& paths) {
  return Error{Code::kUnsupported, "the catalog `lake` is not part of this build"};
}

Status remove_all_files(duckdb::ClientContext& context, const TableName& table) {
  return Error{Code::kUnsupported, "the catalog `lake` is not part of this build"};
}

}  // namespace tarn::engine
