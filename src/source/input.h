// Landed bytes as rows for SQL, one class a format. discover() looks at what is there, relation() gives a
// SELECT over it. A relation gives the input's columns under their own names and, last:
//   tarn_fetch VARCHAR   the id of the landed file
//   tarn_row BIGINT      kCareful only: the line (CSV, NDJSON) or record in its file, from 1
//   tarn_raw             kCareful only: the row as it came, VARCHAR or (raw_is_row) a struct
// Bytes that make no row at all are in bad_rows().
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/connection.h"
#include "session/session.h"
#include "source/config.h"
#include "source/kind.h"

namespace tarn::source {

struct InputColumn {
  std::string name;
  std::string inferred;  // type that a new table's column gets; empty: only nulls were seen
};

enum class Purpose {
  kStream,  // straight into the table: the first broken row may fail the statement
  kExact,   // the same where no row may fail the statement; types may be VARCHAR where the wanted is stricter
  kCareful,  // as kExact, with tarn_row and tarn_raw
  kSelect,   // for a person's SELECT: types as inferred
};

struct Wanted {
  std::string type;
  bool required = false;
};
using WantedColumns = std::map<std::string, Wanted>;  // by folded name

struct Relation {
  std::string sql;
  std::vector<engine::Column> columns;  // without the tarn_ ones
  bool raw_is_row = false;              // tarn_raw is a struct of the row, to be shown as JSON
  bool is_checked = false;              // rows that lack a required value are among the bad rows already
};

class Input {
 public:
  virtual ~Input() = default;
  // Runs outside a transaction: it may make temporary tables, and may fail without harm.
  // `types_matter`: false where the names suffice, as the types are known.
  // A name with a zero byte, which SQL text cannot hold, is an error.
  Result<std::vector<InputColumn>> discover(bool types_matter);
  // What the relations read whole since have shown besides: columns of the input from now on, so that a
  // relation made before lacks them.
  Result<std::vector<InputColumn>> late_columns();
  // False: only kCareful and kSelect relations exist, made of what discover() has staged.
  [[nodiscard]] virtual bool streams() const = 0;
  // `only`: index of one landed file, or -1 for all.
  virtual Result<Relation> relation(Purpose purpose, const WantedColumns& wanted, int only) = 0;
  // Expression: the number that people see, of a row `s` of tarn_stage.
  [[nodiscard]] virtual std::string row_number() const { return "s.tarn_row"; }
  // SELECT fetch, row_number, reason, raw of what made no row; valid after the last relation() was read
  // whole. Empty: there is nothing of the kind.
  [[nodiscard]] virtual std::string bad_rows() const = 0;

 protected:
  virtual Result<std::vector<InputColumn>> find_columns(bool types_matter) = 0;
  virtual Result<std::vector<InputColumn>> find_late_columns() { return std::vector<InputColumn>(); }
};

// `landed` without empty files; all in the same format. The session outlives the input.
std::unique_ptr<Input> make_input(session::Session& session, const Format& format,
                                  const std::vector<Landed>& landed);

// For input.cc only: one function a format.
std::unique_ptr<Input> make_json_input(session::Session& session, const Format& format,
                                       const std::vector<Landed>& landed);
std::unique_ptr<Input> make_ndjson_input(session::Session& session, const Format& format,
                                         const std::vector<Landed>& landed);
std::unique_ptr<Input> make_csv_input(session::Session& session, const Format& format,
                                      const std::vector<Landed>& landed);
std::unique_ptr<Input> make_parquet_input(session::Session& session, const Format& format,
                                          const std::vector<Landed>& landed);

// All rows of a query of ours, as text; for small answers.
Result<std::vector<engine::TextRow>> rows_of(session::Session& session, const std::string& sql);
std::vector<std::string> paths_of(const std::vector<Landed>& landed);
// Expression that makes the fetch id of the column tarn_file.
std::string fetch_expression(const std::vector<Landed>& landed);
int64_t file_bytes(const std::string& path);
// By its name, as the readers go by it.
bool is_packed(std::string_view path);

}  // namespace tarn::source
