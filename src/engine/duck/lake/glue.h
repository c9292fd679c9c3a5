// Between Tarn's Results and DuckDB's exceptions, for code that runs inside DuckDB.
// DuckDB keeps only the text of an exception that leaves COMMIT, so the text carries the code:
// "TARN[conflict] …".
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "base/result.h"
#include "duckdb.hpp"
#include "engine/duck/errors.h"

namespace tarn::engine::lake {

namespace db = duckdb;

inline void check_or_throw(const Status& status) {
  if (!status) {
    throw_error(status.error());
  }
}

template <class T>
T value_or_throw(Result<T> result) {
  if (!result) {
    throw_error(result.error());
  }
  return std::move(*result);
}

// Metadata names files by "file:///abs"; DuckDB and the file system by "/abs".
std::string path_of(const std::string& uri);
std::string uri_of(const std::string& path);

}  // namespace tarn::engine::lake
