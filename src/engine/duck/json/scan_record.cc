#include "engine/duck/json/scan_record.h"

#include <algorithm>

namespace tarn::engine::json {
namespace {

constexpr const char* kStateName = "tarn_json_scans";

}  // namespace

ScanRecord::ScanRecord(db::ClientContext& context, std::vector<std::string> fetches,
                       std::vector<FileRange> ranges)
    : fetches_(std::move(fetches)),
      ranges_(std::move(ranges)),
      lines_(ranges_.size()),
      rejects_(db::BufferManager::GetBufferManager(context), reject_types()) {}

db::vector<db::LogicalType> ScanRecord::reject_types() {
  return {db::LogicalType::BIGINT, db::LogicalType::BIGINT, db::LogicalType::VARCHAR,
          db::LogicalType::VARCHAR};
}

void ScanRecord::add_range(size_t range, uint64_t lines, const NewKeys& keys) {
  const std::lock_guard lock(mutex_);
  lines_[range] = lines;
  for (const auto& [key, found] : keys) {
    const auto [known, fresh] = keys_.try_emplace(key, found);
    if (!fresh) {
      known->second.first = std::min(known->second.first, found.first);
      known->second.shape.merge(found.shape);
    }
  }
}

void ScanRecord::add_rejects(db::DataChunk& chunk) {
  const std::lock_guard lock(mutex_);
  rejects_.Append(chunk);
}

uint64_t ScanRecord::lines_before(size_t range) const {
  const std::lock_guard lock(mutex_);
  uint64_t lines = 0;
  for (size_t i = range; i > 0 && ranges_[i - 1].file == ranges_[range].file; --i) {
    lines += lines_[i - 1];
  }
  return lines;
}

std::vector<std::pair<std::string, codec::JsonShape>> ScanRecord::keys() const {
  const std::lock_guard lock(mutex_);
  std::vector<const NewKeys::value_type*> order;
  for (const auto& key : keys_) {
    order.push_back(&key);
  }
  std::sort(order.begin(), order.end(), [](auto* a, auto* b) { return a->second.first < b->second.first; });
  std::vector<std::pair<std::string, codec::JsonShape>> out;
  for (const auto* key : order) {
    out.emplace_back(key->first, key->second.shape);
  }
  return out;
}

std::shared_ptr<ScanRecord> ScanRecords::find(db::ClientContext& context, int64_t scan) {
  auto records = context.registered_state->GetOrCreate<ScanRecords>(kStateName);
  const std::lock_guard lock(records->mutex_);
  const auto found = records->records_.find(scan);
  return found == records->records_.end() ? nullptr : found->second;
}

void ScanRecords::put(db::ClientContext& context, int64_t scan, std::shared_ptr<ScanRecord> record) {
  auto records = context.registered_state->GetOrCreate<ScanRecords>(kStateName);
  const std::lock_guard lock(records->mutex_);
  records->records_[scan] = std::move(record);
}

}  // namespace tarn::engine::json
