// What the texts of a flow refer to. In a text "${…}", in SQL "$…": a parameter (day), a column of the row of
// for_each (row.region), the result of a task before (count.n), the run (run.id); in a text also
// "${var:name}", "${env:NAME}" and "${file:path}". Pure. What is put in is never looked at again.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tarn::flowfile {

struct Reference {
  enum class Kind { kParameter, kRow, kResult, kRun, kVar, kSecret };
  Kind kind = Kind::kParameter;
  std::string name;                         // of the parameter, task or var; of a secret the whole "${…}"
  std::string field;                        // of a row, result or run: "n", "answer.id", "items.0"
  size_t offset = 0;                        // byte of its "$"
  [[nodiscard]] std::string shown() const;  // "count.n"
};

struct TextPiece {
  std::string text;
  std::optional<Reference> reference;  // then `text` is it as written
};

// "$${" is "${". kInvalid says what a "${" that is no reference should be; `at` gets its byte.
Result<std::vector<TextPiece>> parse_text(std::string_view text, size_t* at = nullptr);

// A statement with "$count.n" made "$count_n", which the engine takes as a parameter: as many bytes as
// before, so that places in it stay. Quotes and comments are left alone.
struct SqlText {
  std::string text;
  std::vector<Reference> references;
};
SqlText parse_sql(std::string_view sql);

// As the engine calls it: "count_n".
std::string parameter_name(const Reference& reference);

// Letters, digits and underscores, not a digit first.
bool is_name(std::string_view text);
// Words that cannot be names of tasks or parameters: "row", "run".
bool is_reserved(std::string_view name);

}  // namespace tarn::flowfile
