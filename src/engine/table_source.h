// A table that code makes up: `_tarn.runs` and the like. One adapter makes any of them a table of DuckDB's.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace tarn::engine {

// Cells as text of the column's type; nullopt is null.
using TextRow = std::vector<std::optional<std::string>>;

struct SourceColumn {
  std::string name;
  std::string type;  // DuckDB's name of the type
  std::string comment;
};

// Called from any thread, several at a time.
class TableSource {
 public:
  virtual ~TableSource() = default;
  [[nodiscard]] virtual const std::string& name() const = 0;   // in schema `_tarn`
  [[nodiscard]] virtual const std::string& about() const = 0;  // one sentence
  [[nodiscard]] virtual const std::vector<SourceColumn>& columns() const = 0;
  // Hands all rows to `sink`, which answers false to stop early.
  virtual Status scan(const std::function<bool(TextRow row)>& sink) = 0;
};

}  // namespace tarn::engine
