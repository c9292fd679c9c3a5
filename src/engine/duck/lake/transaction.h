// One transaction on the lake: the version it pinned, and what it changed.
// DDL works on a copy of the pinned version; files written or taken out are kept by table uuid until COMMIT.
// One thread at a time, as the connection.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "duckdb/transaction/transaction.hpp"
#include "duckdb/transaction/transaction_manager.hpp"
#include "engine/duck/lake/attach.h"
#include "engine/duck/lake/glue.h"
#include "engine/duck/lake/row_changes.h"

namespace tarn::engine::lake {

class LakeDatabase;
class TableEntry;
class ViewEntry;

// What a transaction did to the files of one table.
struct FileChange {
  bool remove_all = false;
  std::set<std::string> removed;  // as named in the metadata
  std::vector<iceberg::DataFile> added;
  // Rows taken out of files of the base and of `added`; key: the path as DuckDB names it. They become delete
  // files at COMMIT.
  std::map<std::string, std::shared_ptr<const Positions>> rows_out;
  bool alone = false;                 // see TableChange
  bool new_keys = false;              // `added` brings keys that must be new
  std::optional<int64_t> keys_as_of;  // of those that were checked again, see TableChange
};

// What the rows taken out of one table mean for its files, on top of one version of it.
struct RowDelta {
  std::set<std::string> removed;  // of the table's files
  std::set<std::string> emptied;  // of the transaction's own
  std::vector<iceberg::DataFile> deletes;
  std::map<std::string, std::vector<std::string>> touched;  // see TableChange
};
using RowDeltas = std::map<std::string, RowDelta>;  // key: table uuid

// A table that exists only in this transaction, or as this transaction altered it.
class LocalTable : public LakeTable {
 public:
  LocalTable(TableName name, std::string uuid, std::shared_ptr<const iceberg::TableMetadata> metadata)
      : name_(std::move(name)), uuid_(std::move(uuid)), metadata_(std::move(metadata)) {}
  [[nodiscard]] const TableName& name() const override { return name_; }
  [[nodiscard]] const std::string& uuid() const override { return uuid_; }
  [[nodiscard]] const std::string& metadata_location() const override { return location_; }
  [[nodiscard]] Result<std::shared_ptr<const iceberg::TableMetadata>> metadata() const override {
    return metadata_;
  }

 private:
  TableName name_;
  std::string uuid_;
  std::string location_;
  std::shared_ptr<const iceberg::TableMetadata> metadata_;
};

class Transaction : public db::Transaction {
 public:
  Transaction(LakeDatabase& lake, db::TransactionManager& manager, db::ClientContext& context);
  ~Transaction() override;

  static Transaction& of(db::ClientContext& context, db::Catalog& catalog);

  // The lake as this transaction sees it; pins a version at the first call.
  const std::shared_ptr<const LakeVersion>& version();
  // The lake at another moment; null `at`: as above.
  std::shared_ptr<const LakeVersion> version_at(db::optional_ptr<db::BoundAtClause> at);
  // Different for any two states of the lake that plans could depend on.
  uint64_t state_number();

  // Null when there is none.
  std::shared_ptr<const LakeTable> find_table(const LakeVersion& version, const std::string& schema,
                                              const std::string& name);
  db::optional_ptr<db::CatalogEntry> table_entry(std::shared_ptr<const LakeTable> table, bool historic);
  db::optional_ptr<db::CatalogEntry> view_entry(const std::shared_ptr<const LakeView>& view);
  db::CatalogEntry& macro_entry(db::SchemaCatalogEntry& schema,
                                const std::shared_ptr<const LakeMacro>& macro);

  // Changes of names and definitions. The caller has checked that they are allowed.
  void put_schema(const std::string& name, std::map<std::string, std::string> properties);
  void drop_schema(const std::string& name);
  void put_table(const std::shared_ptr<const LakeTable>& table);
  void drop_table(const TableName& name);
  void put_view(LakeView view);
  void drop_view(const TableName& name);
  void put_macro(LakeMacro macro);
  void drop_macro(const TableName& name);

  // Changes of files.
  FileChange& change_files(const std::string& table_uuid);
  void take_out_rows(const std::string& table_uuid, RowsByFile rows);
  [[nodiscard]] const FileChange* files_changed(const std::string& table_uuid) const;

  // Refuses when the transaction looks at the past.
  void need_writable();

  // In names of the files it writes, so that they are found again when it fails.
  [[nodiscard]] const std::string& tag() const { return tag_; }

  [[nodiscard]] bool begun_by_user() const { return begun_by_user_; }
  [[nodiscard]] bool takes_out_rows() const;
  // Delete files for the rows taken out, on top of `version`; a file all of whose rows are gone goes itself.
  // kConflict when another commit took out one of these rows, or replaced their file.
  Result<RowDeltas> write_row_deltas(db::ClientContext& context, const LakeVersion& version);
  [[nodiscard]] bool brings_keys() const;
  // Whether the keys that it brings are new in `version`, too: kConflict when one is not.
  Status check_keys(db::ClientContext& context, const LakeVersion& version);
  // The version that the changes were made on.
  [[nodiscard]] const LakeVersion& working_version() const { return *working_; }
  Result<CommitOutcome> commit(const CommitNote& note, const RowDeltas& deltas);
  [[nodiscard]] bool changed() const { return working_ != base_ || !files_.empty(); }

 private:
  LakeVersion& edit();
  LakeSchema& edit_schema(const std::string& name);
  Result<CommitRequest> request(const CommitNote& note, const RowDeltas& deltas);
  Status add_table_changes(CommitRequest& request, const RowDeltas& deltas);
  void take_out_of(db::ClientContext& context, const std::string& folder,
                   const iceberg::TableMetadata& metadata, const ScanFile& file, const Positions& rows,
                   RowDelta& delta);
  RowDelta write_row_delta(db::ClientContext& context, const LakeTable& table, const FileChange& change);
  void add_view_changes(CommitRequest& request);
  void add_macro_changes(CommitRequest& request);
  void add_schema_changes(CommitRequest& request);

  LakeDatabase& lake_;
  std::string tag_;
  bool begun_by_user_;
  bool historic_ = false;
  std::shared_ptr<const LakeVersion> base_;
  std::shared_ptr<const LakeVersion> working_;
  std::shared_ptr<LakeVersion> edited_;  // working_, when it was changed here
  uint64_t local_state_ = 0;             // 0: nothing changed here
  std::map<std::string, FileChange> files_;
  std::map<std::string, std::shared_ptr<const LakeVersion>> at_;
  // Entries handed out stay for the whole transaction: DuckDB holds bare references.
  std::map<std::pair<const LakeTable*, bool>, std::shared_ptr<TableEntry>> tables_;
  std::map<const LakeView*, std::shared_ptr<ViewEntry>> views_;
  std::map<std::shared_ptr<const LakeMacro>, db::unique_ptr<db::CatalogEntry>> macros_;
};

class TransactionManager : public db::TransactionManager {
 public:
  TransactionManager(db::AttachedDatabase& attached, LakeDatabase& lake);

  db::Transaction& StartTransaction(db::ClientContext& context) override;
  db::ErrorData CommitTransaction(db::ClientContext& context, db::Transaction& transaction) override;
  void RollbackTransaction(db::Transaction& transaction) override;
  void Checkpoint(db::ClientContext& context, bool force) override;

 private:
  std::unique_ptr<Transaction> take(db::Transaction& transaction);
  Result<CommitOutcome> commit_on_head(db::ClientContext& context, Transaction& transaction,
                                       const CommitNote& note, RowDeltas deltas,
                                       Result<CommitOutcome> outcome);

  LakeDatabase& lake_;
  std::mutex mutex_;  // guards transactions_
  std::map<const db::Transaction*, std::unique_ptr<Transaction>> transactions_;
};

}  // namespace tarn::engine::lake
