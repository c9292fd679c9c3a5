#include "engine/duck/lake/file_measures.h"

#include <algorithm>
#include <span>
#include <unordered_map>

#include <fmt/format.h>

#include "duckdb/main/connection.hpp"
#include "duckdb/parser/keyword_helper.hpp"
#include "engine/duck/lake/types.h"
#include "iceberg/bounds.h"

namespace tarn::engine::lake {
namespace {

using iceberg::DataFile;
using iceberg::Field;
using iceberg::TypeKind;

// Below both, a file has one row group: the writer fills them up to 122,880 rows or about 120 MB in memory,
// and writes a thread's part as one of its own from half of that.
constexpr int64_t kOneGroupRows = 32'768;
constexpr int64_t kOneGroupBytes = 4 << 20;
constexpr size_t kFilesAtOnce = 256;

// A flat column outside of lists and maps.
struct Leaf {
  const Field* field = nullptr;
  std::string sql;

  [[nodiscard]] bool is_floating() const {
    return field->type.kind == TypeKind::kFloat || field->type.kind == TypeKind::kDouble;
  }
};

std::string quoted(const std::string& text) {
  return db::KeywordHelper::WriteQuoted(text, '\'');
}

void find_leaves(const std::vector<Field>& fields, const std::string& parent, std::vector<Leaf>& leaves) {
  for (const auto& field : fields) {
    auto sql = parent.empty() ? db::KeywordHelper::WriteQuoted(field.name, '"')
                              : fmt::format("struct_extract({}, {})", parent, quoted(field.name));
    if (field.type.kind == TypeKind::kStruct) {
      find_leaves(field.type.fields, sql, leaves);
    } else if (!field.type.is_nested()) {
      leaves.push_back({&field, std::move(sql)});
    }
  }
}

int64_t count_of(const std::map<int, int64_t>& counts, int id) {
  const auto found = counts.find(id);
  return found == counts.end() ? 0 : found->second;
}

bool is_missing(const DataFile& file, const Leaf& leaf) {
  const int id = leaf.field->id;
  const auto values = count_of(file.value_counts, id) - count_of(file.null_value_counts, id);
  if (values == 0) {
    return false;
  }
  if (leaf.is_floating() && !file.nan_value_counts.contains(id)) {
    return true;
  }
  return !file.lower_bounds.contains(id) && values > count_of(file.nan_value_counts, id);
}

constexpr size_t kMeasures = 3;  // of a leaf: NaNs, least, greatest

std::string measures_of(const Leaf& leaf) {
  if (leaf.is_floating()) {
    const auto is_number = fmt::format("FILTER (WHERE NOT isnan({}))", leaf.sql);
    return fmt::format("count_if(isnan({0})), min({0}) {1}, max({0}) {1}", leaf.sql, is_number);
  }
  // A bound needs one code point more than it keeps, which tells whether the text goes on.
  const bool text = leaf.field->type.kind == TypeKind::kString;
  return fmt::format("0, min({0}), max({0})", text ? fmt::format("left({}, 17)", leaf.sql) : leaf.sql);
}

void put_measures(DataFile& file, const Leaf& leaf, db::MaterializedQueryResult& rows, size_t column,
                  db::idx_t row) {
  const auto& field = *leaf.field;
  if (leaf.is_floating()) {
    file.nan_value_counts[field.id] = rows.GetValue(column, row).GetValue<int64_t>();
  }
  const auto least = to_iceberg(rows.GetValue(column + 1, row), field.type);
  const auto greatest = to_iceberg(rows.GetValue(column + 2, row), field.type);
  if (auto bound = least ? iceberg::lower_bound(field.type, *least) : std::nullopt) {
    file.lower_bounds[field.id] = std::move(*bound);
  }
  if (auto bound = greatest ? iceberg::upper_bound(field.type, *greatest) : std::nullopt) {
    file.upper_bounds[field.id] = std::move(*bound);
  }
}

// All files of a batch in one query: the engine reads them side by side.
void measure_columns(db::Connection& reader, const std::vector<Leaf>& leaves, std::span<DataFile*> files) {
  std::vector<const Leaf*> missing;
  for (const auto& leaf : leaves) {
    if (std::any_of(files.begin(), files.end(), [&](const auto* file) { return is_missing(*file, leaf); })) {
      missing.push_back(&leaf);
    }
  }
  std::string paths;
  std::unordered_map<std::string, DataFile*> by_path;
  for (auto* file : files) {
    const auto path = path_of(file->path);
    paths += fmt::format("{}{}", paths.empty() ? "" : ", ", quoted(path));
    by_path[path] = file;
  }
  std::string measures;
  for (const auto* leaf : missing) {
    measures += ", " + measures_of(*leaf);
  }
  auto rows = reader.Query(
      fmt::format("SELECT _tarn_file{} FROM system.main.parquet_scan([{}], filename = '_tarn_file', "
                  "hive_partitioning = false) GROUP BY ALL",
                  measures, paths));
  if (rows->HasError()) {
    throw_error(to_error(rows->GetErrorObject()).at("measuring what was written"));
  }
  for (db::idx_t row = 0; row < rows->RowCount(); ++row) {
    auto& file = *by_path.at(rows->GetValue(0, row).ToString());
    for (size_t i = 0; i < missing.size(); ++i) {
      if (is_missing(file, *missing[i])) {
        put_measures(file, *missing[i], *rows, 1 + kMeasures * i, row);
      }
    }
  }
}

}  // namespace

void measure_row_groups(db::ClientContext& context, DataFile& file) {
  if (file.record_count <= kOneGroupRows && file.file_size_bytes <= kOneGroupBytes) {
    return;
  }
  db::Connection reader(*context.db);  // a context of its own: this one is in the middle of a statement
  // A row group begins with its first column: with the dictionary where there is one.
  auto rows = reader.Query(
      fmt::format("SELECT least(coalesce(nullif(dictionary_page_offset, 0), data_page_offset), "
                  "data_page_offset) FROM system.main.parquet_metadata({}) WHERE column_id = 0 ORDER BY "
                  "row_group_id",
                  quoted(path_of(file.path))));
  if (rows->HasError()) {
    throw_error(to_error(rows->GetErrorObject()).at("measuring what was written"));
  }
  file.split_offsets.clear();
  for (db::idx_t row = 0; row < rows->RowCount(); ++row) {
    file.split_offsets.push_back(rows->GetValue(0, row).GetValue<int64_t>());
  }
}

void measure_files(db::ClientContext& context, const iceberg::TableMetadata& metadata,
                   std::vector<DataFile>& files) {
  std::vector<Leaf> leaves;
  find_leaves(metadata.schema().fields, "", leaves);
  std::vector<DataFile*> incomplete;
  for (auto& file : files) {
    measure_row_groups(context, file);
    if (std::any_of(leaves.begin(), leaves.end(), [&](const auto& leaf) { return is_missing(file, leaf); })) {
      incomplete.push_back(&file);
    }
  }
  if (incomplete.empty()) {
    return;
  }
  db::Connection reader(*context.db);
  for (size_t i = 0; i < incomplete.size(); i += kFilesAtOnce) {
    const auto count = std::min(kFilesAtOnce, incomplete.size() - i);
    measure_columns(reader, leaves, std::span(incomplete).subspan(i, count));
  }
}

}  // namespace tarn::engine::lake
