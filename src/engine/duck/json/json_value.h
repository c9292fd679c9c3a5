// JSON values into DuckDB's vectors, each typed exactly: what cannot be read as its type without a loss is
// refused, in nested values too. Numbers are read from their text, so nothing goes through a double that does
// not end there.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "codec/json_scanner.h"
#include "duckdb.hpp"

namespace tarn::engine::json {

namespace db = duckdb;

// A type as the reader needs it; made once.
struct Target {
  explicit Target(db::LogicalType logical_type);
  enum class Kind {
    kText,
    kJson,
    kBoolean,
    kWhole,
    kFloat,
    kDouble,
    kDate,
    kTimestamp,
    kTimestampTz,
    kList,
    kStruct,
    kMap,
    kOther
  };
  db::LogicalType type;
  Kind kind = Kind::kOther;
  std::vector<Target> children;                     // list: 1, struct: its members, map: key and value
  std::unordered_map<std::string, size_t> members;  // struct: child by folded name
};

enum class Outcome {
  kDone,    // null included
  kUnfit,   // valid so far, but not of the type; the scanner stands somewhere inside the value
  kBroken,  // not JSON
};

class ValueReader {
 public:
  explicit ValueReader(db::ClientContext& context) : context_(context) {}

  // Reads the scanner's next value into vector[row]. Nulls of nested vectors are set for children too.
  Outcome read(codec::JsonScanner& scanner, const Target& target, db::Vector& vector, db::idx_t row);
  static void set_null(const Target& target, db::Vector& vector, db::idx_t row);

 private:
  Outcome read_scalar(codec::JsonScanner& scanner, codec::JsonKind kind, const Target& target,
                      db::Vector& vector, db::idx_t row);
  Outcome read_list(codec::JsonScanner& scanner, const Target& target, db::Vector& vector, db::idx_t row);
  Outcome read_struct(codec::JsonScanner& scanner, const Target& target, db::Vector& vector, db::idx_t row);
  Outcome read_map(codec::JsonScanner& scanner, const Target& target, db::Vector& vector, db::idx_t row);
  // A scalar from its text, as a cast from VARCHAR does it.
  bool convert(std::string_view text, const Target& target, db::Vector& vector, db::idx_t row);
  bool cast(const std::string& text, const Target& target, db::Vector& vector, db::idx_t row);

  db::ClientContext& context_;
  std::string buffer_;
};

}  // namespace tarn::engine::json
