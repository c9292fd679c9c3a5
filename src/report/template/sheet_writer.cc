#include "report/template/sheet_writer.h"

#include <algorithm>
#include <charconv>
#include <deque>
#include <limits>

#include <fmt/format.h>

#include "report/template/formula.h"
#include "report/template/sheet_cells.h"

namespace tarn::report::template_file {
namespace {

constexpr size_t kPieceBytes = 256 * 1024;

int64_t number_of(const xmlNode* node, const char* name, int64_t fallback) {
  const auto text = attribute_of(node, name);
  int64_t value = 0;
  if (!text || std::from_chars(text->data(), text->data() + text->size(), value).ec != std::errc())
    return fallback;
  return value;
}

// How a cell of the repeated row is written in every row.
struct Slot {
  enum class Kind { kQuery, kFormula, kConstant, kBlank };
  Kind kind = Kind::kBlank;
  int64_t column = 0;
  int64_t style = 0;
  size_t query_column = 0;
  std::string formula;
  bool is_array = false;
  xmlNode* constant = nullptr;
};

struct OutCell {
  int64_t column = 0;
  std::string text;
};

// One block where it lands.
struct Overlay {
  const Block* block = nullptr;
  std::optional<BlockReader> reader;  // none: names of columns
  int64_t first = 0, rows = 1;        // of the new sheet
  const RowAt* model = nullptr;       // null: the template's row is empty
  std::vector<Slot> slots;            // of what grows; by column
  [[nodiscard]] bool grows() const { return block->target.grows && reader; }
  [[nodiscard]] bool has(int64_t row) const { return row >= first && row < first + rows; }
  [[nodiscard]] bool covers(int64_t column) const {
    const auto& target = block->target;
    if (grows())
      return column >= target.area.column_first && column <= target.area.column_last;
    return std::find(target.columns.begin(), target.columns.end(), column) != target.columns.end();
  }
};

class SheetWriter {
 public:
  SheetWriter(Book& book, const SheetJob& job, Styles& styles, WritableFile& file)
      : book_(book), job_(job), styles_(styles), file_(file) {}

  Status write() {
    TARN_TRY(auto* document, book_.part(book_.sheets()[job_.sheet].part));
    auto* root = document->root();
    auto* data = child_of(root, "sheetData");
    if (data == nullptr)
      return Error{Code::kInvalid,
                   fmt::format("{}: sheet {} has no cells", book_.shown(), book_.sheets()[job_.sheet].name)};
    if (root->ns != nullptr && root->ns->prefix != nullptr)
      prefix_ = std::string(reinterpret_cast<const char*>(root->ns->prefix)) + ":";
    if (auto* dimension = child_of(root, "dimension"))
      remove_node(dimension);  // may be left out, and has become wrong
    columns_ = children_of(child_of(root, "cols"), "col");
    const SheetCells cells(root);
    for (const auto* block : job_.blocks)
      TARN_CHECK(place(*block, cells));
    const auto [before, behind] = document->around(data);
    out_ = before;
    TARN_CHECK(write_rows(cells));
    out_ += behind;
    return file_.append(out_);
  }

 private:
  Status place(const Block& block, const SheetCells& cells) {
    const auto& target = block.target;
    const auto first = job_.moves->row(target.area.row_first);
    if (!first)
      return Error{Code::kInternal, fmt::format("{}: its first row went away", target.what)};
    if (target.header_row) {
      Overlay header{.block = &block, .first = job_.moves->nearest(*target.header_row)};
      header.model = cells.find(*target.header_row);
      overlays_.push_back(std::move(header));
    }
    Overlay overlay{.block = &block, .first = *first};
    overlay.rows = std::max<int64_t>(target.bounded ? target.area.rows() : block.rows, 1);
    overlay.model = cells.find(target.area.row_first);
    TARN_TRY(overlay.reader, BlockReader::open(block));
    if (target.grows)
      make_slots(overlay);
    overlays_.push_back(std::move(overlay));
    return ok();
  }

  void make_slots(Overlay& overlay) {
    const auto& target = overlay.block->target;
    for (auto column = target.area.column_first; column <= target.area.column_last; ++column) {
      Slot slot{.column = column, .style = style_at(overlay.model, column)};
      const auto asked = std::find(target.columns.begin(), target.columns.end(), column);
      const auto* cell = find_cell(overlay.model, column);
      if (asked != target.columns.end()) {
        slot.kind = Slot::Kind::kQuery;
        slot.query_column = static_cast<size_t>(asked - target.columns.begin());
        slot.style = styles_.style_for(slot.style, overlay.block->kinds[slot.query_column]);
      } else if (auto* formula = cell != nullptr ? child_of(cell->node, "f") : nullptr; formula != nullptr) {
        slot.kind = Slot::Kind::kFormula;
        slot.formula = content_of(formula);
        slot.is_array = attribute_of(formula, "t") == "array";
      } else if (cell != nullptr && cell->node->children != nullptr) {
        slot.kind = Slot::Kind::kConstant;
        slot.constant = cell->node;
      }
      overlay.slots.push_back(std::move(slot));
    }
  }

  // Of a cell that need not be there: its own, its row's, its column's.
  [[nodiscard]] int64_t style_at(const RowAt* row, int64_t column) const {
    if (const auto* cell = find_cell(row, column))
      return number_of(cell->node, "s", 0);
    if (row != nullptr && attribute_of(row->node, "customFormat"))
      return number_of(row->node, "s", 0);
    for (const auto* one : columns_) {
      if (number_of(one, "min", 0) <= column + 1 && column + 1 <= number_of(one, "max", 0))
        return number_of(one, "style", 0);
    }
    return 0;
  }

  Status write_rows(const SheetCells& cells) {
    std::deque<std::pair<int64_t, const RowAt*>> waiting;  // new number and row of the template
    for (const auto& row : cells.rows()) {
      if (const auto moved = job_.moves->row(row.row))
        waiting.emplace_back(*moved, &row);
    }
    for (int64_t row = 0;; ++row) {
      row = next_row(row, waiting);
      if (row == std::numeric_limits<int64_t>::max())
        return ok();
      if (row >= kSheetRows)
        return Error{Code::kExhausted,
                     fmt::format("sheet {}: with {} more rows the template does not fit on a sheet",
                                 book_.sheets()[job_.sheet].name, job_.moves->shift_behind())};
      const RowAt* base = nullptr;
      if (!waiting.empty() && waiting.front().first == row) {
        base = waiting.front().second;
        waiting.pop_front();
      }
      TARN_CHECK(write_row(row, base));
      if (out_.size() >= kPieceBytes) {
        TARN_CHECK(file_.append(out_));
        out_.clear();
      }
    }
  }

  // The first from `row` on that has anything in it.
  [[nodiscard]] int64_t next_row(int64_t row,
                                 const std::deque<std::pair<int64_t, const RowAt*>>& waiting) const {
    int64_t next = waiting.empty() ? std::numeric_limits<int64_t>::max() : waiting.front().first;
    for (const auto& overlay : overlays_) {
      if (row < overlay.first + overlay.rows)
        next = std::min(next, std::max(row, overlay.first));
    }
    return next;
  }

  Status write_row(int64_t row, const RowAt* base) {
    std::vector<Overlay*> here;
    for (auto& overlay : overlays_) {
      if (overlay.has(row))
        here.push_back(&overlay);
    }
    if (here.empty()) {
      out_ += whole_row(row, *base);
      return ok();
    }
    const RowAt* like = base;
    std::vector<OutCell> cells;
    for (const auto* overlay : here) {
      if (base != nullptr || !overlay->grows() || overlay->model == nullptr)
        continue;
      like = overlay->model;
      for (const auto& cell : overlay->model->cells) {
        if (const auto style = number_of(cell.node, "s", 0); style != 0 && !overlay->covers(cell.column))
          cells.push_back({cell.column, cell_start(row, cell.column, style) + "/>"});
      }
    }
    if (base != nullptr) {
      for (const auto& cell : base->cells) {
        if (std::none_of(here.begin(), here.end(),
                         [&](const Overlay* one) { return one->covers(cell.column); }))
          cells.push_back({cell.column, whole_cell(row, cell.column, cell.node)});
      }
    }
    for (auto* overlay : here)
      TARN_CHECK(add_overlay(*overlay, row, base, cells));
    std::sort(cells.begin(), cells.end(),
              [](const OutCell& a, const OutCell& b) { return a.column < b.column; });
    out_ += row_start(row, like);
    for (const auto& cell : cells)
      out_ += cell.text;
    out_ += fmt::format("</{}row>", prefix_);
    return ok();
  }

  Status add_overlay(Overlay& overlay, int64_t row, const RowAt* base, std::vector<OutCell>& cells) {
    const auto& target = overlay.block->target;
    if (!overlay.reader) {
      for (size_t i = 0; i < target.columns.size(); ++i) {
        bool cut = false;
        auto text = cell_start(row, target.columns[i], style_at(overlay.model, target.columns[i]));
        append_cell_end(text_cell(overlay.block->names[i], cut), prefix_, text);
        cells.push_back({target.columns[i], std::move(text)});
      }
      return ok();
    }
    TARN_TRY(const bool filled, overlay.reader->next(values_));
    if (overlay.grows()) {
      for (const auto& slot : overlay.slots)
        cells.push_back({slot.column, slot_text(slot, row, row - overlay.first, filled)});
      return ok();
    }
    for (size_t i = 0; i < target.columns.size(); ++i) {
      const auto column = target.columns[i];
      const bool own = base != nullptr && find_cell(base, column) != nullptr;
      const auto style =
          styles_.style_for(style_at(own ? base : overlay.model, column), overlay.block->kinds[i]);
      auto text = cell_start(row, column, style);
      append_cell_end(filled ? values_[i] : BlockCell(), prefix_, text);
      cells.push_back({column, std::move(text)});
    }
    return ok();
  }

  // `filled` is false in the one row that stays when the query has none.
  std::string slot_text(const Slot& slot, int64_t row, int64_t below, bool filled) {
    auto text = cell_start(row, slot.column, slot.style);
    if (!filled || slot.kind == Slot::Kind::kBlank)
      return text + "/>";
    if (slot.kind == Slot::Kind::kQuery) {
      append_cell_end(values_[slot.query_column], prefix_, text);
      return text;
    }
    if (slot.kind == Slot::Kind::kConstant)
      return whole_cell(row, slot.column, slot.constant);
    const auto formula = escaped(copy_formula(slot.formula, below, 0));
    const auto array =
        slot.is_array ? fmt::format(" t=\"array\" ref=\"{}\"", cell_name(row, slot.column)) : "";
    return text + fmt::format("><{0}f{1}>{2}</{0}f></{0}c>", prefix_, array, formula);
  }

  [[nodiscard]] std::string cell_start(int64_t row, int64_t column, int64_t style) const {
    auto text = fmt::format("<{}c r=\"{}\"", prefix_, cell_name(row, column));
    if (style != 0)
      text += fmt::format(" s=\"{}\"", style);
    return text;
  }

  static std::string whole_cell(int64_t row, int64_t column, xmlNode* node) {
    set_attribute(node, "r", cell_name(row, column));
    return bytes_of(node);
  }

  static std::string whole_row(int64_t row, const RowAt& base) {
    if (row != base.row) {
      set_attribute(base.node, "r", std::to_string(row + 1));
      for (const auto& cell : base.cells)
        set_attribute(cell.node, "r", cell_name(row, cell.column));
    }
    return bytes_of(base.node);
  }

  // Height and the like come from `like`; null: none.
  [[nodiscard]] std::string row_start(int64_t row, const RowAt* like) const {
    auto text = fmt::format("<{}row r=\"{}\"", prefix_, row + 1);
    for (const auto* one = like != nullptr ? like->node->properties : nullptr; one != nullptr;
         one = one->next) {
      const std::string name(reinterpret_cast<const char*>(one->name));
      if (name == "r" || name == "spans")
        continue;
      const bool prefixed = one->ns != nullptr && one->ns->prefix != nullptr;
      const auto prefix = prefixed ? std::string(reinterpret_cast<const char*>(one->ns->prefix)) + ":" : "";
      const auto value = attribute_of(like->node, name.c_str()).value_or("");
      text += fmt::format(" {}{}=\"{}\"", prefix, name, escaped(value));
    }
    return text + ">";
  }

  Book& book_;
  const SheetJob& job_;
  Styles& styles_;
  WritableFile& file_;
  std::string prefix_;
  std::vector<xmlNode*> columns_;
  std::vector<Overlay> overlays_;
  std::vector<BlockCell> values_;
  std::string out_;
};

}  // namespace

Status write_sheet(Book& book, const SheetJob& job, Styles& styles, WritableFile& out) {
  return SheetWriter(book, job, styles, out).write();
}

}  // namespace tarn::report::template_file
