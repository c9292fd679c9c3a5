// The type that a column for JSON values needs: values are added one by one, and the type is one that DuckDB
// knows by name. Texts that are all dates or all times become such; kinds that do not mix become JSON.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "codec/json_scanner.h"

namespace tarn::codec {

class JsonShape {
 public:
  // Reads one value. False: the text is broken; what was added before stays.
  bool add(JsonScanner& scanner);
  void merge(const JsonShape& other);

  // Nothing but nulls was seen.
  [[nodiscard]] bool is_empty() const { return seen_ == 0; }
  // "" when empty; nested values are JSON.
  [[nodiscard]] std::string flat_type() const;
  // Nested values are STRUCT and LIST; JSON when empty.
  [[nodiscard]] std::string nested_type() const;

  // Of an object, in the order in which they came.
  [[nodiscard]] const std::vector<std::pair<std::string, JsonShape>>& members() const { return members_; }
  JsonShape& member(std::string_view key);

 private:
  enum Seen : unsigned {
    kBoolean = 1,
    kWhole = 2,       // fits 64 bits with sign
    kLargeWhole = 4,  // fits 38 digits
    kFraction = 8,    // and whole numbers beyond that
    kText = 16,
    kObject = 32,
    kArray = 64,
  };
  void add_number(std::string_view text, bool whole);
  void add_text(std::string_view text);
  bool add_object(JsonScanner& scanner);
  bool add_array(JsonScanner& scanner);
  [[nodiscard]] std::string scalar_type() const;  // "" when it is none

  unsigned seen_ = 0;
  unsigned time_forms_ = 0;  // forms of dates and times that all texts had
  int depth_ = 0;
  std::vector<std::pair<std::string, JsonShape>> members_;
  std::unique_ptr<JsonShape> element_;

 public:
  JsonShape() = default;
  JsonShape(const JsonShape& other) { *this = other; }
  JsonShape& operator=(const JsonShape& other);
  JsonShape(JsonShape&&) = default;
  JsonShape& operator=(JsonShape&&) = default;
  ~JsonShape() = default;
};

}  // namespace tarn::codec
