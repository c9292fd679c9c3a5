#include "report/template/formula.h"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>

#include "report/workbook/reference.h"

namespace tarn::report::template_file {
namespace {

constexpr std::string_view kGone = "#REF!";

bool is_word_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
         c == '$' || c == '\\' || c == '?' || static_cast<unsigned char>(c) >= 0x80;
}

struct RowCorner {
  int64_t row = 0;
  bool pinned = false;
};

// "5", "$5": half of "5:7".
std::optional<RowCorner> parse_row(std::string_view text) {
  RowCorner corner;
  corner.pinned = text.starts_with('$');
  text.remove_prefix(corner.pinned ? 1 : 0);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), corner.row);
  if (error != std::errc() || end != text.data() + text.size() || corner.row < 1 || corner.row > kSheetRows)
    return std::nullopt;
  --corner.row;
  return corner;
}

std::string to_string(const RowCorner& corner) {
  return fmt::format("{}{}", corner.pinned ? "$" : "", corner.row + 1);
}

// What a reference becomes.
class Change {
 public:
  virtual ~Change() = default;
  // `sheet` is null when the reference names none.
  virtual std::string cell(const std::string* sheet, const Corner& at) = 0;
  virtual std::string range(const std::string* sheet, const Corner& first, const Corner& second) = 0;
  virtual std::string rows(const std::string* sheet, const RowCorner& first, const RowCorner& second) = 0;
};

// Copies a formula and lets a Change write its references.
class Scanner {
 public:
  Scanner(std::string_view text, Change& change) : text_(text), change_(change) {}

  std::string run() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '"') {
        copy(closing('"'));
      } else if (c == '\'') {
        take_quoted_sheet();
      } else if (c == '[') {
        copy(closing_bracket());
        foreign_ = true;
        continue;
      } else if (c == '#') {
        take_error();
      } else if (is_word_char(c)) {
        take_word();
      } else {
        copy(at_ + 1);
      }
      foreign_ = false;
    }
    return std::move(out_);
  }

 private:
  void copy(size_t end) {
    end = std::min(end, text_.size());
    out_ += text_.substr(at_, end - at_);
    at_ = end;
  }

  // Behind the quote that ends what begins here; a doubled one does not.
  [[nodiscard]] size_t closing(char quote) const {
    for (size_t i = at_ + 1; i < text_.size(); ++i) {
      if (text_[i] != quote)
        continue;
      if (i + 1 < text_.size() && text_[i + 1] == quote) {
        ++i;
      } else {
        return i + 1;
      }
    }
    return text_.size();
  }

  [[nodiscard]] size_t closing_bracket() const {
    int depth = 0;
    for (size_t i = at_; i < text_.size(); ++i) {
      if (text_[i] == '\'') {
        ++i;  // the next character stands for itself
      } else if (text_[i] == '[') {
        ++depth;
      } else if (text_[i] == ']' && --depth == 0) {
        return i + 1;
      }
    }
    return text_.size();
  }

  [[nodiscard]] size_t word_end(size_t from) const {
    while (from < text_.size() && is_word_char(text_[from]))
      ++from;
    return from;
  }

  [[nodiscard]] char char_at(size_t at) const { return at < text_.size() ? text_[at] : '\0'; }

  void take_error() {
    static constexpr std::array<std::string_view, 9> kErrors = {
        "#REF!", "#N/A", "#DIV/0!", "#VALUE!", "#NAME?", "#NUM!", "#NULL!", "#SPILL!", "#CALC!"};
    for (const auto error : kErrors) {
      if (text_.substr(at_).starts_with(error))
        return copy(at_ + error.size());
    }
    copy(at_ + 1);
  }

  void take_quoted_sheet() {
    const size_t end = closing('\'');
    if (char_at(end) != '!')
      return copy(end);
    std::string name;
    for (size_t i = at_ + 1; i + 1 < end; ++i) {
      name += text_[i];
      if (text_[i] == '\'')
        ++i;
    }
    const bool foreign = name.find_first_of("[]:") != std::string::npos;
    copy(end + 1);
    take_reference(foreign ? nullptr : &name, foreign);
  }

  void take_word() {
    const size_t end = word_end(at_);
    const char next = char_at(end);
    if (next == '!') {
      const std::string name(text_.substr(at_, end - at_));
      copy(end + 1);
      return take_reference(foreign_ ? nullptr : &name, foreign_);
    }
    if (next == ':') {  // Sheet1:Sheet3!A1
      const size_t behind = word_end(end + 1);
      if (behind > end + 1 && char_at(behind) == '!') {
        copy(behind + 1);
        return take_reference(nullptr, true);
      }
    }
    take_reference(nullptr, foreign_);
  }

  // What follows a sheet's name, or stands alone: a reference, a name, a number, a function.
  void take_reference(const std::string* sheet, bool foreign) {
    const size_t end = word_end(at_);
    if (end == at_)
      return;  // e.g. Sheet1!#REF!
    const auto word = text_.substr(at_, end - at_);
    const char next = char_at(end);
    if (foreign || next == '(' || next == '[')
      return copy(end);
    const size_t behind = next == ':' ? word_end(end + 1) : end;
    const auto second = next == ':' ? text_.substr(end + 1, behind - end - 1) : std::string_view();
    const bool is_range = !second.empty() && char_at(behind) != '(' && char_at(behind) != '!';
    if (is_range) {
      if (const auto a = parse_corner(word), b = parse_corner(second); a && b)
        return put(change_.range(sheet, *a, *b), behind);
      if (const auto a = parse_row(word), b = parse_row(second); a && b)
        return put(change_.rows(sheet, *a, *b), behind);
    }
    if (const auto corner = parse_corner(word))
      return put(change_.cell(sheet, *corner), end);
    // Both halves of A:C, or the second would be taken for something else.
    copy(is_range && !parse_corner(second) ? behind : end);
  }

  void put(const std::string& text, size_t end) {
    out_ += text;
    at_ = end;
  }

  const std::string_view text_;
  Change& change_;
  std::string out_;
  size_t at_ = 0;
  bool foreign_ = false;  // behind a bracket: another workbook's
};

class Mover final : public Change {
 public:
  Mover(const MovesOf& moves, const MoveOptions& options) : moves_(moves), options_(options) {}

  std::string cell(const std::string* sheet, const Corner& at) override {
    const auto* moves = moves_for(sheet);
    if (moves == nullptr)
      return report::to_string(at);
    if (options_.widen_cells) {
      for (const auto& growth : moves->growths()) {
        if (growth.first == at.row && growth.last == at.row && growth.rows > 1)
          return range(sheet, at, at);
      }
    }
    return one(*moves, at);
  }

  std::string range(const std::string* sheet, const Corner& first, const Corner& second) override {
    const auto* moves = moves_for(sheet);
    if (moves == nullptr || first.row > second.row)
      return report::to_string(first) + ":" + report::to_string(second);
    if (options_.repeated && !(first.row_pinned && second.row_pinned))
      return one(*moves, first) + ":" + one(*moves, second);
    const auto rows = moves->range(first.row, second.row);
    if (!rows)
      return std::string(kGone);
    auto a = first, b = second;
    a.row = rows->first;
    b.row = std::min(rows->second, kSheetRows - 1);
    return report::to_string(a) + ":" + report::to_string(b);
  }

  std::string rows(const std::string* sheet, const RowCorner& first, const RowCorner& second) override {
    auto a = first, b = second;
    if (const auto* moves = moves_for(sheet); moves != nullptr && a.row <= b.row) {
      const auto rows = moves->range(a.row, b.row);
      if (!rows)
        return std::string(kGone);
      a.row = rows->first;
      b.row = std::min(rows->second, kSheetRows - 1);
    }
    return to_string(a) + ":" + to_string(b);
  }

 private:
  const RowMoves* moves_for(const std::string* sheet) {
    if (sheet == nullptr && options_.sheet.empty())
      return nullptr;
    return moves_(sheet != nullptr ? *sheet : options_.sheet);
  }

  static std::string one(const RowMoves& moves, Corner at) {
    const auto row = moves.row(at.row);
    if (!row || *row >= kSheetRows)
      return std::string(kGone);
    at.row = *row;
    return report::to_string(at);
  }

  const MovesOf& moves_;
  const MoveOptions& options_;
};

class Copier final : public Change {
 public:
  Copier(int64_t rows, int64_t columns) : rows_(rows), columns_(columns) {}

  std::string cell(const std::string* sheet, const Corner& at) override {
    auto moved = at;
    moved.row += at.row_pinned ? 0 : rows_;
    moved.column += at.column_pinned ? 0 : columns_;
    const bool inside =
        moved.row >= 0 && moved.row < kSheetRows && moved.column >= 0 && moved.column < kSheetColumns;
    return inside ? report::to_string(moved) : std::string(kGone);
  }

  std::string range(const std::string* sheet, const Corner& first, const Corner& second) override {
    return cell(sheet, first) + ":" + cell(sheet, second);
  }

  std::string rows(const std::string*, const RowCorner& first, const RowCorner& second) override {
    auto a = first, b = second;
    a.row += a.pinned ? 0 : rows_;
    b.row += b.pinned ? 0 : rows_;
    const bool inside = std::min(a.row, b.row) >= 0 && std::max(a.row, b.row) < kSheetRows;
    return inside ? to_string(a) + ":" + to_string(b) : std::string(kGone);
  }

 private:
  const int64_t rows_, columns_;
};

}  // namespace

std::string move_formula(std::string_view formula, const MovesOf& moves, const MoveOptions& options) {
  Mover mover(moves, options);
  return Scanner(formula, mover).run();
}

std::string copy_formula(std::string_view formula, int64_t rows, int64_t columns) {
  Copier copier(rows, columns);
  return Scanner(formula, copier).run();
}

}  // namespace tarn::report::template_file
