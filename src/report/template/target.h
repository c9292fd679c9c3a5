// What a fill means in a template: which rows and columns get which columns of the query.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "report/config.h"
#include "report/template/book.h"

namespace tarn::report::template_file {

struct Target {
  std::string what;  // "table Prices", for messages
  size_t sheet = 0;
  // Rows that the query's rows replace, in the template; columns that belong to it. A range that does not
  // grow has all the rows there are for it.
  Area area;
  bool grows = false;
  bool bounded = false;               // it does not grow, and area's rows are all it has
  std::vector<int64_t> columns;       // of the sheet, one for each of the query's
  std::optional<int64_t> header_row;  // where the names of columns go
  int name = -1;                      // number of the defined name that is to cover it afterwards
};

// kInvalid says what the template has.
Result<Target> find_target(const Book& book, const FillConfig& fill, const std::vector<std::string>& columns);

// Refuses merged cells under what is filled, and formulas that would be overwritten. `rows` of the query, at
// least one, are filled.
Status check_cells(Book& book, const Target& target, int64_t rows);

// Refuses ranges that grow beside one another, or over one another.
Status check_apart(const Book& book, const std::vector<Target>& targets);

}  // namespace tarn::report::template_file
