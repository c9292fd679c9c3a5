// What a SQL text does, without running it: for the allow-lists, for lineage and for splitting a script.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tarn::engine {

enum class StatementKind {
  kSelect,
  kInsert,
  kUpdate,
  kDelete,
  kMerge,
  kCreateTable,
  kCreateView,
  kCreateSchema,
  kCreateMacro,
  kCreateOther,
  kDrop,
  kAlter,
  kComment,
  kCopyFrom,
  kCopyTo,
  kTransaction,
  kExplain,
  kPrepare,
  kExecute,
  kDeallocate,
  kShow,
  kUse,
  kSet,
  kPragma,
  kCall,
  kAttach,
  kDetach,
  kLoad,
  kExport,
  kImport,
  kVacuum,
  kOther,
};

struct FunctionUse {
  std::string name;  // lower case
  bool table_function = false;
  size_t offset = 0;  // byte in the whole text; 0 when the parser does not say
};

struct TableUse {
  std::string database, schema, name;  // as written; empty where left out
  bool write = false;
  size_t offset = 0;
};

// Everything is collected from all depths: CTEs, sub-queries, macro bodies, PREPARE's inner statement.
// Names of CTEs are not tables.
struct StatementFacts {
  StatementKind kind = StatementKind::kOther;
  size_t begin = 0, end = 0;  // bytes of the text
  std::string text;           // the statement itself
  int parameters = 0;
  std::vector<std::string> parameter_names;  // "$from" is "from", "$1" and "?" are numbers
  std::vector<FunctionUse> functions;
  std::vector<TableUse> tables;
  std::vector<StatementKind> inner;  // kinds of statements inside (EXPLAIN, PREPARE)
  bool temporary = false;            // CREATE TEMP ...
  std::string created;               // lower-case name that a CREATE MACRO makes known
  std::string used_schema;           // what USE names, as written, parts joined by dots
  // begin, commit or rollback; empty when it is no transaction statement.
  std::string transaction;
};

// "create table" for kCreateTable: the kind as people write it.
std::string_view name_of(StatementKind kind);

// "line:column", both from 1, of a byte in a text; columns count bytes.
std::string place_in(std::string_view text, size_t offset);

// The byte of `sql` that an error of the engine names in front ("12:5: …"), which is taken off its message;
// nullopt when it names none.
std::optional<size_t> take_place(std::string_view sql, std::string& message);

// Fails with kInvalid and "line:column: message" on a syntax error.
Result<std::vector<StatementFacts>> parse(std::string_view sql);

}  // namespace tarn::engine
