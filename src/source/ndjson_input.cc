// NDJSON: Tarn's own reader (engine/duck/json), which types each value exactly and says of each line that
// makes no row why. Keys are looked for in the beginning of each file; one that comes later is told by the
// scan that meets it.
#include <algorithm>
#include <fstream>

#include <fmt/format.h>

#include "source/input.h"
#include "source/json_rows.h"
#include "source/sql_text.h"

namespace tarn::source {
namespace {

constexpr int64_t kSampleBytes = 32 << 20;
constexpr int64_t kSampleBytesOfNames = 4 << 20;
constexpr int64_t kSampleBytesMin = 256 << 10;  // of each file

class NdjsonInput : public Input {
 public:
  NdjsonInput(session::Session& session, const std::vector<Landed>& landed)
      : session_(session), landed_(landed) {}

  Result<std::vector<InputColumn>> find_columns(bool types_matter) override;
  Result<std::vector<InputColumn>> find_late_columns() override;
  [[nodiscard]] bool streams() const override { return true; }
  Result<Relation> relation(Purpose purpose, const WantedColumns& wanted, int only) override;
  [[nodiscard]] std::string bad_rows() const override {
    return fmt::format("SELECT DISTINCT * FROM tarn_json_rejects({})", scan_);
  }
  [[nodiscard]] std::string row_number() const override {
    return fmt::format(
        "(SELECT g.lines_before FROM tarn_json_ranges({}) g WHERE g.fetch_id = s._tarn_fetch AND g.range = "
        "s.tarn_row // 4294967296) + s.tarn_row % 4294967296",
        scan_);
  }

 private:
  struct Key {
    std::string key;     // in the lines
    std::string name;    // of the column
    std::string type;    // flat; empty: only nulls
    std::string nested;  // as a select sees it
  };
  Result<std::vector<InputColumn>> add_keys(int scan);
  [[nodiscard]] std::string free_name(const std::string& key) const;

  session::Session& session_;
  const std::vector<Landed>& landed_;
  std::vector<Key> keys_;
  int scan_ = 0;    // the last one
  int looked_ = 0;  // the last whose keys are among keys_
};

// Text for tarn_json_lines.
std::string lines_of(const std::vector<Landed>& files, const std::array<std::vector<std::string>, 4>& columns,
                     int scan, int64_t bytes_max) {
  std::vector<std::string> fetches;
  for (const auto& one : files) {
    fetches.push_back(one.id);
  }
  std::string lists;
  for (const auto& list : columns) {
    lists += fmt::format("CAST({} AS VARCHAR[]), ", literal_list(list));
  }
  return fmt::format("tarn_json_lines({}, {}, {}{}, {})", literal_list(paths_of(files)),
                     literal_list(fetches), lists, scan, bytes_max);
}

// Names of columns do not differ by case alone.
std::string NdjsonInput::free_name(const std::string& key) const {
  std::string name = key.empty() ? "column" : key;
  while (std::any_of(keys_.begin(), keys_.end(), [&](const Key& other) {
    return other.key != key && engine::fold(other.name) == engine::fold(name);
  })) {
    name += "_1";
  }
  return name;
}

Result<std::vector<InputColumn>> NdjsonInput::add_keys(int scan) {
  std::vector<InputColumn> added;
  TARN_TRY(auto rows,
           rows_of(session_, fmt::format("SELECT key, type, nested FROM tarn_json_keys({})", scan)));
  for (const auto& row : rows) {
    const std::string key = row[0].value_or("");
    auto known = std::find_if(keys_.begin(), keys_.end(), [&](const Key& one) { return one.key == key; });
    if (known == keys_.end()) {
      keys_.push_back({.key = key, .name = free_name(key), .type = {}, .nested = {}});
      known = keys_.end() - 1;
    } else if (!known->type.empty() || row[1].value_or("").empty()) {
      continue;
    }
    known->type = row[1].value_or("");
    known->nested = row[2].value_or("JSON");
    added.push_back({.name = known->name, .inferred = known->type});
  }
  return added;
}

Result<std::vector<InputColumn>> NdjsonInput::find_columns(bool types_matter) {
  const auto bytes = types_matter ? kSampleBytes : kSampleBytesOfNames;
  const auto each = std::max(kSampleBytesMin, bytes / static_cast<int64_t>(landed_.size()));
  looked_ = ++scan_;
  TARN_TRY(auto rows,
           rows_of(session_, fmt::format("SELECT count(*) FROM {}", lines_of(landed_, {}, scan_, each))));
  return add_keys(scan_);
}

Result<std::vector<InputColumn>> NdjsonInput::find_late_columns() {
  std::vector<InputColumn> late;
  while (looked_ < scan_) {
    TARN_TRY(auto added, add_keys(++looked_));
    for (auto& column : added) {
      if (!column.inferred.empty()) {
        late.push_back(std::move(column));
      }
    }
  }
  return late;
}

Result<Relation> NdjsonInput::relation(Purpose purpose, const WantedColumns& wanted, int only) {
  std::array<std::vector<std::string>, 4> columns;  // keys, names, types, required
  std::vector<std::string> names;
  Relation relation;
  relation.is_checked = purpose != Purpose::kSelect;
  for (const auto& key : keys_) {
    const auto found = wanted.find(engine::fold(key.name));
    const bool selects = purpose == Purpose::kSelect;
    if (key.type.empty() && !selects && found == wanted.end()) {
      continue;  // only nulls so far: the scan tells when a value comes
    }
    const std::string type = selects ? key.nested : found == wanted.end() ? "" : found->second.type;
    columns[0].push_back(key.key);
    columns[1].push_back(key.name);
    columns[2].push_back(type);
    if (type.empty()) {
      continue;
    }
    if (!selects && found->second.required) {
      columns[3].push_back(key.name);
    }
    names.push_back(key.name);
    relation.columns.push_back({.name = key.name, .type = type});
  }
  const auto files = only < 0 ? landed_ : std::vector<Landed>{landed_[static_cast<size_t>(only)]};
  const std::string list = identifiers(names);
  relation.sql = fmt::format("SELECT {}{}tarn_fetch{} FROM {}", list, list.empty() ? "" : ", ",
                             purpose == Purpose::kCareful ? ", tarn_row, tarn_raw" : "",
                             lines_of(files, columns, ++scan_, 0));
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
