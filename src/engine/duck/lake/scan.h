// Reading a table: DuckDB's own Parquet scan, over a list of files that comes from the manifests, columns
// matched by field id. Which files: those of the pinned snapshot that may hold a matching row, less those
// that the transaction took out, plus those that it wrote.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "duckdb/common/multi_file/multi_file_list.hpp"
#include "duckdb/common/multi_file/multi_file_reader.hpp"
#include "duckdb/function/table_function.hpp"
#include "engine/duck/lake/glue.h"
#include "engine/duck/lake/positions.h"
#include "engine/duck/lake/table_entry.h"
#include "engine/lake_catalog.h"

namespace tarn::engine::lake {

struct FileChange;

// Where a file that is to be opened says which snapshot added it.
inline constexpr const char* kSnapshotOption = "tarn_snapshot_id";

// The rows of a table as one statement sees them. Immutable.
struct ScanSource {
  std::shared_ptr<const TableEntry> table;
  LakeCatalog* service = nullptr;
  bool without_base = false;  // made or emptied in this transaction
  std::set<std::string> removed;
  std::vector<iceberg::DataFile> added;
  std::map<std::string, std::shared_ptr<const Positions>> rows_out;  // see FileChange

  // The rows that the transaction took out of a file; null: none.
  [[nodiscard]] std::shared_ptr<const Positions> rows_out_of(const iceberg::DataFile& file) const {
    const auto found = rows_out.find(path_of(file.path));
    return found == rows_out.end() ? nullptr : found->second;
  }
};

std::shared_ptr<const ScanSource> scan_source(db::ClientContext& context, const TableEntry& table);
// The rows of a version of a table with what a transaction did to its files.
std::shared_ptr<const ScanSource> changed_source(std::shared_ptr<const TableEntry> table,
                                                 const FileChange& change);
// From the snapshot's summary; not exact.
uint64_t rows_about(const ScanSource& source);

// lake_rows(i): the source of this number in the client state of the connection.
void register_lake_rows(db::ExtensionLoader& loader);

db::TableFunction lake_scan(db::ClientContext& context, const std::shared_ptr<const TableEntry>& table,
                            db::unique_ptr<db::FunctionData>& bind_data);
// filename and file_row_number, where a row lies; snapshot_id, that added its file.
inline constexpr db::column_t kSnapshotColumn = UINT64_C(9300000000000000001);
db::virtual_column_map_t lake_virtual_columns();
db::vector<db::column_t> lake_row_id_columns();

// Files of a source, planned at first need. Thread-safe.
class FileList : public db::MultiFileList {
 public:
  FileList(std::shared_ptr<const ScanSource> source, iceberg::Filter filter)
      : source_(std::move(source)), filter_(std::move(filter)) {}

  [[nodiscard]] const ScanSource& source() const { return *source_; }
  [[nodiscard]] const std::shared_ptr<const ScanSource>& shared_source() const { return source_; }
  [[nodiscard]] std::shared_ptr<const ScanPlan> plan() const;

  db::unique_ptr<db::MultiFileList> ComplexFilterPushdown(
      db::ClientContext& context, const db::MultiFileOptions& options, db::MultiFilePushdownInfo& info,
      db::vector<db::unique_ptr<db::Expression>>& filters) const override;
  db::unique_ptr<db::MultiFileList> DynamicFilterPushdown(db::ClientContext& context,
                                                          const db::MultiFileOptions& options,
                                                          const db::vector<db::string>& names,
                                                          const db::vector<db::LogicalType>& types,
                                                          const db::vector<db::column_t>& column_ids,
                                                          db::TableFilterSet& filters) const override;
  db::vector<db::OpenFileInfo> GetAllFiles() const override;
  db::FileExpandResult GetExpandResult() const override;
  db::idx_t GetTotalFileCount() const override;
  db::unique_ptr<db::NodeStatistics> GetCardinality(db::ClientContext& context) const override;
  db::unique_ptr<db::MultiFileList> Copy() const override;

 protected:
  db::OpenFileInfo GetFile(db::idx_t i) const override;

 private:
  db::unique_ptr<db::MultiFileList> with_filter(iceberg::Filter more) const;

  std::shared_ptr<const ScanSource> source_;
  iceberg::Filter filter_;
  mutable std::mutex mutex_;  // guards plan_
  mutable std::shared_ptr<const ScanPlan> plan_;
};

// Reads the files of a FileList.
class FileReader : public db::MultiFileReader {
 public:
  explicit FileReader(std::shared_ptr<const ScanSource> source) : source_(std::move(source)) {}
  static db::unique_ptr<db::MultiFileReader> create(const db::TableFunction& function);

  db::shared_ptr<db::MultiFileList> CreateFileList(db::ClientContext& context,
                                                   const db::vector<db::string>& paths,
                                                   const db::FileGlobInput& input) override;
  bool Bind(db::MultiFileOptions& options, db::MultiFileList& files,
            db::vector<db::LogicalType>& return_types, db::vector<db::string>& names,
            db::MultiFileReaderBindData& bind_data) override;
  void BindOptions(db::MultiFileOptions& options, db::MultiFileList& files,
                   db::vector<db::LogicalType>& return_types, db::vector<db::string>& names,
                   db::MultiFileReaderBindData& bind_data) override;
  using db::MultiFileReader::CreateReader;
  db::shared_ptr<db::BaseFileReader> CreateReader(db::ClientContext& context,
                                                  db::GlobalTableFunctionState& gstate,
                                                  const db::OpenFileInfo& file, db::idx_t file_idx,
                                                  const db::MultiFileBindData& bind_data) override;
  db::ReaderInitializeType InitializeReader(db::MultiFileReaderData& reader_data,
                                            const db::MultiFileBindData& bind_data,
                                            const db::vector<db::MultiFileColumnDefinition>& global_columns,
                                            const db::vector<db::ColumnIndex>& global_column_ids,
                                            db::optional_ptr<db::TableFilterSet> table_filters,
                                            db::ClientContext& context,
                                            db::MultiFileGlobalState& gstate) override;
  db::unique_ptr<db::MultiFileReader> Copy() const override;
  db::unique_ptr<db::Expression> GetVirtualColumnExpression(
      db::ClientContext& context, db::MultiFileReaderData& reader_data,
      const db::vector<db::MultiFileColumnDefinition>& local_columns, db::idx_t& column_id,
      const db::LogicalType& type, db::MultiFileLocalIndex local_index,
      db::optional_ptr<db::MultiFileColumnDefinition>& global_column) override;

 private:
  std::shared_ptr<const ScanSource> source_;
};

}  // namespace tarn::engine::lake
