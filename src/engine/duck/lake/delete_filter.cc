#include "engine/duck/lake/delete_filter.h"

#include <fmt/format.h>

#include <algorithm>

#include "duckdb/main/connection.hpp"
#include "duckdb/parser/keyword_helper.hpp"

namespace tarn::engine::lake {
namespace {

class PositionDeletes : public db::DeleteFilter {
 public:
  explicit PositionDeletes(std::vector<int64_t> positions) : positions_(std::move(positions)) {}

  db::idx_t Filter(db::row_t start, db::idx_t count, db::SelectionVector& result) override {
    auto next = std::lower_bound(positions_.begin(), positions_.end(), start);
    const db::row_t end = start + static_cast<db::row_t>(count);
    if (next == positions_.end() || *next >= end) {
      return count;
    }
    result.Initialize(STANDARD_VECTOR_SIZE);
    db::idx_t kept = 0;
    for (db::idx_t i = 0; i < count; ++i) {
      if (next != positions_.end() && *next == start + static_cast<db::row_t>(i)) {
        ++next;
        continue;
      }
      result.set_index(kept++, i);
    }
    return kept;
  }

 private:
  std::vector<int64_t> positions_;  // ascending, each once
};

std::string quoted(const std::string& text) {
  return db::KeywordHelper::WriteQuoted(text, '\'');
}

}  // namespace

db::unique_ptr<db::DeleteFilter> read_deletes(db::ClientContext& context, const ScanFile& file) {
  std::vector<int64_t> positions;
  db::Connection reader(*context.db);  // a context of its own: this one is in the middle of a statement
  for (const auto& deletes : file.deletes) {
    auto rows = reader.Query(fmt::format("SELECT pos FROM system.main.parquet_scan({}) WHERE file_path = {}",
                                         quoted(path_of(deletes.path)), quoted(file.file.path)));
    if (rows->HasError()) {
      throw_error(to_error(rows->GetErrorObject()).at("reading deletes of " + file.file.path));
    }
    while (auto chunk = rows->Fetch()) {
      for (db::idx_t i = 0; i < chunk->size(); ++i) {
        positions.push_back(chunk->GetValue(0, i).GetValue<int64_t>());
      }
    }
  }
  std::sort(positions.begin(), positions.end());
  positions.erase(std::unique(positions.begin(), positions.end()), positions.end());
  return db::make_uniq<PositionDeletes>(std::move(positions));
}

}  // namespace tarn::engine::lake
