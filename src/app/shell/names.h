// The words that Tab completes in the shell: keywords, functions, and the names of schemas, tables and
// columns.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "serve/backend.h"

namespace tarn::app {

class Names {
 public:
  // Reads the catalog anew, as the session sees it; on failure the old names stay.
  void refresh(serve::SqlSession& session);
  // Sorted. For "t." the columns of t, or the tables of schema t; for "." the shell's own commands.
  [[nodiscard]] std::vector<std::string> candidates(std::string_view word) const;

 private:
  struct Column {
    std::string database;  // of others; empty: the lake's
    std::string schema, table, name;
  };
  std::vector<Column> columns_;
};

// The longest text that all of them start with.
std::string common_start(const std::vector<std::string>& words);

}  // namespace tarn::app
