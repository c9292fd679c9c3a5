// Cell styles of a template: only what is needed to give a date that lands in a "General" cell the look of
// one.
#pragma once

#include <cstdint>
#include <map>
#include <utility>

#include "base/result.h"
#include "report/template/book.h"
#include "report/workbook/cell_value.h"

namespace tarn::report::template_file {

class Styles {
 public:
  static Result<Styles> open(Book& book);
  // The style to use for a value of that kind in a cell of style `style`: the same, or a copy with a format.
  int64_t style_for(int64_t style, ColumnKind kind);

 private:
  explicit Styles(Book& book) : book_(&book) {}
  [[nodiscard]] bool is_general(int64_t number) const;
  int64_t format_number(ColumnKind kind);

  Book* book_;
  std::string part_;
  xmlNode* root_ = nullptr;     // null: the workbook has no styles
  xmlNode* formats_ = nullptr;  // cellXfs
  std::vector<xmlNode*> styles_;
  std::map<std::pair<int64_t, ColumnKind>, int64_t> made_;
  std::map<ColumnKind, int64_t> numbers_;
};

}  // namespace tarn::report::template_file
