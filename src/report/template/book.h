// What a template consists of: sheets, defined names, tables, and where they stand in the package. Parts are
// read when they are asked for, once, and written back by save() when they were changed.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "report/template/package.h"
#include "report/template/xml.h"
#include "report/workbook/reference.h"

namespace tarn::report::template_file {

struct Sheet {
  std::string name;
  std::string part;  // "xl/worksheets/sheet1.xml"
};

struct DefinedName {
  std::string name;
  std::string refers_to;        // a formula: "Data!$A$2:$C$2"
  std::optional<size_t> sheet;  // valid there only
};

struct Table {
  std::string name;
  std::string part;
  size_t sheet = 0;
  Area area;  // with header and totals
  int64_t header_rows = 1, totals_rows = 0;
  std::vector<std::string> columns;
};

class Book {
 public:
  static Result<Book> open(Package package);

  [[nodiscard]] const std::string& shown() const { return package_.shown(); }
  [[nodiscard]] const std::vector<Sheet>& sheets() const { return sheets_; }
  [[nodiscard]] const std::vector<DefinedName>& names() const { return names_; }
  [[nodiscard]] const std::vector<Table>& tables() const { return tables_; }
  [[nodiscard]] std::optional<size_t> find_sheet(std::string_view name) const;
  [[nodiscard]] bool counts_from_1904() const { return counts_from_1904_; }
  [[nodiscard]] const std::string& workbook_part() const { return workbook_part_; }
  [[nodiscard]] Package& package() { return package_; }

  // The tree stays where it is as long as the book.
  Result<XmlDocument*> part(const std::string& name);
  void mark_changed(const std::string& part) { changed_[part] = true; }
  // Parts that `from` names by a relation whose type ends so: "/table", "/drawing".
  Result<std::vector<std::string>> related(const std::string& from, std::string_view type_end);
  // Parts whose content type has this in it: "drawingml.chart+xml".
  Result<std::vector<std::string>> parts_of_type(std::string_view type);
  // Takes a part out with everything that names it.
  Status remove_part(const std::string& part);
  // Hands what was changed to the package.
  void hand_over();

 private:
  explicit Book(Package package) : package_(std::move(package)) {}
  Status read_workbook();
  Status read_tables();

  Package package_;
  std::string workbook_part_;
  std::vector<Sheet> sheets_;
  std::vector<DefinedName> names_;
  std::vector<Table> tables_;
  bool counts_from_1904_ = false;
  std::map<std::string, XmlDocument> parts_;
  std::map<std::string, bool> changed_;
};

// "xl/worksheets/sheet1.xml" -> "xl/worksheets/_rels/sheet1.xml.rels"
std::string relations_part_of(const std::string& part);

}  // namespace tarn::report::template_file
