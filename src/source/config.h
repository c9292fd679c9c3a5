// One sources/*.yml as read: what every kind shares. The keys of a kind itself are read by that kind
// (kind.h). Immutable after reading. Every mistake is a Diagnostic with its place; docs/sources.md is the
// reference.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostic.h"
#include "base/env/env.h"
#include "base/result.h"
#include "codec/yaml.h"
#include "engine/lake_catalog.h"
#include "flow/schedule.h"
#include "flow/task.h"
#include "project/project.h"

namespace tarn::source {

class Fetcher;
class Registry;

enum class Mode { kAppend, kReplace, kUpsert };
enum class NewColumns { kEvolve, kIgnore, kFail };
enum class FormatKind { kJson, kNdjson, kCsv, kParquet };

struct Format {
  FormatKind kind = FormatKind::kJson;
  std::string records;      // json: path to the list of records, e.g. "$.items"; empty: the document itself
  std::string compression;  // "", "gzip", "zstd"; "": by the file's name
  std::optional<std::string> delimiter, quote, escape, null_text, date_format, timestamp_format;  // csv
  std::optional<bool> header;                                                                     // csv
  int64_t skip = 0;  // csv: lines before the header
};

// A person's SQL in a YAML file.
struct Sql {
  std::string text;  // empty: none
  Place place;       // where it begins
};

struct ContractColumn {
  std::string name;
  std::string type;  // as written, a DuckDB type; empty: inferred
  bool required = false;
  Sql check;  // a person's boolean expression
  Place place;
  Place type_place;
};

struct Since {
  Place place;
  std::string column;     // of the table; the greatest value landed is the next cursor
  std::string parameter;  // query parameter that gets the cursor; empty: only as {since}
  std::string initial;    // before anything was landed; empty: the parameter is left out
};

struct SourceConfig {
  std::string name;     // of the file, without ".yml"
  std::string path;     // relative to the project's root
  std::string text;     // of the file, for places
  bool broken = false;  // has mistakes: it may lack anything but name, path and table, and is never run
  std::string kind;
  std::string description;
  engine::TableName table;
  Format format;
  Sql select;  // over the temp view `input`
  Mode mode = Mode::kAppend;
  std::vector<std::string> key;
  Place key_place;
  std::vector<ContractColumn> columns;
  NewColumns on_new_columns = NewColumns::kEvolve;
  std::vector<std::string> partition_by;
  bool allow_empty = false;
  std::optional<Since> since;
  flow::Freshness freshness;
  std::vector<std::string> tags;
  std::vector<std::string> after;
  std::optional<flow::Schedule> schedule;
  std::vector<std::string> reads;          // tables named in each and select, "schema.name"
  std::shared_ptr<const Fetcher> fetcher;  // the kind's part
};

// Reads one text to its end; all mistakes are in `diagnostics`.
std::shared_ptr<const SourceConfig> read_config(const Registry& registry, std::string_view text,
                                                const std::string& path, Diagnostics& diagnostics);

// Reads all of sources/*.yml and *.yaml, sorted by name. The error is for an unreadable folder.
Result<std::vector<std::shared_ptr<const SourceConfig>>> read_configs(const Registry& registry,
                                                                      FileSystem& files,
                                                                      const std::string& project_root,
                                                                      Diagnostics& diagnostics);

// An error of the engine about `front` + a text of the file, as a mistake at its place in the file.
Diagnostic mistake_in(const SourceConfig& config, const Sql& sql, std::string_view what, const Error& error,
                      std::string_view front = "");

// SQL of one field of partition_by, its column quoted: "day(time)", "bucket(16, id)", "city".
Result<std::string> partition_field(const std::string& text);

// "100MB", "64 KiB", "1000": bytes.
Result<uint64_t> parse_bytes(std::string_view text);

// A letter or underscore, then letters, digits and underscores.
bool is_identifier(std::string_view text);

}  // namespace tarn::source
