// What the scans of JSON lines of one connection met besides rows: lines that made none, keys that nobody
// named.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "codec/json_shape.h"
#include "duckdb.hpp"
#include "engine/duck/json/line_range.h"

namespace tarn::engine::json {

struct NewKey {
  uint64_t first = 0;  // where it was seen first: range, then place within it
  codec::JsonShape shape;
};

using NewKeys = std::map<std::string, NewKey, std::less<>>;

// Thread-safe; a scan's threads add, one statement after it reads.
class ScanRecord {
 public:
  ScanRecord(db::ClientContext& context, std::vector<std::string> fetches, std::vector<FileRange> ranges);

  static db::vector<db::LogicalType> reject_types();  // range, line in it, reason, raw
  void add_range(size_t range, uint64_t lines, const NewKeys& keys);
  void add_rejects(db::DataChunk& chunk);

  [[nodiscard]] const std::vector<FileRange>& ranges() const { return ranges_; }
  [[nodiscard]] const std::string& fetch_of(size_t range) const { return fetches_[ranges_[range].file]; }
  // Of a range of the list; right once all ranges were added.
  [[nodiscard]] uint64_t lines_before(size_t range) const;
  [[nodiscard]] db::ColumnDataCollection& rejects() { return rejects_; }
  // In the order in which they came.
  [[nodiscard]] std::vector<std::pair<std::string, codec::JsonShape>> keys() const;

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> fetches_;
  std::vector<FileRange> ranges_;
  std::vector<uint64_t> lines_;  // by range
  db::ColumnDataCollection rejects_;
  NewKeys keys_;
};

class ScanRecords : public db::ClientContextState {
 public:
  static std::shared_ptr<ScanRecord> find(db::ClientContext& context, int64_t scan);
  static void put(db::ClientContext& context, int64_t scan, std::shared_ptr<ScanRecord> record);

 private:
  std::mutex mutex_;
  std::map<int64_t, std::shared_ptr<ScanRecord>> records_;
};

}  // namespace tarn::engine::json
