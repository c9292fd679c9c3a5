#include "model/config.h"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>

#include "codec/text_distance.h"
#include "model/jinja/text.h"

namespace tarn::model {
namespace {

using jinja::Value;

// Keys that dbt knows and that change nothing here.
constexpr std::array<std::string_view, 7> kWithoutEffect = {"docs",         "meta",   "group",      "access",
                                                            "persist_docs", "grants", "description"};

const std::vector<std::string>& known_keys(NodeKind kind) {
  static const std::vector<std::string> kModel = {
      "materialized", "enabled",          "tags",         "schema",   "alias",     "unique_key",
      "full_refresh", "on_schema_change", "partition_by", "pre_hook", "post_hook", "incremental_strategy",
      "contract"};
  static const std::vector<std::string> kSeed = {"enabled",   "tags",         "schema",
                                                 "alias",     "column_types", "quote_columns",
                                                 "delimiter", "full_refresh", "materialized"};
  static const std::vector<std::string> kTest = {"enabled",        "tags",        "severity", "where",
                                                 "limit",          "warn_if",     "error_if", "alias",
                                                 "store_failures", "materialized"};
  return kind == NodeKind::kModel ? kModel : kind == NodeKind::kSeed ? kSeed : kTest;
}

// Reads items into a Config and collects mistakes.
class Decoder {
 public:
  Decoder(const ConfigItems& items, NodeKind kind, Diagnostics& diagnostics)
      : items_(items), kind_(kind), diagnostics_(diagnostics) {}

  Config run() {
    Config config;
    config.materialized = kind_ == NodeKind::kSeed ? "seed" : kind_ == NodeKind::kTest ? "test" : "view";
    flag("enabled", config.enabled);
    texts("tags", config.tags);
    text("alias", config.alias);
    if (kind_ != NodeKind::kTest) {
      text("schema", config.schema);
      optional_flag("full_refresh", config.full_refresh);
    }
    if (kind_ == NodeKind::kModel) {
      model(config);
    } else if (kind_ == NodeKind::kSeed) {
      seed(config);
    } else {
      test(config);
    }
    unknown();
    return config;
  }

 private:
  const ConfigItem* find(const std::string& key) {
    auto found = items_.find(key);
    return found == items_.end() || found->second.value.is_none() ? nullptr : &found->second;
  }

  void mistake(const Place& place, std::string message) {
    diagnostics_.push_back({place, std::move(message)});
  }

  void flag(const std::string& key, bool& out) {
    std::optional<bool> given;
    optional_flag(key, given);
    out = given.value_or(out);
  }

  void optional_flag(const std::string& key, std::optional<bool>& out) {
    const ConfigItem* item = find(key);
    if (item == nullptr) {
      return;
    }
    std::string word = jinja::to_lower(item->value.text());
    if (item->value.as<bool>() != nullptr || word == "true" || word == "false") {
      out = word == "true";
    } else {
      mistake(item->place, fmt::format("'{}' must be true or false, not {}", key, item->value.repr()));
    }
  }

  void text(const std::string& key, std::string& out) {
    const ConfigItem* item = find(key);
    if (item == nullptr) {
      return;
    }
    if (item->value.items() != nullptr || item->value.entries() != nullptr) {
      mistake(item->place, fmt::format("'{}' must be a text, not {}", key, item->value.kind_name()));
    } else {
      out = item->value.text();
    }
  }

  void texts(const std::string& key, std::vector<std::string>& out) {
    const ConfigItem* item = find(key);
    if (item == nullptr) {
      return;
    }
    if (item->value.entries() != nullptr) {
      mistake(item->place, fmt::format("'{}' must be a text or a list of texts, not a dict", key));
    } else if (const jinja::List* list = item->value.items()) {
      for (const Value& one : *list) {
        out.push_back(one.text());
      }
    } else {
      out.push_back(item->value.text());
    }
  }

  void choice(const std::string& key, const std::vector<std::string>& allowed, std::string& out) {
    const ConfigItem* item = find(key);
    if (item == nullptr) {
      return;
    }
    std::string given = jinja::to_lower(item->value.text());
    if (std::find(allowed.begin(), allowed.end(), given) != allowed.end()) {
      out = given;
      return;
    }
    std::string near = codec::nearest(given, allowed);
    std::string remedy = near.empty() ? fmt::format("write one of: {}", fmt::join(allowed, ", "))
                                      : fmt::format("did you mean '{}'?", near);
    mistake(item->place, fmt::format("'{}' cannot be '{}': {}", key, given, remedy));
  }

  void hooks(const std::string& key, std::vector<std::string>& out) {
    const ConfigItem* item = find(key);
    const Value* sql = item == nullptr ? nullptr : item->value.find("sql");
    if (sql != nullptr) {
      out.push_back(sql->text());
    } else {
      texts(key, out);
    }
  }

  void model(Config& config) {
    choice("materialized", {"view", "table", "incremental", "ephemeral"}, config.materialized);
    choice("incremental_strategy", {"append", "delete+insert", "merge"}, config.incremental_strategy);
    choice("on_schema_change", {"ignore", "fail", "append_new_columns", "sync_all_columns"},
           config.on_schema_change);
    texts("unique_key", config.unique_key);
    texts("partition_by", config.partition_by);
    hooks("pre_hook", config.pre_hook);
    hooks("post_hook", config.post_hook);
    if (config.incremental_strategy == "merge" && config.unique_key.empty()) {
      mistake(items_.at("incremental_strategy").place, "the strategy 'merge' needs unique_key");
    }
    const ConfigItem* contract = find("contract");
    const Value* enforced = contract == nullptr ? nullptr : contract->value.find("enforced");
    if (enforced != nullptr && enforced->truthy()) {
      mistake(contract->place,
              "contracts of models are not enforced yet; use data_tests and take 'contract' out");
    }
  }

  void seed(Config& config) {
    text("delimiter", config.delimiter);
    if (config.delimiter.size() != 1) {
      mistake(items_.at("delimiter").place, "'delimiter' must be one character");
      config.delimiter = ",";
    }
    const ConfigItem* types = find("column_types");
    if (types == nullptr) {
      return;
    }
    const jinja::Dict* columns = types->value.entries();
    if (columns == nullptr) {
      mistake(types->place, "'column_types' must be a map from column to type");
      return;
    }
    for (const auto& [column, type] : *columns) {
      config.column_types[column.text()] = type.text();
    }
  }

  void test(Config& config) {
    choice("severity", {"error", "warn"}, config.severity);
    text("where", config.where);
    threshold("warn_if", config.warn_if);
    threshold("error_if", config.error_if);
    if (const ConfigItem* limit = find("limit")) {
      const auto* number = limit->value.as<int64_t>();
      if (number == nullptr || *number < 1) {
        mistake(limit->place,
                fmt::format("'limit' must be a whole number above 0, not {}", limit->value.repr()));
      } else {
        config.limit = *number;
      }
    }
    const ConfigItem* store = find("store_failures");
    if (store != nullptr && store->value.truthy()) {
      mistake(store->place,
              "'store_failures' is not supported yet; failing rows are shown in the task's log");
    }
  }

  void threshold(const std::string& key, Threshold& out) {
    const ConfigItem* item = find(key);
    if (item == nullptr) {
      return;
    }
    std::string given = jinja::strip(item->value.text(), " ", true, true);
    size_t digits = std::min(given.find_first_not_of("<>=! "), given.size());
    std::string op = jinja::strip(given.substr(0, digits), " ", true, true);
    static const std::vector<std::string> kOps = {">", ">=", "<", "<=", "=", "==", "!=", "<>"};
    int64_t bound = 0;
    auto [end, error] = std::from_chars(given.data() + digits, given.data() + given.size(), bound);
    bool good = error == std::errc() && end == given.data() + given.size() &&
                std::find(kOps.begin(), kOps.end(), op) != kOps.end();
    if (!good) {
      mistake(item->place, fmt::format("'{}' must look like '> 10', not '{}'", key, given));
      return;
    }
    out = {op, bound};
  }

  void unknown() {
    const auto& known = known_keys(kind_);
    for (const auto& [key, item] : items_) {
      if (is_config_key(kind_, key)) {
        continue;
      }
      std::string near = codec::nearest(key, known);
      mistake(item.place,
              near.empty()
                  ? fmt::format("unknown configuration '{}'; known are: {}; keep your own values under "
                                "'meta'",
                                key, fmt::join(known, ", "))
                  : fmt::format("unknown configuration '{}': did you mean '{}'?", key, near));
    }
  }

  const ConfigItems& items_;
  NodeKind kind_;
  Diagnostics& diagnostics_;
};

}  // namespace

std::string_view name_of(NodeKind kind) {
  switch (kind) {
    case NodeKind::kModel: return "model";
    case NodeKind::kSeed: return "seed";
    case NodeKind::kTest: return "test";
  }
  return "";
}

bool Threshold::holds(int64_t count) const {
  if (op == ">" || op == ">=") {
    return op == ">" ? count > bound : count >= bound;
  }
  if (op == "<" || op == "<=") {
    return op == "<" ? count < bound : count <= bound;
  }
  return (op == "=" || op == "==") == (count == bound);
}

void merge(ConfigItems& base, const ConfigItems& over) {
  for (const auto& [key, item] : over) {
    auto known = base.find(key);
    if (key != "tags" || known == base.end()) {
      base[key] = item;
      continue;
    }
    jinja::List tags;
    for (const Value& side : {known->second.value, item.value}) {
      if (const jinja::List* list = side.items()) {
        tags.insert(tags.end(), list->begin(), list->end());
      } else {
        tags.push_back(side);
      }
    }
    base[key] = {Value::list(std::move(tags)), item.place};
  }
}

Config decode(const ConfigItems& items, NodeKind kind, Diagnostics& diagnostics) {
  Config config = Decoder(items, kind, diagnostics).run();
  // A wrong value under a misspelt key is told at once, not when the key is mended.
  ConfigItems mended;
  for (const auto& [key, item] : items) {
    std::string near = is_config_key(kind, key) ? "" : codec::nearest(key, known_keys(kind));
    if (!near.empty() && !items.contains(near)) {
      mended[near] = item;
    }
  }
  if (!mended.empty()) {
    (void)Decoder(mended, kind, diagnostics).run();
  }
  return config;
}

bool is_config_key(NodeKind kind, std::string_view key) {
  const auto& known = known_keys(kind);
  return std::find(known.begin(), known.end(), key) != known.end() ||
         std::find(kWithoutEffect.begin(), kWithoutEffect.end(), key) != kWithoutEffect.end();
}

Value scalar_of(const std::string& text) {
  if (text == "true" || text == "True" || text == "TRUE") {
    return Value(true);
  }
  if (text == "false" || text == "False" || text == "FALSE") {
    return Value(false);
  }
  bool padded = text.size() > 1 && text[0] == '0' && text.find('.') == std::string::npos;  // "007" is a text
  if (auto number = padded ? std::nullopt : jinja::read_number(text)) {
    bool plain = text.find_first_not_of("+-0123456789.eE") == std::string::npos;
    if (plain) {
      return *number;
    }
  }
  return Value(text);
}

Result<Value> value_of(const codec::YamlNode& node, const RenderText& render) {
  switch (node.kind) {
    case codec::YamlNode::Kind::kNull: return Value();
    case codec::YamlNode::Kind::kScalar:
      if (render && node.text.find("{{") != std::string::npos) {
        return render(node.text, node.place);
      }
      return node.quoted ? Value(node.text) : scalar_of(node.text);
    case codec::YamlNode::Kind::kSequence: {
      jinja::List list;
      for (const auto& item : node.items) {
        TARN_TRY(Value value, value_of(item, render));
        list.push_back(std::move(value));
      }
      return Value::list(std::move(list));
    }
    case codec::YamlNode::Kind::kMap: {
      jinja::Dict dict;
      for (const auto& entry : node.entries) {
        TARN_TRY(Value value, value_of(entry.value, render));
        dict.emplace_back(Value(entry.key), std::move(value));
      }
      return Value::dict(std::move(dict));
    }
  }
  return Value();
}

}  // namespace tarn::model
