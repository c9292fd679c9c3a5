// NDJSON: DuckDB's own reader straight into the table; when a line or a value breaks, line by line with
// JsonRows.
#include <fstream>

#include <fmt/format.h>

#include "source/input.h"
#include "source/json_rows.h"
#include "source/sql_text.h"

namespace tarn::source {
namespace {

constexpr int64_t kSampleAllBytes = 32 << 20;
constexpr int64_t kSampleLines = 100'000;

class NdjsonInput : public Input {
 public:
  NdjsonInput(session::Session& session, const std::vector<Landed>& landed)
      : session_(session), rows_(session), landed_(landed) {}

  Result<std::vector<InputColumn>> discover() override;
  [[nodiscard]] bool streams() const override { return !staged_; }
  [[nodiscard]] std::string bad_rows() const override { return staged_ ? rows_.bad_rows() : ""; }
  Result<Relation> relation(Purpose purpose, const std::map<std::string, std::string>& wanted,
                            int only) override;

 private:
  Status stage();
  [[nodiscard]] std::string scan(const std::string& more) const {
    return fmt::format(
        "read_json({}, format = 'newline_delimited', maximum_object_size = {}, hive_partitioning = "
        "false{})",
        literal_list(paths_of(landed_)), 64 << 20, more);
  }

  session::Session& session_;
  JsonRows rows_;
  const std::vector<Landed>& landed_;
  std::vector<InputColumn> found_;
  bool staged_ = false;
};

Status NdjsonInput::stage() {
  if (staged_) {
    return ok();
  }
  TARN_CHECK(rows_.create());
  for (const auto& one : landed_) {
    TARN_CHECK(rows_.add_lines(one));
  }
  TARN_TRY(found_, rows_.discover());
  staged_ = true;
  return ok();
}

Result<std::vector<InputColumn>> NdjsonInput::discover() {
  int64_t bytes = 0;
  for (const auto& one : landed_) {
    bytes += file_bytes(one.path);
  }
  auto rows =
      rows_of(session_, fmt::format("DESCRIBE SELECT * FROM {}",
                                    scan(fmt::format(", sample_size = {}, field_appearance_threshold = 0, "
                                                     "map_inference_threshold = -1",
                                                     bytes < kSampleAllBytes ? -1 : kSampleLines))));
  if (!rows) {
    TARN_CHECK(stage());  // a broken line within the sample
    return found_;
  }
  for (const auto& row : *rows) {
    std::string type = row[1].value_or("JSON");
    found_.push_back({.name = row[0].value_or(""),
                      .inferred = is_plain_type(type) || is_integer_type(type) ? type : "JSON"});
  }
  return found_;
}

Result<Relation> NdjsonInput::relation(Purpose purpose, const std::map<std::string, std::string>& wanted,
                                       int only) {
  if (purpose != Purpose::kStream || staged_) {
    TARN_CHECK(stage());
    return rows_.relation(purpose, wanted, only < 0 ? "" : landed_[static_cast<size_t>(only)].id);
  }
  std::vector<std::pair<std::string, std::string>> types;
  std::vector<std::string> names;
  Relation relation;
  for (const auto& column : found_) {
    auto found = wanted.find(engine::fold(column.name));
    std::string type = found == wanted.end() ? column.inferred : found->second;
    type = is_integer_type(type) ? stream_type_of_integers() : is_plain_type(type) ? type : "JSON";
    types.emplace_back(column.name, type);
    names.push_back(column.name);
    relation.columns.push_back({.name = column.name, .type = type});
  }
  relation.sql =
      fmt::format("SELECT {}, {} AS tarn_fetch FROM {}", identifiers(names), fetch_expression(landed_),
                  scan(fmt::format(", columns = {}{}", literal_struct(types),
                                   landed_.size() > 1 ? ", filename = 'tarn_file'" : "")));
  return relation;
}

}  // namespace

std::unique_ptr<Input> make_ndjson_input(session::Session& session, const Format&,
                                         const std::vector<Landed>& landed) {
  return std::make_unique<NdjsonInput>(session, landed);
}

Result<std::string> read_start(const std::string& path, size_t bytes_max) {
  std::ifstream file(path, std::ios::binary);
  std::string text(bytes_max, '\0');
  file.read(text.data(), static_cast<std::streamsize>(bytes_max));
  text.resize(static_cast<size_t>(file.gcount()));
  for (char& c : text) {
    bool plain = (c >= ' ' && c < 127) || c == '\n' || c == '\t';
    c = plain ? c : '?';
  }
  return text;
}

}  // namespace tarn::source
