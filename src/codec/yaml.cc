#include "codec/yaml.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <map>
#include <sstream>

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include "codec/scalar_place.h"
#include "codec/text_distance.h"

namespace tarn::codec {
namespace {

constexpr size_t kNodesMax = 1'000'000;  // also what aliases may unfold to
constexpr size_t kDepthMax = 200;

size_t count_nodes(const YamlNode& node) {
  size_t count = 1;
  for (const auto& item : node.items) {
    count += count_nodes(item);
  }
  for (const auto& entry : node.entries) {
    count += count_nodes(entry.value);
  }
  return count;
}

// Builds the tree from yaml-cpp's events. Keeps the first mistake; after it the events are only counted off.
class TreeBuilder : public YAML::EventHandler {
 public:
  explicit TreeBuilder(std::string_view file) : file_(file) {}

  [[nodiscard]] const std::optional<Error>& error() const { return error_; }
  YamlNode take_root() { return std::exchange(root_, {}); }
  [[nodiscard]] const Place& root_place() const { return root_.place; }
  // The last text in quotes: the only one that the end of the file may have closed.
  [[nodiscard]] const Place& last_quoted() const { return last_quoted_; }

  void fail(const Place& place, std::string_view message) {
    if (!error_) {
      error_ = Error{Code::kInvalid, fmt::format("{}: {}", to_string(place), message)};
    }
  }
  [[nodiscard]] Place place_of(const YAML::Mark& mark) const {
    return {file_, mark.line + 1, mark.column + 1};
  }

  void OnDocumentStart(const YAML::Mark& /*mark*/) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override { leaf(make(mark), anchor); }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    auto found = anchors_.find(anchor);
    if (found == anchors_.end()) {
      fail(place_of(mark), "this alias stands inside what it names; write the value out");
      leaf(make(mark), 0);
      return;
    }
    nodes_ += count_nodes(found->second);
    if (nodes_ > kNodesMax) {
      fail(place_of(mark), fmt::format("aliases unfold to more than {} values; write fewer", kNodesMax));
    }
    YamlNode copy = error_ ? YamlNode{} : found->second;
    leaf(std::move(copy), 0);
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    YamlNode node = make(mark);
    node.kind = YamlNode::Kind::kScalar;
    node.text = value;
    node.quoted = tag == "!";
    if (node.quoted) {
      last_quoted_ = node.place;
    }
    leaf(std::move(node), anchor);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& /*tag*/, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value /*style*/) override {
    open(mark, YamlNode::Kind::kSequence, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& /*tag*/, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value /*style*/) override {
    open(mark, YamlNode::Kind::kMap, anchor);
  }
  void OnMapEnd() override {
    merge(open_.back().node);
    close();
  }

 private:
  struct Open {
    YamlNode node;
    YAML::anchor_t anchor = 0;
    std::optional<YamlNode> key;
  };

  [[nodiscard]] YamlNode make(const YAML::Mark& mark) const {
    YamlNode node;
    node.place = place_of(mark);
    return node;
  }

  void open(const YAML::Mark& mark, YamlNode::Kind kind, YAML::anchor_t anchor) {
    if (open_.size() >= kDepthMax) {
      fail(place_of(mark), fmt::format("nested more than {} deep", kDepthMax));
    }
    Open opened{.node = make(mark), .anchor = anchor, .key = std::nullopt};
    opened.node.kind = kind;
    open_.push_back(std::move(opened));
  }

  void close() {
    Open closed = std::move(open_.back());
    open_.pop_back();
    leaf(std::move(closed.node), closed.anchor);
  }

  // Puts a finished value into what is open.
  void leaf(YamlNode node, YAML::anchor_t anchor) {
    if (++nodes_ > kNodesMax) {
      fail(node.place, fmt::format("more than {} values in one file", kNodesMax));
    }
    if (error_) {
      drop();
      return;
    }
    if (anchor != 0) {
      anchors_[anchor] = node;
    }
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    Open& parent = open_.back();
    if (parent.node.kind == YamlNode::Kind::kSequence) {
      parent.node.items.push_back(std::move(node));
    } else if (!parent.key) {
      parent.key = std::move(node);
    } else {
      add_entry(parent, std::move(node));
    }
  }

  // After a mistake only the alternation of keys and values must go on.
  void drop() {
    if (!open_.empty()) {
      Open& parent = open_.back();
      parent.key = parent.key ? std::nullopt : std::optional<YamlNode>(YamlNode{});
    }
  }

  void add_entry(Open& parent, YamlNode value) {
    YamlNode key = std::move(*parent.key);
    parent.key.reset();
    if (key.kind == YamlNode::Kind::kMap || key.kind == YamlNode::Kind::kSequence) {
      fail(key.place, "a key must be plain text; put quotes around {{ … }} and the like");
      return;
    }
    if (const YamlNode* first = parent.node.find(key.text); first != nullptr && key.text != "<<") {
      fail(key.place, fmt::format("key '{}' stands here twice; keep one of them", key.text));
      return;
    }
    if (value.kind == YamlNode::Kind::kNull) {
      value.place = key.place;  // yaml-cpp's mark of an absent value is that of the next token
    }
    parent.node.entries.push_back({std::move(key.text), key.place, std::move(value)});
  }

  // "<<: *defaults": the named map's members, where the map has none of its own.
  static void merge(YamlNode& map) {
    for (size_t i = 0; i < map.entries.size(); ++i) {
      if (map.entries[i].key != "<<" || map.entries[i].value.kind != YamlNode::Kind::kMap) {
        continue;
      }
      YamlNode merged = std::move(map.entries[i].value);
      map.entries.erase(map.entries.begin() + static_cast<std::ptrdiff_t>(i));
      for (auto& entry : merged.entries) {
        if (map.find(entry.key) == nullptr) {
          map.entries.push_back(std::move(entry));
        }
      }
      return;
    }
  }

  std::string file_;
  YamlNode root_;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, YamlNode> anchors_;
  std::optional<Error> error_;
  size_t nodes_ = 0;
  Place last_quoted_;
};

// yaml-cpp's words for the commonest mistakes, with what to do.
std::string remedy_of(const std::string& message) {
  if (message == "illegal map value") {
    return "; put quotes around a text that holds a colon and a blank";
  }
  bool indented =
      message.starts_with("end of map not found") || message.starts_with("end of sequence not found");
  return indented ? "; this line's indentation fits to none above" : "";
}

// Tabs in front of a line: YAML forbids them, yaml-cpp's message does not say so.
std::optional<Place> find_tab(std::string_view text, std::string_view file) {
  int line = 1;
  bool in_front = true;
  int column = 0;
  for (char c : text) {
    ++column;
    if (c == '\n') {
      ++line;
      column = 0;
      in_front = true;
    } else if (c == '\t' && in_front) {
      return Place{std::string(file), line, column};
    } else if (c != ' ') {
      in_front = false;
    }
  }
  return std::nullopt;
}

std::string kind_name(const YamlNode& node) {
  switch (node.kind) {
    case YamlNode::Kind::kNull: return "nothing";
    case YamlNode::Kind::kScalar: return fmt::format("'{}'", node.text);
    case YamlNode::Kind::kSequence: return "a list";
    case YamlNode::Kind::kMap: return "a map";
  }
  return "";
}

}  // namespace

bool is_empty(const YamlNode& node) {
  return node.kind == YamlNode::Kind::kNull || (node.kind == YamlNode::Kind::kScalar && node.text.empty());
}

const YamlNode* YamlNode::find(std::string_view key) const {
  for (const auto& entry : entries) {
    if (entry.key == key) {
      return &entry.value;
    }
  }
  return nullptr;
}

Result<YamlNode> parse_yaml(std::string_view text, std::string_view file) {
  TreeBuilder builder(file);
  std::istringstream stream{std::string(text)};
  try {
    YAML::Parser parser(stream);
    YamlNode empty;
    empty.place = {std::string(file), 1, 1};
    if (!parser.HandleNextDocument(builder)) {
      return empty;
    }
    if (builder.error()) {
      return Error(*builder.error());
    }
    if (builder.last_quoted().line > 0 && !is_closed(text, builder.last_quoted())) {
      return Error{Code::kInvalid, to_string(builder.last_quoted()) + ": this quote is never closed"};
    }
    YamlNode root = builder.take_root();  // and nothing of it stays
    if (parser.HandleNextDocument(builder)) {
      // A second document that has a mistake of its own left no root.
      const Place& second = builder.root_place();
      return Error{Code::kInvalid, fmt::format("{}: a second document begins after '---'; keep one a file",
                                               to_string(second.line > 0 ? second : root.place))};
    }
    return root;
  } catch (const YAML::Exception& mistake) {
    if (auto tab = find_tab(text, file)) {
      return Error{Code::kInvalid, to_string(*tab) + ": a tab in front of the text; indent with blanks"};
    }
    Place place{std::string(file)};
    if (!mistake.mark.is_null()) {
      place = builder.place_of(mistake.mark);
    }
    return Error{Code::kInvalid, fmt::format("{}: not valid YAML: {}{}", to_string(place), mistake.msg,
                                             remedy_of(mistake.msg))};
  }
}

YamlReader::YamlReader(const YamlNode& map, std::string what, Diagnostics& diagnostics)
    : map_(map), what_(std::move(what)), diagnostics_(diagnostics) {
  if (map.kind != YamlNode::Kind::kMap && map.kind != YamlNode::Kind::kNull) {
    mistake(map, fmt::format("{} must be a map of keys and values, not {}", what_, kind_name(map)));
  }
}

const YamlNode* YamlReader::child(std::string_view key) {
  known_.emplace_back(key);
  return map_.find(key);
}

std::string YamlReader::required_text(std::string_view key) {
  const YamlNode* node = child(key);
  if (node == nullptr || node->kind == YamlNode::Kind::kNull) {
    mistake(node != nullptr ? *node : map_, fmt::format("{} lacks '{}'", what_, key));
    return "";
  }
  known_.pop_back();
  return text(key);
}

std::string YamlReader::text(std::string_view key, std::string fallback) {
  const YamlNode* node = child(key);
  if (node == nullptr || node->kind == YamlNode::Kind::kNull) {
    return fallback;
  }
  if (node->kind != YamlNode::Kind::kScalar) {
    mistake(*node, fmt::format("'{}' must be text, not {}", key, kind_name(*node)));
    return fallback;
  }
  return node->text;
}

std::optional<int64_t> YamlReader::integer(std::string_view key) {
  const YamlNode* node = child(key);
  if (node == nullptr || node->kind == YamlNode::Kind::kNull) {
    return std::nullopt;
  }
  int64_t value = 0;
  const char* begin = node->text.data();
  const char* end = begin + node->text.size();
  auto [stopped, error] = std::from_chars(begin, end, value);
  if (node->kind != YamlNode::Kind::kScalar || node->text.empty() || error != std::errc() || stopped != end) {
    mistake(*node, fmt::format("'{}' must be a whole number, not {}", key, kind_name(*node)));
    return std::nullopt;
  }
  return value;
}

std::optional<double> YamlReader::number(std::string_view key) {
  const YamlNode* node = child(key);
  if (node == nullptr || node->kind == YamlNode::Kind::kNull) {
    return std::nullopt;
  }
  double value = 0;
  const char* begin = node->text.data();
  const char* end = begin + node->text.size();
  auto [stopped, error] = std::from_chars(begin, end, value);
  if (node->kind != YamlNode::Kind::kScalar || node->text.empty() || error != std::errc() || stopped != end) {
    mistake(*node, fmt::format("'{}' must be a number, not {}", key, kind_name(*node)));
    return std::nullopt;
  }
  return value;
}

bool YamlReader::boolean(std::string_view key, bool fallback) {
  const YamlNode* node = child(key);
  if (node == nullptr || node->kind == YamlNode::Kind::kNull) {
    return fallback;
  }
  std::string word = node->text;
  std::transform(word.begin(), word.end(), word.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (word == "true" || word == "yes" || word == "on") {
    return true;
  }
  if (word == "false" || word == "no" || word == "off") {
    return false;
  }
  mistake(*node, fmt::format("'{}' must be true or false, not {}", key, kind_name(*node)));
  return fallback;
}

std::optional<std::vector<std::string>> YamlReader::texts(std::string_view key) {
  const YamlNode* node = child(key);
  if (node == nullptr || node->kind == YamlNode::Kind::kNull) {
    return std::nullopt;
  }
  if (node->kind == YamlNode::Kind::kScalar) {
    return std::vector<std::string>{node->text};
  }
  if (node->kind != YamlNode::Kind::kSequence) {
    mistake(*node, fmt::format("'{}' must be a list of texts, not {}", key, kind_name(*node)));
    return std::nullopt;
  }
  std::vector<std::string> all;
  for (const auto& item : node->items) {
    if (item.kind != YamlNode::Kind::kScalar) {
      mistake(item, fmt::format("each member of '{}' must be text, not {}", key, kind_name(item)));
    } else {
      all.push_back(item.text);
    }
  }
  return all;
}

std::string YamlReader::choice(std::string_view key, const std::vector<std::string>& allowed,
                               std::string fallback) {
  std::string value = text(key, fallback);
  if (value == fallback || std::find(allowed.begin(), allowed.end(), value) != allowed.end()) {
    return value;
  }
  std::string near = nearest(value, allowed);
  std::string remedy = near.empty() ? fmt::format("write one of: {}", fmt::join(allowed, ", "))
                                    : fmt::format("did you mean '{}'?", near);
  mistake(*map_.find(key), fmt::format("'{}' cannot be '{}': {}", key, value, remedy));
  return fallback;
}

void YamlReader::mistake(const YamlNode& at, std::string message) {
  diagnostics_.push_back({at.place, std::move(message)});
}

void YamlReader::finish() {
  for (const auto& entry : map_.entries) {
    if (std::find(known_.begin(), known_.end(), entry.key) != known_.end()) {
      continue;
    }
    std::string near = nearest(entry.key, known_);
    std::string remedy = near.empty() ? fmt::format("known are: {}", fmt::join(known_, ", "))
                                      : fmt::format("did you mean '{}'?", near);
    diagnostics_.push_back({entry.place, fmt::format("unknown key '{}': {}", entry.key, remedy)});
  }
}

}  // namespace tarn::codec
