#include "engine/duck/lake/delete_filter.h"

#include <bit>

#include <fmt/format.h>

#include "duckdb/main/connection.hpp"
#include "duckdb/parser/keyword_helper.hpp"
#include "engine/duck/lake/foreign_file.h"
#include "engine/duck/lake/types.h"

namespace tarn::engine::lake {
namespace {

// Names of folders say nothing of what is in a file, even where one is called pos=7.
constexpr std::string_view kFileOnly = "hive_partitioning = false";

constexpr size_t kCachedBytesMax = size_t{64} << 20;

class DeletedRows : public db::DeleteFilter {
 public:
  DeletedRows(std::shared_ptr<const Positions> committed, std::shared_ptr<const Positions> own)
      : committed_(std::move(committed)), own_(std::move(own)) {}

  db::idx_t Filter(db::row_t start, db::idx_t count, db::SelectionVector& result) override {
    bool any = false;
    for (db::idx_t i = 0; i < count && !any; i += kWindow) {
      any = deleted(start, i, count) != 0;
    }
    if (!any) {
      return count;
    }
    result.Initialize(STANDARD_VECTOR_SIZE);
    auto* kept = result.data();
    for (db::idx_t i = 0; i < count; i += kWindow) {
      for (uint64_t rows = ~deleted(start, i, count) & within(count - i); rows != 0; rows &= rows - 1) {
        *kept++ = static_cast<db::sel_t>(i + static_cast<db::idx_t>(std::countr_zero(rows)));
      }
    }
    return static_cast<db::idx_t>(kept - result.data());
  }

 private:
  static constexpr db::idx_t kWindow = 64;

  static uint64_t within(db::idx_t rows) {
    return rows >= kWindow ? ~uint64_t{0} : (uint64_t{1} << rows) - 1;
  }

  [[nodiscard]] uint64_t deleted(db::row_t start, db::idx_t i, db::idx_t count) const {
    const auto first = start + static_cast<db::row_t>(i);
    const uint64_t committed = committed_ ? committed_->window(first) : 0;
    return (committed | (own_ ? own_->window(first) : 0)) & within(count - i);
  }

  std::shared_ptr<const Positions> committed_;
  std::shared_ptr<const Positions> own_;
};

std::string quoted(const std::string& text) {
  return db::KeywordHelper::WriteQuoted(text, '\'');
}

// How many rows the query gave.
int64_t add_positions(db::Connection& reader, const std::string& sql, const ScanFile& file,
                      const iceberg::DataFile& deletes, Positions& positions) {
  auto rows = reader.Query(sql);
  if (rows->HasError()) {
    throw_error(to_error(rows->GetErrorObject()).at("deletes " + deletes.path));
  }
  int64_t count = 0;
  while (auto chunk = rows->Fetch()) {
    count += static_cast<int64_t>(chunk->size());
    db::UnifiedVectorFormat column;
    chunk->data[0].ToUnifiedFormat(chunk->size(), column);
    const auto* values = db::UnifiedVectorFormat::GetData<int64_t>(column);
    for (db::idx_t i = 0; i < chunk->size(); ++i) {
      const auto at = column.sel->get_index(i);
      if (column.validity.RowIsValid(at) && values[at] >= 0 && values[at] < file.file.record_count) {
        positions.add(values[at]);
      }
    }
  }
  return count;
}

// A field of any schema that the table has had: an equality delete may go by a column that is gone.
const iceberg::Field& need_field(const iceberg::TableMetadata& metadata, int id,
                                 const iceberg::DataFile& deletes) {
  for (auto schema = metadata.schemas.rbegin(); schema != metadata.schemas.rend(); ++schema) {
    if (const auto* field = schema->find(id); field != nullptr && !field->type.is_nested()) {
      return *field;
    }
  }
  throw_error(
      {Code::kCorrupt,
       fmt::format("{} deletes rows by the field {}, which no schema of the table has", deletes.path, id)});
}

bool has_field_ids(db::Connection& reader, const std::string& path) {
  auto rows = reader.Query(fmt::format(
      "SELECT count(*) FROM system.main.parquet_schema({}) WHERE field_id IS NOT NULL", quoted(path)));
  return rows->HasError() || rows->GetValue(0, 0).GetValue<int64_t>() > 0;
}

// The columns of `ids` as f1, f2, …, by field id, or by the table's name mapping where the file has no ids.
std::string columns_by_id(db::Connection& reader, const iceberg::TableMetadata& metadata,
                          const iceberg::DataFile& deletes, const std::string& path) {
  const bool by_id = has_field_ids(reader, path);
  std::map<int, std::string> names;
  for (const auto& field : by_id ? iceberg::NameMapping() : name_mapping(metadata)) {
    for (const auto& name : field.names) {
      auto rows = reader.Query(fmt::format(
          "SELECT count(*) FROM (DESCRIBE FROM system.main.parquet_scan({}, {})) WHERE column_name = {}",
          quoted(path), kFileOnly, quoted(name)));
      if (field.field_id && !rows->HasError() && rows->GetValue(0, 0).GetValue<int64_t>() == 1) {
        names[*field.field_id] = name;
      }
    }
  }
  std::string schema;
  std::string columns;
  for (const int id : deletes.equality_ids) {
    const auto type = engine_type(need_field(metadata, id, deletes).type).ToString();
    schema += fmt::format("{}{}: {{'name': 'f{}', 'type': {}, 'default_value': NULL}}",
                          schema.empty() ? "" : ", ", id, id, quoted(type));
    const auto name = names.find(id);
    const auto source = by_id                 ? fmt::format("f{}", id)
                        : name != names.end() ? db::KeywordHelper::WriteQuoted(name->second, '"')
                                              : std::string("NULL");
    columns += fmt::format(", CAST({} AS {}) AS f{}", source, type, id);
  }
  const auto by_schema = by_id ? fmt::format(", schema = MAP {{{}}}", schema) : std::string();
  return fmt::format(
      "(SELECT file_row_number{} FROM system.main.parquet_scan({}{}, file_row_number = true, {}))", columns,
      quoted(path), by_schema, kFileOnly);
}

// Rows that are equal in the fields of a delete file, null to null (spec: "Equality Delete Files").
std::string equality_sql(db::Connection& reader, const iceberg::TableMetadata& metadata, const ScanFile& file,
                         const iceberg::DataFile& deletes) {
  std::string condition;
  for (const int id : deletes.equality_ids) {
    condition += fmt::format("{}d.f{} IS NOT DISTINCT FROM e.f{}", condition.empty() ? "" : " AND ", id, id);
  }
  return fmt::format("SELECT d.file_row_number FROM {} d SEMI JOIN {} e ON {}",
                     columns_by_id(reader, metadata, deletes, path_of(file.file.path)),
                     columns_by_id(reader, metadata, deletes, path_of(deletes.path)), condition);
}

void read_file(db::Connection& reader, const iceberg::TableMetadata& metadata, const ScanFile& file,
               const iceberg::DataFile& deletes, Positions& positions) {
  if (deletes.format != "PARQUET" && deletes.format != "parquet") {
    throw_error(
        {Code::kUnsupported,
         fmt::format("the deletes in {} are {}, of which Tarn reads Parquet only: compact the table with "
                     "the program that wrote them",
                     deletes.path, deletes.format)});
  }
  const std::string sql =
      deletes.content == iceberg::Content::kEqualityDeletes
          ? equality_sql(reader, metadata, file, deletes)
          : fmt::format("SELECT pos FROM system.main.parquet_scan({}, {}) WHERE file_path = {}",
                        quoted(path_of(deletes.path)), kFileOnly, quoted(file.file.path));
  const auto rows = add_positions(reader, sql, file, deletes, positions);
  // A file of deletes for this one alone must hold as many as the manifest says.
  const bool is_own = deletes.content == iceberg::Content::kPositionDeletes && deletes.referenced_data_file;
  if (is_own && rows != deletes.record_count) {
    throw_error(
        {Code::kCorrupt, fmt::format("deletes {} name {} rows of {}, but the table's manifest says {}",
                                     deletes.path, rows, file.file.path, deletes.record_count)});
  }
}

}  // namespace

std::shared_ptr<const Positions> DeleteCache::read(db::ClientContext& context,
                                                   const iceberg::TableMetadata& metadata,
                                                   const ScanFile& file) {
  std::string key = file.file.path;
  for (const auto& deletes : file.deletes) {
    key += '\n' + deletes.path;
  }
  {
    const std::lock_guard lock(mutex_);
    const auto found = by_key_.find(key);
    if (found != by_key_.end()) {
      entries_.splice(entries_.begin(), entries_, found->second);
      return found->second->positions;
    }
  }
  auto positions = std::make_shared<Positions>();
  db::Connection reader(*context.db);  // a context of its own: this one is in the middle of a statement
  for (const auto& deletes : file.deletes) {
    read_file(reader, metadata, file, deletes, *positions);
  }
  put(key, positions);
  return positions;
}

void DeleteCache::put(const std::string& key, std::shared_ptr<const Positions> positions) {
  const std::lock_guard lock(mutex_);
  if (by_key_.contains(key)) {
    return;
  }
  bytes_ += key.size() + positions->bytes();
  entries_.push_front({.key = key, .positions = std::move(positions)});
  by_key_[key] = entries_.begin();
  while (bytes_ > kCachedBytesMax && entries_.size() > 1) {
    const auto& oldest = entries_.back();
    bytes_ -= oldest.key.size() + oldest.positions->bytes();
    by_key_.erase(oldest.key);
    entries_.pop_back();
  }
}

db::unique_ptr<db::DeleteFilter> delete_filter(std::shared_ptr<const Positions> committed,
                                               std::shared_ptr<const Positions> own) {
  return db::make_uniq<DeletedRows>(std::move(committed), std::move(own));
}

}  // namespace tarn::engine::lake
