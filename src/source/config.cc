#include "source/config.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <set>

#include <fmt/format.h>

#include "base/diagnostic_text.h"
#include "base/time.h"
#include "codec/scalar_place.h"
#include "engine/parse.h"
#include "project/yaml_folder.h"
#include "session/session.h"
#include "source/kind.h"

namespace tarn::source {
namespace {

using codec::YamlNode;
using codec::YamlReader;

constexpr std::string_view kCheckFront = "SELECT (";

Place value_place(const YamlNode& map, std::string_view key) {
  const YamlNode* node = map.find(key);
  return node != nullptr ? node->place : map.place;
}

void read_format_text(const std::string& text, const YamlNode& at, YamlReader& reader, Format& format) {
  static const std::map<std::string, FormatKind> kKinds = {{"json", FormatKind::kJson},
                                                           {"ndjson", FormatKind::kNdjson},
                                                           {"jsonl", FormatKind::kNdjson},
                                                           {"csv", FormatKind::kCsv},
                                                           {"parquet", FormatKind::kParquet}};
  auto found = kKinds.find(text);
  if (found == kKinds.end()) {
    reader.mistake(at, fmt::format("unknown format '{}': write json, ndjson, csv or parquet", text));
    return;
  }
  format.kind = found->second;
}

std::optional<std::string> optional_text(YamlReader& reader, std::string_view key) {
  if (reader.child(key) == nullptr) {
    return std::nullopt;
  }
  return reader.text(key);
}

void read_csv_options(YamlReader& reader, const YamlNode& node, Format& format) {
  format.delimiter = optional_text(reader, "delimiter");
  format.quote = optional_text(reader, "quote");
  format.escape = optional_text(reader, "escape");
  format.null_text = optional_text(reader, "null");
  format.date_format = optional_text(reader, "date_format");
  format.timestamp_format = optional_text(reader, "timestamp_format");
  if (reader.child("header") != nullptr) {
    format.header = reader.boolean("header", true);
  }
  format.skip = reader.integer("skip").value_or(0);
  if (format.skip < 0) {
    reader.mistake(*node.find("skip"), "skip is a number of lines, so not negative");
  }
  for (auto [text, name] : {std::pair{&format.quote, "quote"}, {&format.escape, "escape"}}) {
    if (*text && (*text)->size() > 1) {
      reader.mistake(*node.find(name), fmt::format("{} must be one character", name));
    }
  }
}

Format read_format(YamlReader& reader, Diagnostics& diagnostics) {
  Format format;
  const YamlNode* node = reader.child("format");
  if (node == nullptr) {
    return format;
  }
  if (node->kind == YamlNode::Kind::kScalar) {
    read_format_text(node->text, *node, reader, format);
    return format;
  }
  if (node->kind != YamlNode::Kind::kMap) {
    reader.mistake(*node, "format is a word (json, ndjson, csv, parquet) or a map with type and options");
    return format;
  }
  YamlReader inner(*node, "format", diagnostics);
  std::string type = inner.required_text("type");
  if (!type.empty()) {
    read_format_text(type, *node->find("type"), inner, format);
  }
  format.compression = inner.choice("compression", {"none", "gzip", "zstd"}, "");
  if (format.kind == FormatKind::kJson) {
    format.records = inner.text("records");
    if (!format.records.empty() && !format.records.starts_with("$")) {
      inner.mistake(*node->find("records"), "records is a path that starts with $, for example $.items");
    }
  }
  if (format.kind == FormatKind::kCsv) {
    read_csv_options(inner, *node, format);
  }
  inner.finish();
  return format;
}

ContractColumn read_column(const YamlNode::Entry& entry, YamlReader& reader, Diagnostics& diagnostics) {
  ContractColumn column;
  column.name = entry.key;
  column.place = entry.place;
  column.type_place = entry.value.place;
  if (entry.key.starts_with("_tarn_")) {
    reader.mistake(entry.value, "names that start with _tarn_ belong to Tarn: rename the column in select");
  }
  if (entry.value.kind == YamlNode::Kind::kScalar) {
    column.type = entry.value.text;
  } else if (entry.value.kind == YamlNode::Kind::kMap) {
    YamlReader inner(entry.value, fmt::format("column {}", entry.key), diagnostics);
    column.type = inner.text("type");
    column.type_place = value_place(entry.value, "type");
    column.required = inner.boolean("required", false);
    column.check = {.text = inner.text("check"), .place = value_place(entry.value, "check")};
    inner.text("description");
    inner.finish();
  } else {
    reader.mistake(entry.value, "a column is a type, or a map with type, required, check and description");
  }
  return column;
}

std::vector<ContractColumn> read_columns(YamlReader& reader, Diagnostics& diagnostics) {
  std::vector<ContractColumn> columns;
  const YamlNode* node = reader.child("columns");
  if (node == nullptr) {
    return columns;
  }
  if (node->kind != YamlNode::Kind::kMap) {
    reader.mistake(*node, "columns is a map of names to types, for example 'price: double'");
    return columns;
  }
  std::set<std::string> seen;
  for (const auto& entry : node->entries) {
    columns.push_back(read_column(entry, reader, diagnostics));
    if (!seen.insert(engine::fold(entry.key)).second) {
      reader.mistake(entry.value,
                     fmt::format("column '{}' differs only by case from another one", entry.key));
    }
  }
  return columns;
}

std::optional<Since> read_since(YamlReader& reader, Diagnostics& diagnostics) {
  const YamlNode* node = reader.child("since");
  if (node == nullptr) {
    return std::nullopt;
  }
  if (node->kind != YamlNode::Kind::kMap) {
    reader.mistake(*node, "since is a map with column, parameter and initial");
    return std::nullopt;
  }
  YamlReader inner(*node, "since", diagnostics);
  Since since{.place = value_place(*node, "column"),
              .column = inner.required_text("column"),
              .parameter = inner.text("parameter"),
              .initial = inner.text("initial")};
  inner.finish();
  return since;
}

// "26h", or as dbt has it: {count: 26, period: hour}.
std::optional<Duration> read_age(YamlReader& reader, std::string_view key, Diagnostics& diagnostics) {
  const YamlNode* node = reader.child(key);
  if (node == nullptr) {
    return std::nullopt;
  }
  std::string text = node->text;
  if (node->kind == YamlNode::Kind::kMap) {
    YamlReader inner(*node, std::string(key), diagnostics);
    const auto count = inner.integer("count").value_or(0);
    text = fmt::format("{}{}", count, inner.choice("period", {"minute", "hour", "day"}, "hour").substr(0, 1));
    inner.finish();
  }
  const auto age = parse_duration(text);
  if (!age || age->count() <= 0) {
    reader.mistake(*node, fmt::format("{} is an age, for example 26h or 2d", key));
    return std::nullopt;
  }
  return *age;
}

flow::Freshness read_freshness(YamlReader& reader, Diagnostics& diagnostics) {
  const YamlNode* node = reader.child("freshness");
  if (node == nullptr) {
    return {};
  }
  if (node->kind != YamlNode::Kind::kMap) {
    reader.mistake(*node, "freshness is a map: {warn_after: 26h, error_after: 2d}");
    return {};
  }
  YamlReader inner(*node, "freshness", diagnostics);
  flow::Freshness freshness{.warn_after = read_age(inner, "warn_after", diagnostics),
                            .error_after = read_age(inner, "error_after", diagnostics)};
  inner.finish();
  if (node->entries.empty()) {
    reader.mistake(*node, "freshness is empty: write {warn_after: 26h, error_after: 2d}, or one of the two");
  }
  if (freshness.warn_after && freshness.error_after && *freshness.error_after < *freshness.warn_after) {
    reader.mistake(*node, "freshness: error_after comes before warn_after; write the longer age there");
  }
  return freshness;
}

engine::TableName read_table(YamlReader& reader, const std::string& name) {
  engine::TableName table{.schema = "public", .name = name};
  const YamlNode* node = reader.child("table");
  if (node == nullptr) {
    return table;
  }
  std::string text = reader.text("table");
  size_t dot = text.rfind('.');
  if (dot != std::string::npos) {
    table.schema = text.substr(0, dot);
  }
  table.name = dot == std::string::npos ? text : text.substr(dot + 1);
  if (table.schema.empty() || table.name.empty() || table.schema == "_tarn") {
    reader.mistake(*node, "table is a name or schema.name, and not in schema _tarn");
  }
  return table;
}

void read_mode(YamlReader& reader, SourceConfig& config) {
  std::string mode = reader.choice("mode", {"append", "replace", "upsert"}, "append");
  config.mode = mode == "replace" ? Mode::kReplace : mode == "upsert" ? Mode::kUpsert : Mode::kAppend;
  config.key = reader.texts("key").value_or(std::vector<std::string>());
  const YamlNode* at = reader.child("key") != nullptr ? reader.child("key") : reader.child("mode");
  config.key_place = at != nullptr ? at->place : Place{.file = config.path};
  if (config.mode == Mode::kUpsert && config.key.empty()) {
    reader.mistake(*at, "mode upsert needs key: the column or columns that tell rows apart");
  }
  if (config.mode != Mode::kUpsert && !config.key.empty()) {
    reader.mistake(*at, "key is only for mode upsert: write 'mode: upsert' or take key out");
  }
  std::string fresh = reader.choice("on_new_columns", {"evolve", "ignore", "fail"}, "evolve");
  config.on_new_columns = fresh == "ignore" ? NewColumns::kIgnore
                          : fresh == "fail" ? NewColumns::kFail
                                            : NewColumns::kEvolve;
}

// Notes which tables a person's SELECT reads, and says where it is not one SELECT.
void read_sql(SourceConfig& config, const Sql& sql, std::string_view what, Diagnostics& diagnostics) {
  if (sql.text.empty()) {
    return;
  }
  auto facts = engine::parse(sql.text);
  if (!facts) {
    diagnostics.push_back(mistake_in(config, sql, what, facts.error()));
    return;
  }
  if (facts->size() != 1 || facts->front().kind != engine::StatementKind::kSelect) {
    diagnostics.push_back({sql.place, fmt::format("{} must be exactly one SELECT", what)});
    return;
  }
  for (const auto& table : facts->front().tables) {
    if (table.schema.empty() && engine::fold(table.name) == "input") {
      continue;
    }
    config.reads.push_back((table.schema.empty() ? "public" : table.schema) + "." + table.name);
  }
}

void read_checks(const SourceConfig& config, Diagnostics& diagnostics) {
  for (const auto& column : config.columns) {
    if (column.check.text.empty()) {
      continue;
    }
    auto facts = engine::parse(fmt::format("{}{}\n)", kCheckFront, column.check.text));
    if (!facts) {
      auto wrong = mistake_in(config, column.check, "check", facts.error(), kCheckFront);
      bool at_our_bracket = wrong.message.ends_with("at or near \")\"") && !column.check.text.ends_with(")");
      wrong.message = at_our_bracket ? "check: the expression ends too early" : wrong.message;
      diagnostics.push_back(std::move(wrong));
    } else if (facts->size() != 1) {
      diagnostics.push_back({column.check.place, "check must be one expression, for example 'price > 0'"});
    }
  }
}

void read_shared(YamlReader& reader, SourceConfig& config, const YamlNode& root, Diagnostics& diagnostics) {
  config.description = reader.text("description");
  config.table = read_table(reader, config.name);
  config.format = read_format(reader, diagnostics);
  config.select = {.text = reader.text("select"), .place = value_place(root, "select")};
  read_mode(reader, config);
  config.columns = read_columns(reader, diagnostics);
  config.partition_by = reader.texts("partition_by").value_or(std::vector<std::string>());
  for (const auto& field : config.partition_by) {
    if (auto parsed = partition_field(field); !parsed) {
      reader.mistake(*reader.child("partition_by"), parsed.error().message);
    }
  }
  config.allow_empty = reader.boolean("allow_empty", false);
  config.since = read_since(reader, diagnostics);
  config.freshness = read_freshness(reader, diagnostics);
  config.tags = reader.texts("tags").value_or(std::vector<std::string>());
  config.after = reader.texts("after").value_or(std::vector<std::string>());
  if (const YamlNode* schedule = reader.child("schedule")) {
    config.schedule = flow::read_source_schedule(*schedule, config.name, diagnostics);
  }
  if (config.since && config.mode == Mode::kReplace) {
    reader.mistake(*reader.child("since"),
                   "since cannot go with mode replace, which would drop the older rows");
  }
  read_sql(config, config.select, "select", diagnostics);
  read_checks(config, diagnostics);
}

}  // namespace

const ReadFetcher* Registry::find(const std::string& name) const {
  auto found = kinds_.find(name);
  return found == kinds_.end() ? nullptr : &found->second;
}

std::vector<std::string> Registry::names() const {
  std::vector<std::string> names;
  for (const auto& [name, read] : kinds_) {
    names.push_back(name);
  }
  return names;
}

Diagnostic mistake_in(const SourceConfig& config, const Sql& sql, std::string_view what, const Error& error,
                      std::string_view front) {
  std::string message = error.message;
  Place place = sql.place;
  auto offset = engine::take_place(std::string(front) + sql.text, message);
  if (offset && *offset >= front.size()) {
    place = codec::place_inside(config.text, sql.place, sql.text, *offset - front.size());
  }
  return {place, fmt::format("{}: {}", what, message)};
}

namespace {

void read_root(const Registry& registry, const YamlNode& root, SourceConfig& config,
               Diagnostics& diagnostics) {
  if (root.kind != YamlNode::Kind::kMap) {
    diagnostics.push_back({Place{.file = config.path, .line = 1, .column = 1},
                           "a source is a map: start with 'kind: http' or 'kind: files'"});
    return;
  }
  YamlReader reader(root, "source", diagnostics);
  config.kind = reader.choice("kind", registry.names(), "");
  if (const YamlNode* kind = root.find("kind"); kind == nullptr || is_empty(*kind)) {
    diagnostics.push_back({root.place, fmt::format("kind is missing: write 'kind: {}'",
                                                   fmt::join(registry.names(), "' or 'kind: "))});
  }
  read_shared(reader, config, root, diagnostics);
  const ReadFetcher* read = registry.find(config.kind);
  if (read == nullptr) {
    return;  // without a kind nobody can say which keys are unknown
  }
  config.fetcher = (*read)(reader, config, diagnostics);
  if (config.fetcher) {
    read_sql(config, config.fetcher->query(), "each", diagnostics);
  }
  reader.finish();
}

}  // namespace

std::shared_ptr<const SourceConfig> read_config(const Registry& registry, std::string_view text,
                                                const std::string& path, Diagnostics& diagnostics) {
  size_t mistakes = diagnostics.size();
  auto config = std::make_shared<SourceConfig>();
  config->path = path;
  config->text = text;
  config->name = project::name_of_file(path);
  config->table = {.schema = "public", .name = config->name};
  if (!is_identifier(config->name)) {
    diagnostics.push_back(
        {Place{.file = path}, fmt::format("the file name '{}' is the source's name: use letters, "
                                          "digits and underscores only",
                                          config->name)});
  }
  if (const auto root = project::parse_yaml_file({path, config->text}, diagnostics)) {
    read_root(registry, *root, *config, diagnostics);
  }
  config->broken = diagnostics.size() > mistakes;
  return config;
}

Result<std::vector<std::shared_ptr<const SourceConfig>>> read_configs(const Registry& registry,
                                                                      FileSystem& files,
                                                                      const std::string& project_root,
                                                                      Diagnostics& diagnostics) {
  constexpr project::FolderKind kKind{.folder = "sources", .one = "source", .folded = engine::fold};
  TARN_TRY(const auto texts, project::read_yaml_folder(files, project_root, kKind, diagnostics));
  std::vector<std::shared_ptr<const SourceConfig>> configs;
  for (const auto& file : texts) {
    configs.push_back(read_config(registry, file.text, file.path, diagnostics));
  }
  return configs;
}

Result<std::string> partition_field(const std::string& text) {
  size_t open = text.find('(');
  if (open == std::string::npos && is_identifier(text)) {
    return session::quote_identifier(text);
  }
  std::string function = open == std::string::npos ? "" : text.substr(0, open);
  static const std::vector<std::string> kFunctions = {"year", "month", "day", "hour", "bucket"};
  if (text.ends_with(")") && std::find(kFunctions.begin(), kFunctions.end(), function) != kFunctions.end()) {
    std::string inside = text.substr(open + 1, text.size() - open - 2);
    size_t comma = inside.find(',');
    std::string number = comma == std::string::npos ? "" : inside.substr(0, comma);
    std::string column = comma == std::string::npos ? inside : inside.substr(comma + 1);
    column.erase(0, column.find_first_not_of(' '));
    bool counted = !number.empty() && number.find_first_not_of("0123456789") == std::string::npos;
    if (is_identifier(column) && counted == (function == "bucket")) {
      return fmt::format("{}({}{})", function, counted ? number + ", " : "",
                         session::quote_identifier(column));
    }
  }
  return Error{Code::kInvalid,
               fmt::format("partition_by: '{}' is not a column, year(c), month(c), day(c), hour(c) or "
                           "bucket(n, c)",
                           text)};
}

Result<uint64_t> parse_bytes(std::string_view text) {
  static const std::map<std::string, uint64_t, std::less<>> kUnits = {
      {"", 1},           {"b", 1},          {"kb", 1000},     {"mb", 1000'000}, {"gb", 1000'000'000},
      {"kib", 1u << 10}, {"mib", 1u << 20}, {"gib", 1u << 30}};
  uint64_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  std::string unit;
  for (const char* c = end; c != text.data() + text.size(); ++c) {
    if (*c != ' ') {
      unit += static_cast<char>(std::tolower(static_cast<unsigned char>(*c)));
    }
  }
  auto found = kUnits.find(unit);
  if (error != std::errc() || found == kUnits.end() || number == 0 || number > UINT64_MAX / found->second) {
    return Error{Code::kInvalid, fmt::format("not a size: '{}'; write for example 100MB", text)};
  }
  return number * found->second;
}

bool is_identifier(std::string_view text) {
  auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  auto digit = [](char c) { return c >= '0' && c <= '9'; };
  return !text.empty() && letter(text.front()) &&
         std::all_of(text.begin(), text.end(), [&](char c) { return letter(c) || digit(c); });
}

}  // namespace tarn::source
