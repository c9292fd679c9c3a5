// JSON documents: each record is staged as JSON text in the temporary table tarn_rows, and everything else
// reads that.
#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "codec/json_depth.h"
#include "codec/json_shape.h"
#include "source/input.h"
#include "source/json_rows.h"
#include "source/sql_text.h"

namespace tarn::source {
namespace {

using nlohmann::ordered_json;
using session::quote_identifier;
using session::quote_literal;

constexpr int64_t kObjectBytesMax = int64_t{256} << 20;
constexpr size_t kShownBytesMax = 2000;  // of what makes no row

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
  bool packed = is_packed(landed.path);
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
  TARN_TRY(std::string start, read_start(landed.path, kShownBytesMax));
  std::string shown = is_packed(landed.path) ? "" : start;
  std::string text = reason;
  if (size_t at = text.find(landed.path); at != std::string::npos) {
    text.replace(at, landed.path.size(), landed.path.substr(landed.path.rfind('/') + 1));
  }
  return execute(fmt::format("INSERT INTO tarn_rows VALUES ({}, NULL, NULL, {}, {})",
                             quote_literal(landed.id), quote_literal(shown), quote_literal(text)));
}

// Looks through all records; those nested deeper than anything here goes become bad rows.
Status JsonRows::look(codec::JsonShape& shape) {
  TARN_TRY(auto stream,
           session_.query_own("SELECT CAST(r AS VARCHAR), fetch_id, n FROM tarn_rows WHERE r IS NOT NULL"));
  std::map<std::string, std::vector<std::string>> deep;  // numbers by fetch
  for (;;) {
    TARN_TRY(auto batch, stream->next_text());
    if (!batch) {
      break;
    }
    for (size_t i = 0; i < batch->rows; ++i) {
      const std::string& text = batch->columns[0].text[i];
      if (text.size() > 2 * codec::kJsonDepthMax && codec::json_depth(text) > codec::kJsonDepthMax) {
        deep[batch->columns[1].text[i]].push_back(batch->columns[2].text[i]);
        continue;
      }
      codec::JsonScanner scanner(text);
      shape.add(scanner);
    }
  }
  for (const auto& [fetch, numbers] : deep) {
    TARN_CHECK(execute(
        fmt::format("UPDATE tarn_rows SET r = NULL, bad = left(CAST(r AS VARCHAR), {}), "
                    "reason = 'nested more than {} deep' WHERE fetch_id = {} AND n IN ({})",
                    kShownBytesMax, codec::kJsonDepthMax, quote_literal(fetch), fmt::join(numbers, ", "))));
  }
  return ok();
}

Result<std::vector<InputColumn>> JsonRows::discover() {
  codec::JsonShape shape;
  TARN_CHECK(look(shape));
  std::vector<InputColumn> columns;
  std::map<std::string, int> names;
  for (const auto& [key, member] : shape.members()) {
    std::string name = key.empty() ? "column" : key;
    while (names[engine::fold(name)]++ > 0) {
      name += "_1";
    }
    keys_.push_back({.key = key, .name = name, .nested = member.nested_type()});
    columns.push_back({.name = name, .inferred = member.flat_type()});
  }
  return columns;
}

std::string JsonRows::transform(const std::vector<std::string>& types) const {
  ordered_json object = ordered_json::object();
  for (size_t i = 0; i < keys_.size(); ++i) {
    object[keys_[i].key] = types[i];
  }
  return fmt::format("json_transform(r, {})", quote_literal(object.dump()));
}

Relation JsonRows::relation(Purpose purpose, const WantedColumns& wanted, const std::string& fetch) const {
  Relation relation;
  std::string list;
  std::vector<std::string> types;
  bool typed = purpose == Purpose::kSelect;
  for (size_t i = 0; i < keys_.size(); ++i) {
    const auto& key = keys_[i];
    auto found = wanted.find(engine::fold(key.name));
    bool text =
        found == wanted.end() || is_plain_type(found->second.type) || is_integer_type(found->second.type);
    // By its place: with an empty key among them DuckDB takes all members for nameless.
    std::string value = fmt::format("struct_extract_at(s, {})", i + 1);
    if (typed) {
      value = fmt::format("tarn_json_value(CAST({} AS VARCHAR), {})", value, quote_literal(key.nested));
    }
    list += fmt::format("{} AS {}, ", value, quote_identifier(key.name));
    types.emplace_back(typed || !text ? "JSON" : "VARCHAR");
    relation.columns.push_back({.name = key.name, .type = typed ? key.nested : text ? "VARCHAR" : "JSON"});
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

  Result<std::vector<InputColumn>> find_columns(bool) override {
    TARN_CHECK(rows_.create());
    for (const auto& one : landed_) {
      TARN_CHECK(rows_.add_document(one, format_.records));
    }
    return rows_.discover();
  }
  [[nodiscard]] bool streams() const override { return false; }
  [[nodiscard]] std::string bad_rows() const override { return rows_.bad_rows(); }
  Result<Relation> relation(Purpose purpose, const WantedColumns& wanted, int only) override {
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
