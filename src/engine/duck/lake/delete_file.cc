#include "engine/duck/lake/delete_file.h"

#include <fmt/format.h>

#include "duckdb/catalog/catalog_entry/copy_function_catalog_entry.hpp"
#include "duckdb/common/types/uuid.hpp"
#include "duckdb/execution/execution_context.hpp"
#include "duckdb/function/copy_function.hpp"
#include "duckdb/parallel/thread_context.hpp"
#include "duckdb/parser/parsed_data/copy_info.hpp"
#include "engine/duck/lake/file_measures.h"
#include "iceberg/value.h"

namespace tarn::engine::lake {
namespace {

// The Parquet writer, driven by hand: the rows come from no plan.
class Writer {
 public:
  Writer(db::ClientContext& context, const std::string& path)
      : context_(context), function_(parquet(context).function) {
    db::CopyInfo info;
    info.file_path = path;
    info.format = "parquet";
    info.is_from = false;
    db::child_list_t<db::Value> ids;
    ids.emplace_back("file_path", db::Value::INTEGER(kDeletePathField));
    ids.emplace_back("pos", db::Value::INTEGER(kDeletePositionField));
    info.options["field_ids"] = {db::Value::STRUCT(std::move(ids))};
    info.options["compression"] = {db::Value("zstd")};
    db::CopyFunctionBindInput input(info);
    bound_ = function_.copy_to_bind(context, input, {"file_path", "pos"}, types());
    global_ = function_.copy_to_initialize_global(context, *bound_, path);
    function_.copy_to_get_written_statistics(context, *bound_, *global_, statistics_);
  }

  static db::vector<db::LogicalType> types() { return {db::LogicalType::VARCHAR, db::LogicalType::BIGINT}; }

  void write(const std::string& data_path, const Positions& rows) {
    db::ThreadContext thread(context_);
    db::ExecutionContext execution(context_, thread, nullptr);
    auto local = function_.copy_to_initialize_local(execution, *bound_);
    db::DataChunk chunk;
    chunk.Initialize(context_, types());
    const auto flush = [&] {
      chunk.data[0].Reference(db::Value(data_path));
      function_.copy_to_sink(execution, *bound_, *global_, *local, chunk);
      chunk.Reset();
    };
    rows.each([&](int64_t position) {
      const auto at = chunk.size();
      db::FlatVector::GetData<int64_t>(chunk.data[1])[at] = position;
      chunk.SetCardinality(at + 1);
      if (chunk.size() == STANDARD_VECTOR_SIZE) {
        flush();
      }
    });
    if (chunk.size() > 0) {
      flush();
    }
    function_.copy_to_combine(execution, *bound_, *global_, *local);
    function_.copy_to_finalize(context_, *bound_, *global_);
  }

  [[nodiscard]] int64_t file_size() const { return static_cast<int64_t>(statistics_.file_size_bytes); }

 private:
  static db::CopyFunctionCatalogEntry& parquet(db::ClientContext& context) {
    return db::Catalog::GetSystemCatalog(context).GetEntry<db::CopyFunctionCatalogEntry>(
        context, DEFAULT_SCHEMA, "parquet");
  }

  db::ClientContext& context_;
  db::CopyFunction function_;
  db::unique_ptr<db::FunctionData> bound_;
  db::unique_ptr<db::GlobalFunctionData> global_;
  db::CopyFunctionFileStatistics statistics_;
};

std::string bound(int64_t position) {
  return iceberg::to_bytes({.kind = iceberg::TypeKind::kLong}, position);
}

}  // namespace

iceberg::DataFile write_deletes(db::ClientContext& context, const std::string& folder, const std::string& tag,
                                const iceberg::DataFile& data, const Positions& rows) {
  const std::string path = fmt::format("{}/{}-{}-deletes.parquet", folder, tag,
                                       db::UUID::ToString(db::UUID::GenerateRandomUUID()));
  Writer writer(context, path);
  writer.write(data.path, rows);
  iceberg::DataFile file;
  file.content = iceberg::Content::kPositionDeletes;
  file.path = uri_of(path);
  file.spec_id = data.spec_id;
  file.partition = data.partition;
  file.record_count = rows.count();
  file.file_size_bytes = writer.file_size();
  file.split_offsets = {4};
  measure_row_groups(context, file);
  file.referenced_data_file = data.path;
  // The whole path in both bounds tells readers that know no referenced_data_file which file is meant.
  file.lower_bounds[kDeletePathField] = file.upper_bounds[kDeletePathField] = data.path;
  int64_t last = 0;
  int64_t first = -1;
  rows.each([&](int64_t position) {
    first = first < 0 ? position : first;
    last = position;
  });
  file.lower_bounds[kDeletePositionField] = bound(first);
  file.upper_bounds[kDeletePositionField] = bound(last);
  for (const int field : {kDeletePathField, kDeletePositionField}) {
    file.value_counts[field] = file.record_count;
    file.null_value_counts[field] = 0;
  }
  return file;
}

}  // namespace tarn::engine::lake
