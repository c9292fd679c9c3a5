#include "engine/duck/json/line_reader.h"

#include <fmt/format.h>

#include "codec/json_depth.h"

namespace tarn::engine::json {
namespace {

using codec::JsonKind;
using codec::JsonScanner;

constexpr size_t kShownBytes = 80;
constexpr const char* kNotJson = "the line is not valid JSON";

// The beginning of a value, as people read it; never half a character.
std::string shown(std::string_view raw) {
  JsonScanner scanner(raw);
  std::string buffer;
  std::string_view text = raw;
  if (scanner.next_kind() == JsonKind::kString) {
    scanner.read_string(text, buffer);
  }
  size_t size = std::min(text.size(), kShownBytes);
  while (size < text.size() && size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80) {
    --size;
  }
  return std::string(text.substr(0, size));
}

bool is_valid(std::string_view text) {
  JsonScanner scanner(text);
  std::string_view raw;
  return scanner.skip(raw) && scanner.at_end();
}

}  // namespace

std::string printable(std::string_view bytes) {
  std::string text(bytes);
  if (!codec::is_utf8(text)) {
    for (char& c : text) {
      c = static_cast<unsigned char>(c) < 0x80 ? c : '?';
    }
  }
  return text;
}

LineReader::LineReader(db::ClientContext& context, const std::vector<LineKey>& keys,
                       const std::vector<int>& columns)
    : keys_(keys), columns_(columns), seen_(keys.size()), values_(context) {
  for (size_t i = 0; i < keys.size(); ++i) {
    by_key_.emplace(keys[i].key, i);
    likely_.push_back(codec::is_plain_text(keys[i].key) ? std::string_view(keys[i].key) : "");
    wanted_ += columns[i] >= 0 ? 1 : 0;
    if (columns[i] >= 0 && keys[i].required) {
      required_.push_back(i);
    }
  }
}

int LineReader::find(std::string_view key) {
  if (expected_ < keys_.size() && keys_[expected_].key == key) {
    return static_cast<int>(expected_++);
  }
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) {
    return -1;
  }
  expected_ = found->second + 1;
  return static_cast<int>(found->second);
}

LineReader::State LineReader::read_member(JsonScanner& scanner, size_t key, db::DataChunk& chunk,
                                          db::idx_t row) {
  std::string_view raw;
  const int column = columns_[key];
  if (column < 0) {
    return scanner.skip(raw) ? State::kGood : State::kBroken;
  }
  had_ += seen_[key] == line_ ? 0 : 1;
  seen_[key] = line_;
  auto& vector = chunk.data.data()[column];
  switch (values_.read(scanner, *keys_[key].target, vector, row)) {
    case Outcome::kDone: return State::kGood;
    case Outcome::kUnfit: return State::kUnfit;
    case Outcome::kBroken: return State::kBroken;
  }
  return State::kBroken;
}

LineReader::State LineReader::read_object(std::string_view text, db::DataChunk& chunk, db::idx_t row) {
  JsonScanner scanner(text);
  if (scanner.next_kind() != JsonKind::kObject) {
    return State::kBroken;
  }
  ++line_;
  expected_ = 0;
  had_ = 0;
  unknown_.clear();
  scanner.open();
  for (bool first = true;; first = false) {
    std::string_view key;
    const auto step = scanner.next_member(first, key, buffer_, likely_key());
    if (step == JsonScanner::Step::kBroken) {
      return State::kBroken;
    }
    if (step == JsonScanner::Step::kEnd) {
      break;
    }
    if (const int known = find(key); known >= 0) {
      const auto state = read_member(scanner, static_cast<size_t>(known), chunk, row);
      if (state != State::kGood) {
        return state;
      }
    } else {
      std::string name(key);
      std::string_view raw;
      if (!scanner.skip(raw)) {
        return State::kBroken;
      }
      unknown_.emplace_back(std::move(name), raw);
    }
  }
  if (!scanner.at_end()) {
    return State::kBroken;
  }
  return finish_row(chunk, row) ? State::kGood : State::kUnfit;
}

// Nulls for what the line did not have; false: a required value is missing.
bool LineReader::finish_row(db::DataChunk& chunk, db::idx_t row) {
  bool complete = true;
  for (size_t i = 0; had_ < wanted_ && i < keys_.size(); ++i) {
    if (columns_[i] >= 0 && seen_[i] != line_) {
      ValueReader::set_null(*keys_[i].target, chunk.data.data()[columns_[i]], row);
    }
  }
  for (const size_t i : required_) {
    complete = complete && !db::FlatVector::IsNull(chunk.data.data()[columns_[i]], row);
  }
  return complete;
}

std::optional<std::string> LineReader::read(std::string_view line, db::DataChunk& chunk, db::idx_t row) {
  auto text = line;
  auto state = read_object(text, chunk, row);
  if (state == State::kBroken && is_valid(line) && JsonScanner(line).next_kind() != JsonKind::kObject) {
    wrapped_ = fmt::format("{{\"value\": {}}}", line);
    text = wrapped_;
    state = read_object(text, chunk, row);
  }
  if (state == State::kGood) {
    keep_new_keys();
    return std::nullopt;
  }
  if (state == State::kUnfit && is_valid(text)) {
    return reasons(text, chunk, row);
  }
  if (codec::json_depth(text) > codec::kJsonDepthMax) {
    return fmt::format("nested more than {} deep", codec::kJsonDepthMax);
  }
  return kNotJson;
}

// Value by value, as one that is not fit ends the quick way.
std::string LineReader::reasons(std::string_view text, db::DataChunk& chunk, db::idx_t row) {
  std::vector<std::string> unfit(keys_.size());
  std::vector<bool> missing(keys_.size(), true);
  JsonScanner scanner(text);
  scanner.next_kind();
  scanner.open();
  std::string_view key;
  for (bool first = true; scanner.next_member(first, key, buffer_) == JsonScanner::Step::kItem;
       first = false) {
    const auto known = by_key_.find(key);
    std::string_view raw;
    scanner.skip(raw);
    if (known == by_key_.end() || columns_[known->second] < 0) {
      continue;
    }
    const size_t i = known->second;
    JsonScanner value(raw);
    missing[i] = value.next_kind() == JsonKind::kNull;
    unfit[i].clear();
    if (read_member(value, i, chunk, row) == State::kUnfit) {
      unfit[i] = fmt::format("column {}: cannot read '{}' as {}", keys_[i].name, shown(raw),
                             keys_[i].target->type.ToString());
    }
  }
  std::vector<std::string> all;
  for (size_t i = 0; i < keys_.size(); ++i) {
    if (!unfit[i].empty()) {
      all.push_back(unfit[i]);
    } else if (columns_[i] >= 0 && keys_[i].required && missing[i]) {
      all.push_back(fmt::format("column {} is required", keys_[i].name));
    }
  }
  return fmt::format("{}", fmt::join(all, "; "));
}

void LineReader::keep_new_keys() {
  for (const auto& [key, raw] : unknown_) {
    auto found = new_keys_.find(key);
    if (found == new_keys_.end()) {
      found = new_keys_.emplace(key, NewKey{.first = next_key_++, .shape = {}}).first;
    }
    JsonScanner scanner(raw);
    found->second.shape.add(scanner);
  }
  unknown_.clear();
}

NewKeys LineReader::take_new_keys() {
  return std::exchange(new_keys_, {});
}

}  // namespace tarn::engine::json
