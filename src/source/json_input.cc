// JSON documents, and NDJSON where a row must not stop the others: each record is staged as JSON text in the
// temporary table tarn_rows, and everything else reads that.
#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "source/input.h"
#include "source/json_rows.h"
#include "source/sql_text.h"

namespace tarn::source {
namespace {

using nlohmann::ordered_json;
using session::quote_identifier;
using session::quote_literal;

constexpr int64_t kObjectBytesMax = int64_t{256} << 20;

bool is_compressed(const std::string& path) {
  return path.ends_with(".gz") || path.ends_with(".zst");
}

// DuckDB's answer for json_group_structure, with types that tables have.
ordered_json table_types(const ordered_json& node) {
  if (node.is_object()) {
    ordered_json out = ordered_json::object();
    for (const auto& [key, value] : node.items()) {
      out[key] = table_types(value);
    }
    return out.empty() ? ordered_json("JSON") : out;
  }
  if (node.is_array()) {
    return node.empty() ? ordered_json("JSON") : ordered_json::array({table_types(node[0])});
  }
  std::string type = node.get<std::string>();
  return type == "UBIGINT" ? "BIGINT" : type == "NULL" ? "JSON" : type;
}

std::string inferred_type(const ordered_json& node) {
  if (!node.is_string()) {
    return "JSON";
  }
  std::string type = node.get<std::string>();
  return type == "NULL" ? "" : type == "UBIGINT" ? "BIGINT" : type;
}

std::string error_line(const Error& error) {
  std::string text = error.message.substr(0, error.message.find('\n'));
  return text;
}

}  // namespace

Status JsonRows::create() {
  return execute(
      "CREATE OR REPLACE TEMP TABLE tarn_rows (fetch_id VARCHAR, n BIGINT, r JSON, bad VARCHAR, reason "
      "VARCHAR)");
}

Status JsonRows::execute(const std::string& sql) {
  TARN_CHECK(session_.execute_own(sql));
  return ok();
}

Status JsonRows::add_document(const Landed& landed, const std::string& records) {
  int64_t bytes = file_bytes(landed.path);
  bool packed = is_compressed(landed.path);
  int64_t size_max = std::clamp<int64_t>(packed ? bytes * 40 : bytes + 1024, 1 << 20, kObjectBytesMax);
  auto read = [&](std::string_view format) {
    return fmt::format("read_json_objects({}, format = '{}', maximum_object_size = {})",
                       quote_literal(landed.path), format, size_max);
  };
  std::string wrap = "CASE WHEN json_type(r) = 'OBJECT' THEN r ELSE json_object('value', r) END";
  std::string source = "SELECT json AS r FROM " + read("auto");
  if (!records.empty()) {
    std::string path = quote_literal(records);
    source = fmt::format(
        "SELECT unnest(CASE json_type(json, {0}) WHEN 'ARRAY' THEN from_json(json_extract(json, "
        "{0}), '[\"JSON\"]') WHEN 'NULL' THEN [] ELSE [json_extract(json, {0})] END) AS r FROM {1}",
        path, read("unstructured"));
  }
  auto status =
      execute(fmt::format("INSERT INTO tarn_rows SELECT {}, row_number() OVER (), {}, NULL, NULL FROM ({})",
                          quote_literal(landed.id), wrap, source));
  if (!status) {
    bool broken = status.error().code == Code::kInvalid;
    return broken ? add_broken(landed, error_line(status.error())) : status;
  }
  if (records.empty()) {
    return ok();
  }
  TARN_TRY(auto rows, rows_of(session_, fmt::format("SELECT count(*) FROM {} WHERE NOT json_exists(json, {})",
                                                    read("unstructured"), quote_literal(records))));
  if (!rows.empty() && rows[0][0] != "0") {
    TARN_CHECK(execute(fmt::format("DELETE FROM tarn_rows WHERE fetch_id = {}", quote_literal(landed.id))));
    return add_broken(landed, fmt::format("the document has nothing at {}", records));
  }
  return ok();
}

// The whole fetch goes to quarantine; of its bytes the beginning is shown.
Status JsonRows::add_broken(const Landed& landed, const std::string& reason) {
  TARN_TRY(std::string start, read_start(landed.path, 2000));
  std::string shown = is_compressed(landed.path) ? "" : start;
  std::string text = reason;
  if (size_t at = text.find(landed.path); at != std::string::npos) {
    text.replace(at, landed.path.size(), landed.path.substr(landed.path.rfind('/') + 1));
  }
  return execute(fmt::format("INSERT INTO tarn_rows VALUES ({}, NULL, NULL, {}, {})",
                             quote_literal(landed.id), quote_literal(shown), quote_literal(text)));
}

Status JsonRows::add_lines(const Landed& landed) {
  return execute(fmt::format(
      "INSERT INTO tarn_rows SELECT {}, n, CASE WHEN good THEN CASE WHEN json_type(line) = 'OBJECT' THEN "
      "line::JSON "
      "ELSE json_object('value', line::JSON) END END, CASE WHEN NOT good THEN line END, CASE WHEN NOT good "
      "THEN 'the "
      "line is not valid JSON' END FROM (SELECT line, json_valid(line) AS good, row_number() OVER () AS n "
      "FROM "
      "read_csv({}, columns = {{'line': 'VARCHAR'}}, auto_detect = false, delim = chr(1), quote = '', escape "
      "= '', "
      "header = false, max_line_size = {}, strict_mode = false)) WHERE line IS NOT NULL AND trim(line) <> ''",
      quote_literal(landed.id), quote_literal(landed.path), 64 << 20));
}

Result<std::vector<InputColumn>> JsonRows::discover() {
  TARN_TRY(auto rows, rows_of(session_, "SELECT CAST(json_group_structure(r) AS VARCHAR) FROM tarn_rows"));
  std::vector<InputColumn> columns;
  if (rows.empty() || !rows[0][0]) {
    return columns;
  }
  ordered_json structure = ordered_json::parse(*rows[0][0], nullptr, false);
  std::map<std::string, int> names;
  for (const auto& [key, value] : structure.items()) {
    std::string name = key.empty() ? "column" : key;
    while (names[engine::fold(name)]++ > 0) {
      name += "_1";
    }
    keys_.push_back(
        {.key = key, .name = name, .structure = value.dump(), .types = table_types(value).dump()});
    columns.push_back({.name = name, .inferred = inferred_type(value)});
  }
  TARN_CHECK(infer_times(columns));
  return columns;
}

// Texts that are all dates or all times become such columns.
Status JsonRows::infer_times(std::vector<InputColumn>& columns) {
  std::string list;
  std::vector<size_t> asked;
  for (size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].inferred != "VARCHAR") {
      continue;
    }
    std::string text = "s." + quote_identifier(keys_[i].key);
    asked.push_back(i);
    list += fmt::format(
        "{0}bool_and(regexp_full_match({1}, '\\d{{4}}-\\d\\d-\\d\\d') AND TRY_CAST({1} AS DATE) IS NOT "
        "NULL), "
        "bool_and(regexp_full_match({1}, '\\d{{4}}-\\d\\d-\\d\\d[T ]\\d\\d:\\d\\d(:\\d\\d(\\.\\d+)?)?') AND "
        "TRY_CAST({1} AS TIMESTAMP) IS NOT NULL), bool_and(regexp_full_match({1}, '\\d{{4}}-\\d\\d-\\d\\d[T "
        "]\\d\\d:\\d\\d(:\\d\\d(\\.\\d+)?)?(Z|[+-]\\d\\d(:?\\d\\d)?)') AND TRY_CAST({1} AS TIMESTAMPTZ) IS "
        "NOT NULL)",
        list.empty() ? "" : ", ", text);
  }
  if (asked.empty()) {
    return ok();
  }
  TARN_TRY(
      auto rows,
      rows_of(session_, fmt::format("SELECT {} FROM (SELECT {} AS s FROM tarn_rows WHERE r IS NOT "
                                    "NULL)",
                                    list, transform(std::vector<std::string>(keys_.size(), "\"VARCHAR\"")))));
  static const std::array<std::string, 3> kTypes = {"DATE", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE"};
  for (size_t i = 0; i < asked.size() && !rows.empty(); ++i) {
    for (size_t k = 0; k < kTypes.size(); ++k) {
      if (rows[0][3 * i + k] == "true") {
        columns[asked[i]].inferred = kTypes[k];
      }
    }
  }
  return ok();
}

std::string JsonRows::transform(const std::vector<std::string>& types) const {
  ordered_json object = ordered_json::object();
  for (size_t i = 0; i < keys_.size(); ++i) {
    object[keys_[i].key] = ordered_json::parse(types[i], nullptr, false);
  }
  return fmt::format("json_transform(r, {})", quote_literal(object.dump()));
}

Relation JsonRows::relation(Purpose purpose, const std::map<std::string, std::string>& wanted,
                            const std::string& fetch) const {
  Relation relation;
  std::string list;
  std::vector<std::string> types;
  bool typed = purpose == Purpose::kSelect;
  for (const auto& key : keys_) {
    list += fmt::format("s.{} AS {}, ", quote_identifier(key.key), quote_identifier(key.name));
    auto found = wanted.find(engine::fold(key.name));
    bool text = found == wanted.end() || is_plain_type(found->second) || is_integer_type(found->second);
    types.push_back(typed ? key.types : text ? "\"VARCHAR\"" : "\"JSON\"");
    relation.columns.push_back({.name = key.name, .type = text ? "VARCHAR" : "JSON"});
  }
  std::string where = fetch.empty() ? "" : fmt::format(" AND fetch_id = {}", quote_literal(fetch));
  std::string extra = typed ? "" : ", n AS tarn_row, CAST(r AS VARCHAR) AS tarn_raw";
  std::string inner = keys_.empty() ? "NULL AS s" : transform(types) + " AS s";
  relation.sql = fmt::format(
      "SELECT {}fetch_id AS tarn_fetch{} FROM (SELECT {}, fetch_id, n, r FROM tarn_rows WHERE r IS NOT "
      "NULL{})",
      list, extra, inner, where);
  return relation;
}

std::string JsonRows::bad_rows() const {
  return "SELECT fetch_id, n AS row_number, reason, bad AS raw FROM tarn_rows WHERE r IS NULL";
}

namespace {

class JsonInput : public Input {
 public:
  JsonInput(session::Session& session, const Format& format, const std::vector<Landed>& landed)
      : rows_(session), format_(format), landed_(landed) {}

  Result<std::vector<InputColumn>> discover() override {
    TARN_CHECK(rows_.create());
    for (const auto& one : landed_) {
      TARN_CHECK(rows_.add_document(one, format_.records));
    }
    return rows_.discover();
  }
  [[nodiscard]] bool streams() const override { return false; }
  [[nodiscard]] std::string bad_rows() const override { return rows_.bad_rows(); }
  Result<Relation> relation(Purpose purpose, const std::map<std::string, std::string>& wanted,
                            int only) override {
    return rows_.relation(purpose, wanted, only < 0 ? "" : landed_[static_cast<size_t>(only)].id);
  }

 private:
  JsonRows rows_;
  const Format& format_;
  const std::vector<Landed>& landed_;
};

}  // namespace

std::unique_ptr<Input> make_json_input(session::Session& session, const Format& format,
                                       const std::vector<Landed>& landed) {
  return std::make_unique<JsonInput>(session, format, landed);
}

}  // namespace tarn::source
