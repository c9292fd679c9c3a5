#include "engine/duck/errors.h"

#include <charconv>
#include <optional>

#include "engine/duck/error_text.h"
#include "engine/parse.h"

namespace tarn::engine {
namespace {

constexpr std::string_view kMark = "TARN[";

std::optional<Code> code_of(std::string_view name) {
  for (int i = 0; i <= static_cast<int>(Code::kInternal); ++i) {
    auto code = static_cast<Code>(i);
    if (name_of(code) == name) {
      return code;
    }
  }
  return std::nullopt;
}

// The error whose text throw_error() wrote, wherever it stands in the message.
std::optional<Error> find_coded(std::string_view message) {
  auto mark = message.find(kMark);
  if (mark == std::string_view::npos) {
    return std::nullopt;
  }
  auto rest = message.substr(mark + kMark.size());
  auto close = rest.find("] ");
  if (close == std::string_view::npos) {
    return std::nullopt;
  }
  auto code = code_of(rest.substr(0, close));
  if (!code) {
    return std::nullopt;
  }
  return Error{*code, std::string(rest.substr(close + 2))};
}

bool has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

Code code_of_catalog(std::string_view message) {
  if (has(message, "already exists")) {
    return Code::kExists;
  }
  return has(message, "does not exist") || has(message, "not found") ? Code::kNotFound : Code::kInvalid;
}

Code code_of_transaction(std::string_view message) {
  if (has(message, "is aborted")) {
    return Code::kAborted;
  }
  return has(message, "onflict") ? Code::kConflict : Code::kInvalid;
}

Code code_of_io(std::string_view message) {
  return has(message, "No space left") ? Code::kDiskFull : Code::kIo;
}

Code code_of(duckdb::ExceptionType type, std::string_view message) {
  using duckdb::ExceptionType;
  switch (type) {
    case ExceptionType::CATALOG: return code_of_catalog(message);
    case ExceptionType::TRANSACTION: return code_of_transaction(message);
    case ExceptionType::IO: return code_of_io(message);
    case ExceptionType::PERMISSION: return Code::kDenied;
    case ExceptionType::NOT_IMPLEMENTED:
    case ExceptionType::MISSING_EXTENSION:
    case ExceptionType::AUTOLOAD: return Code::kUnsupported;
    case ExceptionType::INTERRUPT: return Code::kCancelled;
    case ExceptionType::OUT_OF_MEMORY:
    case ExceptionType::OBJECT_SIZE: return Code::kExhausted;
    case ExceptionType::HTTP:
    case ExceptionType::NETWORK:
    case ExceptionType::CONNECTION: return Code::kUnavailable;
    case ExceptionType::SERIALIZATION: return Code::kCorrupt;
    case ExceptionType::FATAL:
    case ExceptionType::INTERNAL:
    case ExceptionType::NULL_POINTER:
    case ExceptionType::SCHEDULER:
    case ExceptionType::EXECUTOR:
    case ExceptionType::OPTIMIZER: return Code::kInternal;
    default: return Code::kInvalid;
  }
}

// The byte of `sql` that the error is about.
std::optional<size_t> offset_of(const duckdb::ErrorData& data, std::string_view sql) {
  auto entry = data.ExtraInfo().find("position");
  if (entry == data.ExtraInfo().end() || sql.empty()) {
    return std::nullopt;
  }
  size_t offset = 0;
  const auto& digits = entry->second;
  auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), offset);
  return problem == std::errc() && offset <= sql.size() ? std::optional(offset) : std::nullopt;
}

}  // namespace

std::string place_in(std::string_view text, size_t offset) {
  auto before = text.substr(0, std::min(offset, text.size()));
  auto line = std::count(before.begin(), before.end(), '\n') + 1;
  auto start = before.rfind('\n');
  auto column = start == std::string_view::npos ? before.size() + 1 : before.size() - start;
  return fmt::format("{}:{}", line, column);
}

Error to_error(const duckdb::ErrorData& data, std::string_view sql) {
  if (data.RawMessage().starts_with('{')) {  // the connections ask for JSON, which keeps the position
    duckdb::ErrorData parsed{data.RawMessage()};
    if (!parsed.RawMessage().starts_with('{')) {
      return to_error(parsed, sql);
    }
  }
  auto offset = offset_of(data, sql);
  auto error = find_coded(data.RawMessage());
  if (!error) {
    error = Error{code_of(data.Type(), data.RawMessage()),
                  error_text(data.RawMessage(), sql.substr(0, offset.value_or(0)))};
  }
  return offset ? error->at(place_in(sql, *offset)) : *error;
}

Error to_error(const std::exception& exception, std::string_view sql) {
  return to_error(duckdb::ErrorData(exception), sql);
}

std::string coded_text(const Error& error) {
  return fmt::format("TARN[{}] {}", name_of(error.code), error.message);
}

void throw_error(const Error& error) {
  auto text = coded_text(error);
  switch (error.code) {
    case Code::kNotFound:
    case Code::kExists: throw duckdb::Exception(duckdb::ExceptionType::CATALOG, text);
    case Code::kInvalid:
    case Code::kUnsupported:
    case Code::kDenied: throw duckdb::Exception(duckdb::ExceptionType::BINDER, text);
    case Code::kIo:
    case Code::kDiskFull:
    case Code::kCorrupt: throw duckdb::Exception(duckdb::ExceptionType::IO, text);
    case Code::kInternal:  // not DuckDB's INTERNAL, which would shut the database
    case Code::kConflict:
    case Code::kAborted:
    case Code::kCancelled:
    case Code::kTimeout:
    case Code::kExhausted:
    case Code::kUnavailable:
    case Code::kLocked:
    case Code::kNewer:
    case Code::kFailed: break;
  }
  throw duckdb::Exception(duckdb::ExceptionType::TRANSACTION, text);
}

}  // namespace tarn::engine
