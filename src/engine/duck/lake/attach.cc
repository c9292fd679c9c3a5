#include "engine/duck/lake/attach.h"

#include <fmt/format.h>

#include "engine/duck/errors.h"
#include "engine/duck/lake/casts.h"
#include "engine/duck/lake/lake_database.h"
#include "engine/duck/lake/lake_fs.h"
#include "engine/duck/lake/plan_hooks.h"
#include "engine/duck/lake/scan.h"
#include "engine/duck/lake/table_functions.h"
#include "engine/duck/lake/transaction.h"

namespace tarn::engine {
namespace {

duckdb::unique_ptr<duckdb::Catalog> attach(duckdb::optional_ptr<duckdb::StorageExtensionInfo> info,
                                           duckdb::ClientContext&, duckdb::AttachedDatabase& attached,
                                           const duckdb::string&, duckdb::AttachInfo&,
                                           duckdb::AttachOptions&) {
  auto& attachment = static_cast<LakeAttachment&>(*info);
  return duckdb::make_uniq<lake::LakeDatabase>(attached, attachment);
}

duckdb::unique_ptr<duckdb::TransactionManager> make_transactions(
    duckdb::optional_ptr<duckdb::StorageExtensionInfo>, duckdb::AttachedDatabase& attached,
    duckdb::Catalog& catalog) {
  return duckdb::make_uniq<lake::TransactionManager>(attached, catalog.Cast<lake::LakeDatabase>());
}

// The table of this name as the transaction that is open on the context sees it.
Result<std::shared_ptr<const LakeTable>> open_table(duckdb::ClientContext& context,
                                                    lake::Transaction& transaction, const TableName& name) {
  auto table = transaction.find_table(*transaction.version(), name.schema, name.name);
  if (!table) {
    return Error{Code::kNotFound, fmt::format("table \"{}\".\"{}\" does not exist", name.schema, name.name)};
  }
  return table;
}

lake::Transaction& lake_transaction(duckdb::ClientContext& context) {
  return lake::Transaction::of(context, duckdb::Catalog::GetCatalog(context, kLakeDatabase));
}

}  // namespace

duckdb::shared_ptr<LakeClientState> LakeClientState::of(duckdb::ClientContext& context) {
  return context.registered_state->GetOrCreate<LakeClientState>(kKey);
}

void register_lake(duckdb::DBConfig& config, const duckdb::shared_ptr<LakeAttachment>& attachment) {
  attachment->written = std::make_shared<lake::WrittenFiles>(attachment->folder, attachment->faults);
  auto extension = duckdb::make_shared_ptr<duckdb::StorageExtension>();
  extension->attach = attach;
  extension->create_transaction_manager = make_transactions;
  extension->storage_info = attachment;
  duckdb::StorageExtension::Register(config, kLakeExtension, std::move(extension));
  lake::register_plan_hooks(config);
}

void register_lake_functions(duckdb::DatabaseInstance& instance) {
  duckdb::ExtensionLoader loader(instance, kLakeExtension);
  lake::register_table_functions(loader);
  lake::register_lake_rows(loader);
  lake::register_casts(loader);
}

std::set<std::string> open_lake_files(const LakeAttachment& attachment) {
  return attachment.written->open();
}

void register_lake_files(duckdb::DatabaseInstance& instance, const LakeAttachment& attachment) {
  if (!attachment.folder.empty()) {
    instance.GetFileSystem().RegisterSubSystem(duckdb::make_uniq<lake::LakeFileSystem>(attachment.written));
  }
}

Status remove_files(duckdb::ClientContext& context, const TableName& table,
                    const std::vector<std::string>& paths) {
  auto& transaction = lake_transaction(context);
  TARN_TRY(auto found, open_table(context, transaction, table));
  auto& change = transaction.change_files(found->uuid());
  for (const auto& path : paths) {
    const auto uri = lake::uri_of(path);
    const auto own = std::erase_if(change.added, [&](const auto& file) { return file.path == uri; });
    if (own == 0) {
      change.removed.insert(uri);
    }
  }
  return ok();
}

Status remove_all_files(duckdb::ClientContext& context, const TableName& table) {
  auto& transaction = lake_transaction(context);
  TARN_TRY(auto found, open_table(context, transaction, table));
  auto& change = transaction.change_files(found->uuid());
  change.remove_all = true;
  change.removed.clear();
  change.added.clear();
  return ok();
}

}  // namespace tarn::engine
