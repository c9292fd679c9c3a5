// Rows of data files that are deleted: read from delete files, kept for the next scan, and left out of a
// scan. Equality deletes (which Tarn reads and does not write) become positions, too.
#pragma once

#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "duckdb/common/multi_file/base_file_reader.hpp"
#include "engine/duck/lake/glue.h"
#include "engine/duck/lake/positions.h"
#include "engine/lake_catalog.h"

namespace tarn::engine::lake {

// The deleted rows of data files that were read lately, as their delete files never change. Thread-safe.
class DeleteCache {
 public:
  // Never null. Positions behind the end of the file mean nothing and are left out.
  std::shared_ptr<const Positions> read(db::ClientContext& context, const iceberg::TableMetadata& metadata,
                                        const ScanFile& file);

 private:
  struct Entry {
    std::string key;
    std::shared_ptr<const Positions> positions;
  };

  void put(const std::string& key, std::shared_ptr<const Positions> positions);

  std::mutex mutex_;          // guards what follows
  std::list<Entry> entries_;  // newest first
  std::map<std::string, std::list<Entry>::iterator, std::less<>> by_key_;
  size_t bytes_ = 0;
};

// Leaves out what any of the two names; either may be null.
db::unique_ptr<db::DeleteFilter> delete_filter(std::shared_ptr<const Positions> committed,
                                               std::shared_ptr<const Positions> own);

}  // namespace tarn::engine::lake
