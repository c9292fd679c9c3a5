// Databases of others that are read where they are (`attach:` in tarn.yml): what the engine must know to open
// one when a statement first names it. Read-only; what they hold is never kept here.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tarn::engine {

enum class OutsideKind { kPostgres, kIceberg, kDelta, kFiles };

// As people write it: "postgres".
std::string_view name_of(OutsideKind kind);

// Where the rows of a table lie, for kinds that keep no list of their tables.
struct OutsideFiles {
  std::string location;  // an absolute path or a URL; kFiles: may have * and ?
  std::string format;    // kFiles: parquet, csv or json
};

struct OutsideDatabase {
  std::string name;  // the database in SQL: name.schema.table
  OutsideKind kind = OutsideKind::kFiles;
  // Of the kind, by their names in tarn.yml, as written there: secrets are still references.
  std::map<std::string, std::string> settings;
  std::map<std::string, OutsideFiles> tables;  // kDelta, kFiles
  std::vector<std::string> locations;          // kIceberg: below which files may lie; paths and URLs
  std::chrono::milliseconds patience{30'000};  // without an answer
  // The text of a setting with the values of its secret references; asked each time it connects, by any
  // thread.
  std::function<Result<std::string>(const std::string& text)> resolve;
};

struct OutsideOptions {
  std::vector<OutsideDatabase> databases;
  std::string extensions_folder;  // where DuckDB's signed extensions lie
};

struct OutsideColumn {
  std::string name;
  std::string type;  // DuckDB's name of the type
};

struct OutsideTable {
  std::string schema;
  std::string name;
  std::vector<OutsideColumn> columns;  // empty: not looked at yet
};

}  // namespace tarn::engine
