// The counts in a snapshot's summary: what it added and removed, and the totals after it.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "iceberg/data_file.h"
#include "iceberg/metadata.h"

namespace tarn::iceberg {

struct SnapshotChange;

class SnapshotSummary {
 public:
  void add(const DataFile& file);
  void remove(const DataFile& file);

  // All keys, operation included. Totals go on from `parent`, and are left out when the parent has none.
  [[nodiscard]] std::map<std::string, std::string> text(const Snapshot* parent,
                                                        const SnapshotChange& change) const;

 private:
  struct Counts {
    int64_t data_files = 0;
    int64_t records = 0;
    int64_t delete_files = 0;
    int64_t position_deletes = 0;
    int64_t equality_deletes = 0;
    int64_t bytes = 0;
  };

  void count(Counts& counts, const DataFile& file);

  Counts added_;
  Counts removed_;
  std::set<std::string> partitions_;  // touched ones, as bytes that differ when they do
};

}  // namespace tarn::iceberg
