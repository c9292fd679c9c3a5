// YAML with places: every node knows its line and column, so that a mistake can be shown where it stands.
// Reading never throws. Duplicate keys, aliases to nothing and tabs are errors with a place.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/diagnostic.h"
#include "base/result.h"

namespace tarn::codec {

class YamlNode {
 public:
  enum class Kind { kNull, kScalar, kSequence, kMap };
  struct Entry;

  Kind kind = Kind::kNull;
  std::string text;     // scalar: its text, without quotes
  bool quoted = false;  // scalar: written in quotes, so it is a string whatever it looks like
  Place place;
  std::vector<YamlNode> items;  // sequence
  std::vector<Entry> entries;   // map, in the order of the text

  [[nodiscard]] const YamlNode* find(std::string_view key) const;  // map member, or null
};

// Nothing, or a text without a letter: "key:", "key: ''".
bool is_empty(const YamlNode& node);

struct YamlNode::Entry {
  std::string key;
  Place place;  // of the key
  YamlNode value;
};

// `file` is used in places and messages only. An empty text is a null node.
Result<YamlNode> parse_yaml(std::string_view text, std::string_view file);

// Reads the members of one map and collects mistakes instead of stopping: wrong type, missing, unknown key
// ("unknown key 'metod': did you mean 'method'?"). Call finish() last.
class YamlReader {
 public:
  YamlReader(const YamlNode& map, std::string what, Diagnostics& diagnostics);

  std::string required_text(std::string_view key);
  std::string text(std::string_view key, std::string fallback = "");
  std::optional<int64_t> integer(std::string_view key);
  std::optional<double> number(std::string_view key);
  bool boolean(std::string_view key, bool fallback);
  std::optional<std::vector<std::string>> texts(std::string_view key);  // a sequence, or one scalar
  const YamlNode* child(std::string_view key);                          // any kind; null when absent
  // One of `allowed`, or `fallback` when absent.
  std::string choice(std::string_view key, const std::vector<std::string>& allowed, std::string fallback);
  void mistake(const YamlNode& at, std::string message);
  void finish();  // reports unknown keys

 private:
  const YamlNode& map_;
  std::string what_;
  Diagnostics& diagnostics_;
  std::vector<std::string> known_;
};

}  // namespace tarn::codec
