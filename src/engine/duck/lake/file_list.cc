#include <fmt/format.h>

#include "duckdb/optimizer/filter_combiner.hpp"
#include "duckdb/planner/table_filter.hpp"
#include "duckdb/storage/statistics/node_statistics.hpp"
#include "engine/duck/lake/filter.h"
#include "engine/duck/lake/scan.h"
#include "engine/unreadable.h"
#include "iceberg/pruning.h"

namespace tarn::engine::lake {
namespace {

constexpr int64_t kRowGroupRows = 122'880;  // what our writer puts into one row group

db::OpenFileInfo open_info(const ScanFile& scanned) {
  const auto& file = scanned.file;
  db::OpenFileInfo info(path_of(file.path));
  info.extended_info = db::make_shared_ptr<db::ExtendedOpenFileInfo>();
  auto& options = info.extended_info->options;
  // Files never change once a snapshot names them: no question about size or time is needed.
  options["file_size"] = db::Value::UBIGINT(static_cast<uint64_t>(file.file_size_bytes));
  options["validate_external_file_cache"] = db::Value::BOOLEAN(false);
  options[kSnapshotOption] = db::Value::BIGINT(scanned.snapshot_id);
  options["etag"] = db::Value("");
  options["last_modified"] = db::Value::TIMESTAMP(db::timestamp_t(0));
  return info;
}

// Avro and ORC files of others, and files that are elsewhere.
Status check_readable(const iceberg::DataFile& file) {
  if (!db::StringUtil::CIEquals(file.format, "parquet")) {
    return Error{Code::kUnsupported,
                 fmt::format("{} is a file of format {}, and Tarn reads Parquet: rewrite the table's files "
                             "with the program that wrote them",
                             file.path, file.format)};
  }
  if (!file.path.starts_with("file:/") && !file.path.starts_with('/')) {
    return Error{Code::kUnsupported,
                 fmt::format("{} does not lie on this machine (file:///…): copy the table here with the "
                             "program that wrote it",
                             file.path)};
  }
  return ok();
}

}  // namespace

std::shared_ptr<const ScanPlan> FileList::plan() const {
  const std::lock_guard lock(mutex_);
  if (plan_) {
    return plan_;
  }
  auto plan = std::make_shared<ScanPlan>();
  const auto& metadata = *source_->table->metadata();
  if (const auto* snapshot = metadata.current_snapshot(); snapshot != nullptr && !source_->without_base) {
    auto planned = source_->service->plan(metadata, snapshot->snapshot_id, filter_);
    if (!planned) {
      throw_error(unreadable(source_->table->table().name(), planned.error()));
    }
    *plan = std::move(*planned);
  }
  std::erase_if(plan->files, [&](const ScanFile& file) { return source_->removed.contains(file.file.path); });
  for (const auto& file : source_->added) {
    if (iceberg::may_match(metadata, file, filter_)) {
      plan->files.push_back({.file = file});
    } else {
      ++plan->files_pruned;
    }
  }
  for (const auto& file : plan->files) {
    if (const auto readable = check_readable(file.file); !readable) {
      throw_error(unreadable(source_->table->table().name(), readable.error()));
    }
  }
  plan_ = std::move(plan);
  return plan_;
}

db::unique_ptr<db::MultiFileList> FileList::with_filter(iceberg::Filter more) const {
  if (more.conditions.empty()) {
    return nullptr;
  }
  iceberg::Filter both = filter_;
  both.conditions.insert(both.conditions.end(), more.conditions.begin(), more.conditions.end());
  return db::make_uniq<FileList>(source_, std::move(both));
}

db::unique_ptr<db::MultiFileList> FileList::ComplexFilterPushdown(
    db::ClientContext& context, const db::MultiFileOptions&, db::MultiFilePushdownInfo& info,
    db::vector<db::unique_ptr<db::Expression>>& filters) const {
  db::FilterCombiner combiner(context);
  for (const auto& filter : filters) {
    combiner.AddFilter(filter->Copy());
  }
  db::vector<db::FilterPushdownResult> results;
  const auto pushed = combiner.GenerateTableScanFilters(info.column_indexes, results);
  iceberg::Filter more;
  for (const auto& [column, filter] : pushed.filters) {
    add_conditions(*source_->table, column, *filter, more);
  }
  for (const auto& filter : filters) {
    add_null_test(*source_->table, *filter, info.column_indexes, more);
  }
  return with_filter(std::move(more));
}

db::unique_ptr<db::MultiFileList> FileList::DynamicFilterPushdown(db::ClientContext&,
                                                                  const db::MultiFileOptions&,
                                                                  const db::vector<db::string>&,
                                                                  const db::vector<db::LogicalType>&,
                                                                  const db::vector<db::column_t>& column_ids,
                                                                  db::TableFilterSet& filters) const {
  iceberg::Filter more;
  for (const auto& [column, filter] : filters.filters) {
    add_conditions(*source_->table, column_ids.at(column), *filter, more);
  }
  // The reader gets what is left. Filters of a query's own text never come here for such columns; those of a
  // join do, and the join looks again.
  std::erase_if(filters.filters, [&](const auto& entry) {
    return !reader_filters_right(*source_->table, column_ids.at(entry.first));
  });
  return with_filter(std::move(more));
}

db::vector<db::OpenFileInfo> FileList::GetAllFiles() const {
  db::vector<db::OpenFileInfo> files;
  const auto planned = plan();
  for (const auto& file : planned->files) {
    files.push_back(open_info(file));
  }
  return files;
}

db::FileExpandResult FileList::GetExpandResult() const {
  const auto count = plan()->files.size();
  if (count == 0) {
    return db::FileExpandResult::NO_FILES;
  }
  // The scan takes one thread for a single file, unless it has read its footer when it was bound, which ours
  // has not. A file of more than one row group is worth all threads.
  const bool small = plan()->files.front().file.record_count <= kRowGroupRows;
  return count == 1 && small ? db::FileExpandResult::SINGLE_FILE : db::FileExpandResult::MULTIPLE_FILES;
}

db::idx_t FileList::GetTotalFileCount() const {
  return plan()->files.size();
}

db::unique_ptr<db::NodeStatistics> FileList::GetCardinality(db::ClientContext&) const {
  return db::make_uniq<db::NodeStatistics>(rows_about(*source_));
}

db::unique_ptr<db::MultiFileList> FileList::Copy() const {
  auto copy = db::make_uniq<FileList>(source_, filter_);
  const std::lock_guard lock(mutex_);
  copy->plan_ = plan_;
  return std::move(copy);
}

db::OpenFileInfo FileList::GetFile(db::idx_t i) const {
  const auto planned = plan();
  const auto& files = planned->files;
  return i < files.size() ? open_info(files[i]) : db::OpenFileInfo();
}

}  // namespace tarn::engine::lake
