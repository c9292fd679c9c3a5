#include "report/template/target.h"

#include <algorithm>

#include <fmt/format.h>

#include "codec/text_distance.h"
#include "engine/lake_catalog.h"
#include "report/template/sheet_cells.h"

namespace tarn::report::template_file {
namespace {

Error invalid(std::string message) {
  return {Code::kInvalid, std::move(message)};
}

std::string offer(const std::string& wanted, const std::vector<std::string>& names, std::string_view none) {
  const auto near = codec::nearest(wanted, names);
  if (names.empty())
    return std::string(none);
  return near.empty() ? fmt::format("it has {}", fmt::join(names, ", "))
                      : fmt::format("did you mean '{}'?", near);
}

struct SheetText {
  std::string sheet;  // empty: none is named
  std::string rest;
};

// "'My sheet'!B3" -> "My sheet", "B3"
SheetText split_sheet(const std::string& text) {
  const auto mark = text.rfind('!');
  if (mark == std::string::npos)
    return {"", text};
  auto sheet = text.substr(0, mark);
  if (sheet.size() >= 2 && sheet.front() == '\'' && sheet.back() == '\'') {
    std::string plain;
    for (size_t i = 1; i + 1 < sheet.size(); ++i) {
      plain += sheet[i];
      if (sheet[i] == '\'')
        ++i;
    }
    sheet = plain;
  }
  return {sheet, text.substr(mark + 1)};
}

class Finder {
 public:
  Finder(const Book& book, const FillConfig& fill, const std::vector<std::string>& columns)
      : book_(book), fill_(fill), columns_(columns) {}

  Result<Target> find() {
    switch (fill_.kind) {
      case FillConfig::Kind::kCell: return find_cell();
      case FillConfig::Kind::kName: return find_name();
      case FillConfig::Kind::kTable: return find_table();
    }
    return invalid("a fill has a cell, a name or a table");
  }

 private:
  Result<size_t> sheet_of(const std::string& name) const {
    if (name.empty())
      return size_t{0};
    if (const auto found = book_.find_sheet(name))
      return *found;
    std::vector<std::string> names;
    for (const auto& sheet : book_.sheets())
      names.push_back(sheet.name);
    return invalid(
        fmt::format("{} has no sheet '{}': {}", book_.shown(), name, offer(name, names, "it has none")));
  }

  Result<Target> find_cell() {
    const auto [sheet, rest] = split_sheet(fill_.target);
    const auto corner = parse_corner(rest);
    if (!corner)
      return invalid(fmt::format("'{}' is no cell: write Sheet1!B3", fill_.target));
    Target target{.what = "cell " + fill_.target, .grows = fill_.inserts};
    TARN_TRY(target.sheet, sheet_of(sheet));
    target.area = {corner->row, corner->row, corner->column, corner->column};
    return from_corner(std::move(target));
  }

  // As many columns as the query has, to the right.
  Result<Target> from_corner(Target target) {
    auto& area = target.area;
    area.column_last = area.column_first + static_cast<int64_t>(columns_.size()) - 1;
    if (area.column_last >= kSheetColumns)
      return invalid(fmt::format("{}: {} columns do not fit there", target.what, columns_.size()));
    if (fill_.header) {
      target.header_row = area.row_first;
      area.row_first = ++area.row_last;
    }
    for (auto column = area.column_first; column <= area.column_last; ++column)
      target.columns.push_back(column);
    return target;
  }

  Result<Target> find_name() {
    std::vector<std::string> names;
    for (size_t i = 0; i < book_.names().size(); ++i) {
      const auto& name = book_.names()[i];
      if (engine::fold(name.name) == engine::fold(fill_.target))
        return from_name(name, static_cast<int>(i));
      if (!name.name.starts_with("_xlnm."))
        names.push_back(name.name);
    }
    return invalid(
        fmt::format("{} has no name '{}': {}", book_.shown(), fill_.target,
                    offer(fill_.target, names, "it has no names at all; give one in Excel's name box")));
  }

  Result<Target> from_name(const DefinedName& name, int number) {
    const auto [sheet, rest] = split_sheet(name.refers_to);
    const auto area = parse_area(rest);
    if (!area)
      return invalid(fmt::format("name {} is no range of cells ({})", name.name, name.refers_to));
    Target target{.what = "name " + name.name, .area = *area, .grows = fill_.inserts};
    TARN_TRY(target.sheet, sheet_of(sheet));
    if (fill_.inserts)
      target.name = number;
    if (area->rows() == 1 && area->columns() == 1)
      return from_corner(std::move(target));
    target.bounded = !fill_.inserts;
    if (fill_.header) {
      target.header_row = target.area.row_first++;
      if (target.area.row_first > target.area.row_last)
        return invalid(fmt::format("{} has one row: with a header it needs two", target.what));
    }
    if (static_cast<int64_t>(columns_.size()) > area->columns())
      return invalid(fmt::format("{}: the query has {} columns, the range has {} ({})", target.what,
                                 columns_.size(), area->columns(), name.refers_to));
    for (size_t i = 0; i < columns_.size(); ++i)
      target.columns.push_back(area->column_first + static_cast<int64_t>(i));
    return target;
  }

  Result<Target> find_table() {
    std::vector<std::string> names;
    for (const auto& table : book_.tables()) {
      if (engine::fold(table.name) == engine::fold(fill_.target))
        return from_table(table);
      names.push_back(table.name);
    }
    return invalid(fmt::format("{} has no table '{}': {}", book_.shown(), fill_.target,
                               offer(fill_.target, names, "it has no tables (Insert > Table makes one)")));
  }

  Result<Target> from_table(const Table& table) {
    Target target{.what = "table " + table.name, .sheet = table.sheet, .area = table.area, .grows = true};
    target.area.row_first += table.header_rows;
    target.area.row_last -= table.totals_rows;
    for (const auto& column : columns_) {
      const auto found =
          std::find_if(table.columns.begin(), table.columns.end(),
                       [&](const std::string& one) { return engine::fold(one) == engine::fold(column); });
      if (found == table.columns.end())
        return invalid(fmt::format("table {} has no column '{}': {}", table.name, column,
                                   offer(column, table.columns, "it has none")));
      target.columns.push_back(table.area.column_first + (found - table.columns.begin()));
    }
    return target;
  }

  const Book& book_;
  const FillConfig& fill_;
  const std::vector<std::string>& columns_;
};

}  // namespace

Result<Target> find_target(const Book& book, const FillConfig& fill,
                           const std::vector<std::string>& columns) {
  return Finder(book, fill, columns).find();
}

Status check_cells(Book& book, const Target& target, int64_t rows) {
  TARN_TRY(auto* document, book.part(book.sheets()[target.sheet].part));
  auto area = target.area;
  if (!target.grows)
    area.row_last = std::max(target.bounded ? area.row_last : area.row_first, area.row_first + rows - 1);
  if (area.row_last >= kSheetRows)
    return invalid(fmt::format("{}: {} rows do not fit on the sheet", target.what, rows));
  if (target.bounded && rows > target.area.rows())
    return invalid(
        fmt::format("{}: the query has {} rows, the range has {}: write 'rows: insert', or widen it",
                    target.what, rows, target.area.rows()));
  for (const auto* merge : children_of(child_of(document->root(), "mergeCells"), "mergeCell")) {
    const auto merged = parse_area(attribute_of(merge, "ref").value_or(""));
    if (merged && merged->meets(area))
      return invalid(fmt::format("{}: cells {} of sheet {} are merged: unmerge them, or fill another range",
                                 target.what, to_string(*merged), book.sheets()[target.sheet].name));
  }
  const auto is_filled = [&](int64_t row, int64_t column) {
    const bool in_rows = (row >= area.row_first && row <= area.row_last) || row == target.header_row;
    return in_rows && std::find(target.columns.begin(), target.columns.end(), column) != target.columns.end();
  };
  SheetCells cells(document->root());
  for (const auto& row : cells.rows()) {
    for (const auto& cell : row.cells) {
      if (child_of(cell.node, "f") != nullptr && is_filled(row.row, cell.column))
        return invalid(
            fmt::format("{}: the formula in {} of sheet {} would be overwritten: fill fewer columns, or "
                        "take the formula out",
                        target.what, cell_name(row.row, cell.column), book.sheets()[target.sheet].name));
    }
  }
  return ok();
}

namespace {

Area with_header(const Target& target) {
  auto area = target.area;
  if (target.header_row)
    area.row_first = std::min(area.row_first, *target.header_row);
  return area;
}

}  // namespace

Status check_apart(const Book& book, const std::vector<Target>& targets) {
  for (size_t i = 0; i < targets.size(); ++i) {
    for (size_t j = i + 1; j < targets.size(); ++j) {
      const auto &a = targets[i], &b = targets[j];
      const bool beside =
          a.sheet == b.sheet && a.area.row_first <= b.area.row_last && b.area.row_first <= a.area.row_last;
      if (with_header(a).meets(with_header(b)) && a.sheet == b.sheet)
        return invalid(fmt::format("{} and {} fill the same cells of sheet {}", a.what, b.what,
                                   book.sheets()[a.sheet].name));
      if (beside && (a.grows || b.grows))
        return invalid(
            fmt::format("{} and {} stand in the same rows of sheet {}: what grows needs its rows for itself",
                        a.what, b.what, book.sheets()[a.sheet].name));
    }
    const auto& grown = targets[i];
    for (const auto& table : book.tables()) {
      const bool beside = grown.grows && table.sheet == grown.sheet &&
                          table.area.row_first <= grown.area.row_last &&
                          grown.area.row_first <= table.area.row_last;
      if (beside && !table.area.meets(grown.area))
        return invalid(
            fmt::format("{} and table {} stand in the same rows of sheet {}: what grows needs its rows for "
                        "itself",
                        grown.what, table.name, book.sheets()[grown.sheet].name));
    }
  }
  return ok();
}

}  // namespace tarn::report::template_file
