// One line of JSON into one row of a chunk, or the reason why it makes none.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/duck/json/json_value.h"
#include "engine/duck/json/scan_record.h"

namespace tarn::engine::json {

struct LineKey {
  std::string key;   // in the line
  std::string name;  // of the column, for reasons
  bool required = false;
  std::optional<Target> target;  // none: known, and not wanted
};

class LineReader {
 public:
  // `columns`: index of the chunk's column for each key; -1: not asked for. Both outlive the reader.
  LineReader(db::ClientContext& context, const std::vector<LineKey>& keys, const std::vector<int>& columns);

  // Nullopt: the row is there.
  std::optional<std::string> read(std::string_view line, db::DataChunk& chunk, db::idx_t row);
  // Keys that are not among those it was given, met in good lines since the last call; `first` counts from
  // `from`.
  NewKeys take_new_keys();
  void count_keys_from(uint64_t from) { next_key_ = from; }

 private:
  enum class State { kGood, kUnfit, kBroken };
  State read_object(std::string_view text, db::DataChunk& chunk, db::idx_t row);
  State read_member(codec::JsonScanner& scanner, size_t key, db::DataChunk& chunk, db::idx_t row);
  [[nodiscard]] int find(std::string_view key);
  [[nodiscard]] std::string_view likely_key() const {
    return expected_ < likely_.size() ? likely_[expected_] : std::string_view();
  }
  bool finish_row(db::DataChunk& chunk, db::idx_t row);
  std::string reasons(std::string_view text, db::DataChunk& chunk, db::idx_t row);
  void keep_new_keys();

  const std::vector<LineKey>& keys_;
  const std::vector<int>& columns_;
  std::unordered_map<std::string_view, size_t> by_key_;
  std::vector<std::string_view> likely_;  // the keys that need no escapes; others are ""
  std::vector<size_t> required_;
  size_t wanted_ = 0;           // keys that have a column
  size_t had_ = 0;              // of them, in this line
  size_t expected_ = 0;         // the key that comes next when lines are alike
  std::vector<uint64_t> seen_;  // by key: the line that had it last
  uint64_t line_ = 0;
  ValueReader values_;
  std::string buffer_;
  std::string wrapped_;
  std::vector<std::pair<std::string, std::string_view>> unknown_;  // of this line: key, value
  NewKeys new_keys_;
  uint64_t next_key_ = 0;
};

// Text that a column can hold: bytes that are not UTF-8 become '?'.
std::string printable(std::string_view bytes);

}  // namespace tarn::engine::json
