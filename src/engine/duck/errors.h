// DuckDB's errors to Tarn's and back. Only for engine/duck.
// An error of Tarn's that passes through DuckDB loses its type and extra fields; its text survives, so the
// text carries the code: "TARN[conflict] message".
#pragma once

#include <exception>
#include <string_view>

#include "base/result.h"

namespace duckdb {
class ErrorData;
}

namespace tarn::engine {

// The place within `sql`, when DuckDB knows it, stands in front: "2:15: message".
Error to_error(const duckdb::ErrorData& data, std::string_view sql = {});
Error to_error(const std::exception& exception, std::string_view sql = {});

// Throws a DuckDB exception from which to_error() gets the same error again. Not-found, invalid and
// unsupported become binder or catalog errors, which leave an open transaction usable.
[[noreturn]] void throw_error(const Error& error);

// The text of an error inside DuckDB: "TARN[conflict] message".
std::string coded_text(const Error& error);

}  // namespace tarn::engine
