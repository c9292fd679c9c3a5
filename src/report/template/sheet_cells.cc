#include "report/template/sheet_cells.h"

#include <algorithm>
#include <charconv>
#include <map>

#include "report/template/xml.h"
#include "report/workbook/reference.h"

namespace tarn::report::template_file {
namespace {

int64_t row_number(const xmlNode* node, int64_t next) {
  const auto text = attribute_of(node, "r");
  int64_t row = 0;
  if (!text || std::from_chars(text->data(), text->data() + text->size(), row).ec != std::errc() || row < 1 ||
      row > kSheetRows)
    return next;
  return row - 1;
}

// Files are in order; what is not, or is there twice, is a broken or an odd writer's.
template <class Item, class Key>
void put_in_order(std::vector<Item>& items, Key key) {
  const auto out_of_order = [&](const Item& a, const Item& b) { return key(a) >= key(b); };
  if (std::adjacent_find(items.begin(), items.end(), out_of_order) == items.end())
    return;
  std::map<int64_t, Item> ordered;
  for (auto& item : items)
    ordered.emplace(key(item), std::move(item));
  items.clear();
  for (auto& [number, item] : ordered)
    items.push_back(std::move(item));
}

}  // namespace

SheetCells::SheetCells(const xmlNode* worksheet) {
  int64_t next_row = 0;
  for (auto* node : children_of(child_of(worksheet, "sheetData"), "row")) {
    RowAt row{.row = row_number(node, next_row), .node = node};
    next_row = row.row + 1;
    int64_t next_column = 0;
    for (auto* cell : children_of(node, "c")) {
      const auto corner = parse_corner(attribute_of(cell, "r").value_or(""));
      row.cells.push_back({corner ? corner->column : next_column, cell});
      next_column = row.cells.back().column + 1;
    }
    put_in_order(row.cells, [](const CellAt& cell) { return cell.column; });
    rows_.push_back(std::move(row));
  }
  put_in_order(rows_, [](const RowAt& row) { return row.row; });
}

const RowAt* SheetCells::find(int64_t row) const {
  const auto found = std::lower_bound(rows_.begin(), rows_.end(), row,
                                      [](const RowAt& one, int64_t wanted) { return one.row < wanted; });
  return found != rows_.end() && found->row == row ? &*found : nullptr;
}

const CellAt* find_cell(const RowAt* row, int64_t column) {
  if (row == nullptr)
    return nullptr;
  const auto found = std::lower_bound(row->cells.begin(), row->cells.end(), column,
                                      [](const CellAt& one, int64_t wanted) { return one.column < wanted; });
  return found != row->cells.end() && found->column == column ? &*found : nullptr;
}

}  // namespace tarn::report::template_file
