#include "engine/duck/outside/outside_attach.h"

#include <map>
#include <mutex>

#include <fmt/format.h>

#include "duckdb/storage/storage_extension.hpp"
#include "duckdb/transaction/transaction.hpp"
#include "duckdb/transaction/transaction_manager.hpp"
#include "engine/duck/errors.h"
#include "engine/duck/outside/outside_catalog.h"

namespace tarn::engine::outside {
namespace {

constexpr std::chrono::milliseconds kLookForColumns{5'000};

// Nothing is ever written, and each scan is a transaction of its own on the other side.
class ReadManager final : public db::TransactionManager {
 public:
  using db::TransactionManager::TransactionManager;

  db::Transaction& StartTransaction(db::ClientContext& context) override {
    auto transaction = db::make_uniq<db::Transaction>(*this, context);
    auto& reference = *transaction;
    const std::lock_guard lock(mutex_);
    open_[&reference] = std::move(transaction);
    return reference;
  }
  db::ErrorData CommitTransaction(db::ClientContext&, db::Transaction& transaction) override {
    end(transaction);
    return {};
  }
  void RollbackTransaction(db::Transaction& transaction) override { end(transaction); }
  void Checkpoint(db::ClientContext&, bool) override {}

 private:
  void end(db::Transaction& transaction) {
    const std::lock_guard lock(mutex_);
    open_.erase(&transaction);
  }

  std::mutex mutex_;
  std::map<db::Transaction*, db::unique_ptr<db::Transaction>> open_;  // guarded by mutex_
};

struct OutsideInfo final : public db::StorageExtensionInfo {
  Attachments attachments;
  Visibility* visibility = nullptr;
};

db::unique_ptr<db::Catalog> attach(db::optional_ptr<db::StorageExtensionInfo> info, db::ClientContext&,
                                   db::AttachedDatabase& attached, const db::string& name, db::AttachInfo&,
                                   db::AttachOptions&) {
  auto& outside = static_cast<OutsideInfo&>(*info);
  for (const auto& attachment : outside.attachments) {
    if (attachment->name() == name) {
      return db::make_uniq<OutsideCatalog>(attached, attachment, outside.visibility);
    }
  }
  throw_error({Code::kNotFound, fmt::format("tarn.yml attaches no database {}", std::string(name))});
}

db::unique_ptr<db::TransactionManager> make_transactions(db::optional_ptr<db::StorageExtensionInfo>,
                                                         db::AttachedDatabase& attached, db::Catalog&) {
  return db::make_uniq<ReadManager>(attached);
}

}  // namespace

Attachments make_attachments(const OutsideOptions& options, const Limits& limits) {
  Attachments attachments;
  for (const auto& outside : options.databases) {
    attachments.push_back(std::make_shared<Attachment>(outside, options.extensions_folder, limits));
  }
  return attachments;
}

void register_outside(db::DBConfig& config, const Attachments& attachments, Visibility* visibility) {
  auto info = db::make_shared_ptr<OutsideInfo>();
  info->attachments = attachments;
  info->visibility = visibility;
  auto extension = db::make_shared_ptr<db::StorageExtension>();
  extension->attach = attach;
  extension->create_transaction_manager = make_transactions;
  extension->storage_info = std::move(info);
  db::StorageExtension::Register(config, kOutsideExtension, std::move(extension));
}

Result<std::vector<OutsideTable>> list_tables(const Attachments& attachments, const std::string& name) {
  for (const auto& attachment : attachments) {
    if (attachment->name() != name) {
      continue;
    }
    TARN_TRY(const auto ids, attachment->tables(std::chrono::milliseconds(5'000), {}));
    attachment->look_around(kLookForColumns, {});
    std::vector<OutsideTable> tables;
    for (const auto& id : ids) {
      OutsideTable table{.schema = id.schema, .name = id.name, .columns = {}};
      const auto shape = attachment->shape_known(id);
      for (size_t i = 0; shape && i < shape->names.size(); ++i) {
        table.columns.push_back({shape->names[i], shape->types[i].ToString()});
      }
      tables.push_back(std::move(table));
    }
    return tables;
  }
  return Error{Code::kNotFound, fmt::format("tarn.yml attaches no database {}", name)};
}

std::string attach_text(const Attachments& attachments) {
  std::string sql;
  for (const auto& attachment : attachments) {
    sql += fmt::format("ATTACH '' AS {} (TYPE {}, READ_ONLY);",
                       db::KeywordHelper::WriteQuoted(attachment->name(), '"'), kOutsideExtension);
  }
  return sql;
}

}  // namespace tarn::engine::outside
