#include "engine/duck/lake/statistics.h"

#include <charconv>

#include "duckdb/storage/statistics/numeric_stats.hpp"
#include "engine/duck/lake/table_definition.h"
#include "engine/duck/lake/types.h"

namespace tarn::engine::lake {
namespace {

// Up to here the manifests of the whole table are read for the optimizer's sake.
constexpr uint64_t kFilesMax = 256;

struct Range {
  std::optional<iceberg::Value> min, max;
  bool nulls = false;
  bool values = false;
};

// Types whose bounds are exact and in DuckDB's order: not text (cut), not floating point (NaN, -0.0).
bool has_exact_bounds(const iceberg::Type& type) {
  using iceberg::TypeKind;
  switch (type.kind) {
    case TypeKind::kInt:
    case TypeKind::kLong:
    case TypeKind::kDate:
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampTz:
    case TypeKind::kDecimal: return true;
    default: return false;
  }
}

const iceberg::Field* known_field(const TableEntry& table, db::column_t column) {
  const auto& fields = table.metadata()->schema().fields;
  if (column >= fields.size()) {
    return nullptr;
  }
  const auto& field = fields[column];
  const bool as_stored = table.GetColumn(db::LogicalIndex(column)).Type() == engine_type(field.type);
  const bool same_in_all = !table.metadata()->properties.contains(column_property(field.id, "initial"));
  return as_stored && same_in_all && has_exact_bounds(field.type) ? &field : nullptr;
}

template <class Map>
const typename Map::mapped_type* find(const Map& map, int id) {
  const auto found = map.find(id);
  return found == map.end() ? nullptr : &found->second;
}

// False when the file's metadata leave something open.
bool add_file(const iceberg::DataFile& file, const iceberg::Field& field, Range& range) {
  if (file.record_count == 0) {
    return true;
  }
  const auto* values = find(file.value_counts, field.id);
  const auto* nulls = find(file.null_value_counts, field.id);
  if (values == nullptr || nulls == nullptr || *values != file.record_count) {
    return false;
  }
  range.nulls |= *nulls > 0;
  if (*nulls == *values) {
    return true;
  }
  const auto* lower = find(file.lower_bounds, field.id);
  const auto* upper = find(file.upper_bounds, field.id);
  if (lower == nullptr || upper == nullptr) {
    return false;
  }
  auto min = iceberg::from_bytes(field.type, *lower);
  auto max = iceberg::from_bytes(field.type, *upper);
  if (!min || !max) {
    return false;
  }
  range.values = true;
  if (!range.min || iceberg::compare(*min, *range.min) < 0) {
    range.min = *min;
  }
  if (!range.max || iceberg::compare(*max, *range.max) > 0) {
    range.max = *max;
  }
  return true;
}

db::unique_ptr<db::BaseStatistics> to_statistics(const Range& range, const iceberg::Type& stored) {
  if (!range.values) {
    return nullptr;
  }
  auto statistics = db::NumericStats::CreateUnknown(engine_type(stored));
  db::NumericStats::SetMin(statistics, to_engine(*range.min, stored));
  db::NumericStats::SetMax(statistics, to_engine(*range.max, stored));
  statistics.Set(range.nulls ? db::StatsInfo::CAN_HAVE_NULL_VALUES : db::StatsInfo::CANNOT_HAVE_NULL_VALUES);
  statistics.Set(db::StatsInfo::CAN_HAVE_VALID_VALUES);
  return statistics.ToUnique();
}

class FileRowGroup : public db::PartitionRowGroup {
 public:
  FileRowGroup(std::shared_ptr<const ScanSource> source, std::shared_ptr<const ScanPlan> plan, size_t file)
      : source_(std::move(source)), plan_(std::move(plan)), file_(file) {}

  db::unique_ptr<db::BaseStatistics> GetColumnStatistics(const db::StorageIndex& index) override {
    const auto column = index.GetPrimaryIndex();
    const auto* field = index.HasChildren() ? nullptr : known_field(*source_->table, column);
    Range range;
    if (field == nullptr || !add_file(plan_->files[file_].file, *field, range)) {
      return nullptr;
    }
    return to_statistics(range, field->type);
  }

  bool MinMaxIsExact(const db::BaseStatistics&, const db::StorageIndex&) override { return true; }

 private:
  std::shared_ptr<const ScanSource> source_;
  std::shared_ptr<const ScanPlan> plan_;
  size_t file_;
};

bool is_small(const ScanSource& source) {
  const auto* snapshot = source.table->metadata()->current_snapshot();
  if (snapshot == nullptr || source.without_base) {
    return true;
  }
  const auto total = snapshot->summary.find("total-data-files");
  uint64_t files = kFilesMax + 1;
  if (total != snapshot->summary.end()) {
    std::from_chars(total->second.data(), total->second.data() + total->second.size(), files);
  }
  return files <= kFilesMax;
}

}  // namespace

db::unique_ptr<db::BaseStatistics> column_statistics(const FileList& files, db::column_t column) {
  const auto& table = *files.source().table;
  const auto* field = known_field(table, column);
  if (field == nullptr || !is_small(files.source())) {
    return nullptr;
  }
  Range range;
  for (const auto& file : files.plan()->files) {
    if (!add_file(file.file, *field, range)) {
      return nullptr;
    }
  }
  return to_statistics(range, field->type);
}

db::vector<db::PartitionStatistics> file_statistics(const FileList& files) {
  db::vector<db::PartitionStatistics> result;
  const auto plan = files.plan();
  for (size_t i = 0; i < plan->files.size(); ++i) {
    if (!plan->files[i].deletes.empty() || files.source().rows_out_of(plan->files[i].file)) {
      return {};
    }
    db::PartitionStatistics statistics;
    statistics.count = static_cast<db::idx_t>(plan->files[i].file.record_count);
    statistics.count_type = db::CountType::COUNT_EXACT;
    statistics.partition_row_group = db::make_shared_ptr<FileRowGroup>(files.shared_source(), plan, i);
    result.push_back(std::move(statistics));
  }
  return result;
}

}  // namespace tarn::engine::lake
