#include "report/template/follow.h"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>

#include "report/template/formula.h"
#include "report/template/sheet_cells.h"

namespace tarn::report::template_file {
namespace {

std::vector<std::string> split(const std::string& text, char at) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == at) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  std::erase(parts, "");
  return parts;
}

std::optional<int64_t> whole_number(const std::string& text) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

std::optional<Area> move_area(const Area& area, const RowMoves& moves) {
  const auto rows = moves.range(area.row_first, area.row_last);
  if (!rows || rows->first >= kSheetRows)
    return std::nullopt;
  return Area{rows->first, std::min(rows->second, kSheetRows - 1), area.column_first, area.column_last};
}

class Follower {
 public:
  Follower(Book& book, const BookMoves& moves)
      : book_(book), moves_(moves), moves_of_([this](std::string_view sheet) { return moves_for(sheet); }) {}

  Status run() {
    for (size_t i = 0; i < book_.sheets().size(); ++i)
      TARN_CHECK(follow_in_sheet(i));
    TARN_CHECK(follow_in_names());
    for (const auto& table : book_.tables())
      TARN_CHECK(follow_in_table(table));
    for (const auto* type : {"drawingml.chart+xml", "chartex+xml"}) {
      TARN_TRY(const auto charts, book_.parts_of_type(type));
      for (const auto& part : charts)
        TARN_CHECK(follow_in_chart(part));
    }
    TARN_TRY(const auto pivots, book_.parts_of_type("pivotCacheDefinition+xml"));
    for (const auto& part : pivots)
      TARN_CHECK(follow_in_pivot(part));
    return calculate_on_opening();
  }

 private:
  const RowMoves* moves_for(std::string_view sheet) const {
    const auto number = book_.find_sheet(sheet);
    return number ? moves_of_sheet(*number) : nullptr;
  }

  const RowMoves* moves_of_sheet(size_t sheet) const {
    const auto found = moves_.find(sheet);
    return found != moves_.end() && found->second.moves() ? &found->second : nullptr;
  }

  // Rewrites an element's formula; true when it changed.
  bool move_content(xmlNode* node, const MoveOptions& options) {
    const auto before = content_of(node);
    const auto after = move_formula(before, moves_of_, options);
    if (after == before)
      return false;
    set_content(node, after);
    return true;
  }

  Status follow_in_sheet(size_t number) {
    const auto& sheet = book_.sheets()[number];
    TARN_TRY(auto* document, book_.part(sheet.part));
    auto* root = document->root();
    bool changed = follow_in_cells(root, sheet.name, moves_of_sheet(number));
    each_element(root, [&](xmlNode* node) {
      // Formulas of conditional formats and validations, in both generations of the format.
      if (is_named(node, "formula") || is_named(node, "formula1") || is_named(node, "formula2") ||
          (is_named(node, "f") && !is_named(node->parent, "c"))) {
        if (xmlChildElementCount(node) > 0)
          return;  // the newer generation puts its text one deeper
        changed |= move_content(node, {.sheet = sheet.name, .repeated = true});
      }
    });
    if (const auto* moves = moves_of_sheet(number)) {
      follow_in_layout(root, *moves);
      TARN_CHECK(follow_in_drawings(sheet.part, *moves));
      TARN_CHECK(follow_in_comments(sheet.part, *moves));
      changed = true;
    }
    if (changed)
      book_.mark_changed(sheet.part);
    return ok();
  }

  bool follow_in_cells(xmlNode* root, const std::string& sheet, const RowMoves* moves) {
    SheetCells cells(root);
    bool any = false;
    struct Shared {
      std::string text;
      int64_t row = 0, column = 0;
    };
    std::map<std::string, Shared> shared;  // by its number
    for (const auto& row : cells.rows()) {
      for (const auto& cell : row.cells) {
        auto* formula = child_of(cell.node, "f");
        if (formula == nullptr)
          continue;
        any = true;
        if (attribute_of(formula, "t") == "shared") {
          const auto key = attribute_of(formula, "si").value_or("");
          const auto text = content_of(formula);
          if (const auto master = shared.find(key); text.empty() && master != shared.end()) {
            const auto& [from, from_row, from_column] = master->second;
            set_content(formula, copy_formula(from, row.row - from_row, cell.column - from_column));
          } else if (!text.empty()) {
            shared[key] = {text, row.row, cell.column};
          }
          for (const auto* name : {"t", "si", "ref"})
            xmlUnsetProp(formula, reinterpret_cast<const xmlChar*>(name));
        }
        bool repeated = false;
        if (moves != nullptr) {
          for (const auto& growth : moves->growths())
            repeated |= row.row >= growth.first && row.row <= growth.last;
          move_attribute_area(formula, "ref", *moves);
        }
        move_content(formula, {.sheet = sheet, .repeated = repeated});
        forget_result(cell.node);
      }
    }
    return any;
  }

  static void forget_result(xmlNode* cell) {
    if (auto* value = child_of(cell, "v"))
      remove_node(value);
    xmlUnsetProp(cell, reinterpret_cast<const xmlChar*>("t"));
  }

  static bool move_attribute_area(xmlNode* node, const char* name, const RowMoves& moves) {
    const auto text = attribute_of(node, name);
    const auto area = text ? parse_area(*text) : std::nullopt;
    if (!area)
      return true;
    const auto moved = move_area(*area, moves);
    if (moved)
      set_attribute(node, name, to_string(*moved));
    return moved.has_value();
  }

  // "A1:B2 D4", false: nothing of it is left.
  static bool move_attribute_areas(xmlNode* node, const char* name, const RowMoves& moves) {
    const auto text = attribute_of(node, name);
    if (!text)
      return true;
    const auto moved = move_areas(*text, moves);
    if (!moved.empty())
      set_attribute(node, name, moved);
    return !moved.empty();
  }

  static std::string move_areas(const std::string& text, const RowMoves& moves) {
    std::string out;
    for (const auto& one : split(text, ' ')) {
      const auto area = parse_area(one);
      const auto moved = area ? move_area(*area, moves) : std::nullopt;
      if (area && !moved)
        continue;
      out += (out.empty() ? "" : " ") + (moved ? to_string(*moved) : one);
    }
    return out;
  }

  // Everything of a sheet but its cells.
  static void follow_in_layout(xmlNode* root, const RowMoves& moves) {
    std::vector<xmlNode*> gone;
    each_element(root, [&](xmlNode* node) {
      if (is_named(node, "row") || is_named(node, "c"))
        return;
      bool stays = true;
      if (is_named(node, "mergeCell")) {
        stays = move_merge(node, moves);
      } else if (is_named(node, "autoFilter") || is_named(node, "sortState") ||
                 is_named(node, "sortCondition") || is_named(node, "hyperlink") ||
                 is_named(node, "dimension")) {
        stays = move_attribute_area(node, "ref", moves);
      } else if (is_named(node, "brk") && is_named(node->parent, "rowBreaks")) {
        move_break(node, moves);
      } else if (is_named(node, "sqref")) {
        if (const auto moved = move_areas(content_of(node), moves); !moved.empty())
          set_content(node, moved);
      } else {
        stays = move_attribute_areas(node, "sqref", moves);
      }
      if (is_named(node, "selection") || is_named(node, "pane") || is_named(node, "sheetView")) {
        for (const auto* name : {"activeCell", "topLeftCell"})
          move_attribute_area(node, name, moves);
        return;
      }
      if (!stays)
        gone.push_back(node);
    });
    static constexpr std::array<std::string_view, 5> kLists = {"mergeCells", "dataValidations", "hyperlinks",
                                                               "protectedRanges", "ignoredErrors"};
    for (auto one = gone.rbegin(); one != gone.rend(); ++one) {  // inner ones first
      auto* parent = (*one)->parent;
      remove_node(*one);
      const bool is_list = std::any_of(kLists.begin(), kLists.end(),
                                       [&](std::string_view name) { return is_named(parent, name); });
      if (!is_list)
        continue;
      if (attribute_of(parent, "count"))
        set_attribute(parent, "count", std::to_string(xmlChildElementCount(parent)));
      if (xmlChildElementCount(parent) == 0)
        remove_node(parent);
    }
  }

  // Cells merged within one row stay in one row.
  static bool move_merge(xmlNode* node, const RowMoves& moves) {
    const auto area = parse_area(attribute_of(node, "ref").value_or(""));
    if (!area || area->rows() > 1)
      return move_attribute_area(node, "ref", moves);
    const auto row = moves.row(area->row_first);
    if (row)
      set_attribute(node, "ref", to_string(Area{*row, *row, area->column_first, area->column_last}));
    return row.has_value();
  }

  // A page ends above the row of that number.
  static void move_break(xmlNode* node, const RowMoves& moves) {
    if (const auto row = whole_number(attribute_of(node, "id").value_or("")); row && *row > 0)
      set_attribute(node, "id", std::to_string(moves.nearest(*row)));
  }

  Status follow_in_drawings(const std::string& sheet_part, const RowMoves& moves) {
    TARN_TRY(const auto drawings, book_.related(sheet_part, "/drawing"));
    for (const auto& part : drawings) {
      TARN_TRY(auto* document, book_.part(part));
      for (auto* anchor = document->root()->children; anchor != nullptr; anchor = anchor->next) {
        auto* from = child_of(child_of(anchor, "from"), "row");
        const auto row = from != nullptr ? whole_number(content_of(from)) : std::nullopt;
        if (!row || *row < 0 || *row >= kSheetRows)
          continue;
        const auto moved = moves.nearest(*row);
        set_content(from, std::to_string(moved));
        auto* to = child_of(child_of(anchor, "to"), "row");
        // It keeps its height: a chart beside a list is not stretched by the list.
        if (const auto end = to != nullptr ? whole_number(content_of(to)) : std::nullopt; end && *end >= *row)
          set_content(to, std::to_string(moved + (*end - *row)));
      }
      book_.mark_changed(part);
    }
    return ok();
  }

  Status follow_in_comments(const std::string& sheet_part, const RowMoves& moves) {
    for (const auto* kind : {"/comments", "/threadedComment"}) {
      TARN_TRY(const auto parts, book_.related(sheet_part, kind));
      for (const auto& part : parts) {
        TARN_TRY(auto* document, book_.part(part));
        each_element(document->root(), [&](xmlNode* node) {
          if (is_named(node, "comment") || is_named(node, "threadedComment"))
            move_attribute_area(node, "ref", moves);
        });
        book_.mark_changed(part);
      }
    }
    TARN_TRY(const auto shapes, book_.related(sheet_part, "/vmlDrawing"));
    for (const auto& part : shapes) {
      const auto document = book_.part(part);
      if (!document)
        continue;  // not all of these are XML; a note's box stays where it was
      each_element((*document)->root(), [&](xmlNode* node) {
        if (is_named(node, "ClientData"))
          move_note(node, moves);
      });
      book_.mark_changed(part);
    }
    return ok();
  }

  static void move_note(xmlNode* node, const RowMoves& moves) {
    auto* row_node = child_of(node, "Row");
    const auto row = row_node != nullptr ? whole_number(content_of(row_node)) : std::nullopt;
    if (!row || *row < 0 || *row >= kSheetRows)
      return;
    const auto shift = moves.nearest(*row) - *row;
    set_content(row_node, std::to_string(*row + shift));
    auto* anchor = child_of(node, "Anchor");
    if (anchor == nullptr)
      return;
    auto parts = split(content_of(anchor), ',');
    for (const size_t at : {size_t{2}, size_t{6}}) {  // rows of its two corners
      if (parts.size() != 8)
        break;
      std::erase_if(parts[at], [](char c) { return c == ' ' || c == '\n' || c == '\r'; });
      if (const auto number = whole_number(parts[at]))
        parts[at] = std::to_string(std::max<int64_t>(*number + shift, 0));
    }
    set_content(anchor, fmt::format("{}", fmt::join(parts, ",")));
  }

  Status follow_in_names() {
    TARN_TRY(auto* document, book_.part(book_.workbook_part()));
    for (auto* name : children_of(child_of(document->root(), "definedNames"), "definedName"))
      (void)move_content(name, {});
    return ok();
  }

  Status follow_in_table(const Table& table) {
    const auto* moves = moves_of_sheet(table.sheet);
    TARN_TRY(auto* document, book_.part(table.part));
    bool changed = moves != nullptr;
    const auto& sheet = book_.sheets()[table.sheet].name;
    each_element(document->root(), [&](xmlNode* node) {
      if (moves != nullptr)
        move_attribute_area(node, "ref", *moves);
      if (is_named(node, "calculatedColumnFormula") || is_named(node, "totalsRowFormula"))
        changed |=
            move_content(node, {.sheet = sheet, .repeated = is_named(node, "calculatedColumnFormula")});
    });
    if (changed)
      book_.mark_changed(table.part);
    return ok();
  }

  // Values that a chart remembers are of before: it reads them anew from the cells.
  Status follow_in_chart(const std::string& part) {
    TARN_TRY(auto* document, book_.part(part));
    std::vector<xmlNode*> caches;
    each_element(document->root(), [&](xmlNode* node) {
      if (!is_named(node, "f"))
        return;
      (void)move_content(node, {.widen_cells = true});
      for (const auto* cache : {"numCache", "strCache", "multiLvlStrCache"}) {
        if (auto* found = child_of(node->parent, cache))
          caches.push_back(found);
      }
    });
    for (auto* cache : caches)
      remove_node(cache);
    book_.mark_changed(part);
    return ok();
  }

  Status follow_in_pivot(const std::string& part) {
    TARN_TRY(auto* document, book_.part(part));
    auto* source = child_of(child_of(document->root(), "cacheSource"), "worksheetSource");
    if (source == nullptr)
      return ok();
    if (const auto* moves = moves_for(attribute_of(source, "sheet").value_or("")))
      move_attribute_area(source, "ref", *moves);
    set_attribute(document->root(), "refreshOnLoad", "1");
    book_.mark_changed(part);
    return ok();
  }

  Status calculate_on_opening() {
    TARN_TRY(auto* document, book_.part(book_.workbook_part()));
    auto* root = document->root();
    auto* settings = child_of(root, "calcPr");
    if (settings == nullptr) {
      settings = xmlNewNode(root->ns, reinterpret_cast<const xmlChar*>("calcPr"));
      // The schema wants it behind these.
      xmlNode* before = nullptr;
      for (const auto* name : {"sheets", "functionGroups", "externalReferences", "definedNames"}) {
        if (auto* found = child_of(root, name))
          before = found;
      }
      before != nullptr ? xmlAddNextSibling(before, settings) : xmlAddChild(root, settings);
    }
    set_attribute(settings, "fullCalcOnLoad", "1");
    book_.mark_changed(book_.workbook_part());
    TARN_TRY(const auto chains, book_.related(book_.workbook_part(), "/calcChain"));
    for (const auto& chain : chains)
      TARN_CHECK(book_.remove_part(chain));
    return ok();
  }

  Book& book_;
  const BookMoves& moves_;
  const MovesOf moves_of_;
};

}  // namespace

Status follow_moves(Book& book, const BookMoves& moves) {
  return Follower(book, moves).run();
}

}  // namespace tarn::report::template_file
