#include "report/workbook/book_writer.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <map>
#include <set>

#include <fmt/format.h>
#include <xlsxwriter.h>

#include "report/workbook/cell_value.h"
#include "report/workbook/reference.h"

namespace tarn::report {
namespace {

constexpr size_t kWidthRows = 1000;  // rows whose texts decide how wide a column is
constexpr size_t kSheetNameMax = 31;
constexpr double kWidthMin = 8, kWidthMax = 60;
constexpr lxw_color_t kHeaderColor = 0x1F4E78;

Error lxw_failure(lxw_error code, const std::string& path) {
  return Error{code == LXW_ERROR_CREATING_TMPFILE || code == LXW_ERROR_ZIP_FILE_OPERATION ? Code::kIo
                                                                                          : Code::kInternal,
               fmt::format("{} cannot be written: {}", path, lxw_strerror(code))};
}

std::string quoted_sheet(std::string_view name) {
  std::string out = "'";
  for (const char c : name)
    out += c == '\'' ? "''" : std::string(1, c);
  return out + "'!";
}

// Running totals of a column, as SUBTOTAL will find them.
struct Sums {
  double sum = 0, min = std::numeric_limits<double>::infinity(), max = -min;
  int64_t numbers = 0, values = 0;
  void add(double value) {
    sum += value;
    min = std::min(min, value);
    max = std::max(max, value);
    ++numbers;
  }
  [[nodiscard]] double of(Total total) const {
    switch (total) {
      case Total::kSum: return sum;
      case Total::kAverage: return numbers > 0 ? sum / static_cast<double>(numbers) : 0;
      case Total::kMin: return numbers > 0 ? min : 0;
      case Total::kMax: return numbers > 0 ? max : 0;
      case Total::kCount: return static_cast<double>(values);
    }
    return 0;
  }
};

int subtotal_function(Total total) {
  switch (total) {
    case Total::kSum: return 109;
    case Total::kAverage: return 101;
    case Total::kMin: return 105;
    case Total::kMax: return 104;
    case Total::kCount: return 103;
  }
  return 109;
}

struct Column {
  ColumnKind kind = ColumnKind::kText;
  std::string name, header;
  lxw_format* format = nullptr;
  lxw_format* total_format = nullptr;
  std::optional<double> width;
  size_t units = 0;  // longest text seen
  std::optional<Total> total;
  Sums sums;
};

// One query's rows over as many sheets as they need.
struct Part {
  const SheetConfig& config;
  std::vector<Column> columns;
  std::vector<std::pair<std::string, lxw_row_t>> sheets;  // name and data rows
  lxw_worksheet* sheet = nullptr;
  lxw_row_t row = 0;
  int64_t rows = 0;
  int64_t cut = 0, as_text = 0;
};

class Writer final : public BookWriter {
 public:
  explicit Writer(BookOptions options) : options_(std::move(options)) {}
  ~Writer() override {
    if (book_ != nullptr)
      lxw_workbook_free(book_);
  }

  Status open() {
    lxw_workbook_options options{};
    options.constant_memory = LXW_TRUE;
    options.tmpdir = const_cast<char*>(options_.work_folder.c_str());  // only read
    book_ = workbook_new_opt(options_.path.c_str(), &options);
    if (book_ == nullptr)
      return Error{Code::kIo, fmt::format("{} cannot be written", options_.path)};
    header_ = workbook_add_format(book_);
    format_set_bold(header_);
    format_set_font_color(header_, LXW_COLOR_WHITE);
    format_set_bg_color(header_, kHeaderColor);
    format_set_align(header_, LXW_ALIGN_VERTICAL_CENTER);
    format_set_text_wrap(header_);
    bold_ = workbook_add_format(book_);
    format_set_bold(bold_);
    wrapped_ = workbook_add_format(book_);
    format_set_text_wrap(wrapped_);
    format_set_align(wrapped_, LXW_ALIGN_VERTICAL_TOP);
    return ok();
  }

  Result<int64_t> add_sheet(const SheetConfig& config, engine::ResultStream& rows,
                            const RowProgress& progress) override {
    if (rows.columns().size() > static_cast<size_t>(kSheetColumns))
      return Error{Code::kExhausted, fmt::format("sheet {} has {} columns: Excel holds {}", config.name,
                                                 rows.columns().size(), kSheetColumns)};
    Part part{.config = config};
    read_columns(rows.columns(), part);
    TARN_CHECK(begin_sheet(part));
    while (true) {
      TARN_TRY(const auto batch, rows.next_text());
      if (!batch)
        break;
      TARN_CHECK(write_batch(*batch, part));
      if (progress)
        TARN_CHECK(progress(part.rows));
    }
    end_sheet(part);
    write_totals(part);
    add_notes(part);
    return part.rows;
  }

  Status finish(const BookFacts* facts) override {
    if (facts != nullptr)
      write_info(*facts);
    for (lxw_worksheet* sheet = book_->worksheets->stqh_first; sheet != nullptr;
         sheet = sheet->list_pointers.stqe_next) {
      if (sheet->optimize_tmpfile != nullptr &&
          (std::fflush(sheet->optimize_tmpfile) != 0 || std::ferror(sheet->optimize_tmpfile) != 0))
        return Error{Code::kDiskFull, fmt::format("the rows of {} cannot be kept in {}: is the disk full?",
                                                  options_.path, options_.work_folder)};
    }
    const auto code = workbook_close(std::exchange(book_, nullptr));
    return code == LXW_NO_ERROR ? ok() : Status(lxw_failure(code, options_.path));
  }

 private:
  lxw_format* format_for(const std::string& code, bool total) {
    auto& format = formats_[{code, total}];
    if (format == nullptr) {
      format = workbook_add_format(book_);
      format_set_num_format(format, code.c_str());
      if (total) {
        format_set_bold(format);
        format_set_top(format, LXW_BORDER_THIN);
      }
    }
    return format;
  }

  void read_columns(const std::vector<engine::Column>& columns, Part& part) {
    for (const auto& column : columns) {
      Column one{.kind = kind_of_type(column.type), .name = column.name, .header = column.name};
      auto code = default_format(one.kind, column.type);
      for (const auto& config : part.config.columns) {
        if (engine::fold(config.name) != engine::fold(column.name))
          continue;
        one.header = config.header.empty() ? column.name : config.header;
        code = config.format.empty() ? code : config.format;
        one.width = config.width;
        one.total = config.total;
      }
      one.format = format_for(code, false);
      one.total_format = format_for(code, true);
      one.units = utf16_length(one.header) + 3;  // the filter's button
      part.columns.push_back(std::move(one));
    }
  }

  std::string fresh_name(const std::string& wanted) {
    bool cut = false;
    std::string name = cell_text(wanted, cut, kSheetNameMax);
    for (int n = 2; !names_.insert(engine::fold(name)).second; ++n) {
      const auto ending = fmt::format(" ({})", n);
      name = cell_text(wanted, cut, kSheetNameMax - ending.size()) + ending;
    }
    return name;
  }

  Status begin_sheet(Part& part) {
    const auto name = fresh_name(part.config.name);
    part.sheet = workbook_add_worksheet(book_, name.c_str());
    if (part.sheet == nullptr)
      return Error{Code::kInvalid, fmt::format("'{}' cannot be the name of a sheet", name)};
    part.sheets.emplace_back(name, 0);
    part.row = 1;
    worksheet_set_landscape(part.sheet);
    worksheet_set_paper(part.sheet, 9);  // A4
    worksheet_fit_to_pages(part.sheet, 1, 0);
    worksheet_repeat_rows(part.sheet, 0, 0);
    worksheet_set_footer(part.sheet, "&L&A&R&P / &N");
    if (part.config.freeze_rows > 0 || part.config.freeze_columns > 0)
      worksheet_freeze_panes(part.sheet, static_cast<lxw_row_t>(part.config.freeze_rows),
                             static_cast<lxw_col_t>(part.config.freeze_columns));
    for (size_t i = 0; i < part.columns.size(); ++i)
      worksheet_write_string(part.sheet, 0, static_cast<lxw_col_t>(i),
                             safe(part.columns[i].header, part).c_str(), header_);
    return ok();
  }

  std::string safe(std::string_view text, Part& part) {
    bool cut = false;
    auto out = escape_units(cell_text(text, cut));
    part.cut += cut ? 1 : 0;
    return out;
  }

  Status write_batch(const engine::TextBatch& batch, Part& part) {
    // Room is left for the totals.
    const auto last = static_cast<lxw_row_t>(options_.sheet_rows_max - 1);
    for (size_t row = 0; row < batch.rows; ++row) {
      if (part.row >= last) {
        end_sheet(part);
        TARN_CHECK(begin_sheet(part));
      }
      for (size_t i = 0; i < part.columns.size(); ++i) {
        if (!batch.columns[i].null[row])
          write_cell(batch.columns[i].text[row], i, part);
      }
      ++part.row;
      ++part.rows;
    }
    return ok();
  }

  void write_cell(const std::string& text, size_t column, Part& part) {
    auto& one = part.columns[column];
    const auto at = static_cast<lxw_col_t>(column);
    const auto cell = cell_of(one.kind, text);
    if (part.rows < static_cast<int64_t>(kWidthRows))
      one.units =
          std::max(one.units, std::min<size_t>(text.find('\n') == std::string::npos ? text.size() : 40, 60));
    ++one.sums.values;
    if (cell.kind == Cell::Kind::kNumber) {
      worksheet_write_number(part.sheet, part.row, at, cell.number, one.format);
      one.sums.add(cell.number);
    } else if (cell.kind == Cell::Kind::kBoolean) {
      worksheet_write_boolean(part.sheet, part.row, at, cell.number != 0 ? 1 : 0, one.format);
    } else {
      part.as_text += one.kind == ColumnKind::kText ? 0 : 1;
      if (text.empty()) {
        worksheet_write_blank(part.sheet, part.row, at, one.format);
      } else {
        worksheet_write_string(part.sheet, part.row, at, safe(text, part).c_str(), one.format);
      }
    }
  }

  void end_sheet(Part& part) {
    part.sheets.back().second = part.row - 1;
    const auto last = static_cast<lxw_col_t>(part.columns.size() - 1);
    for (size_t i = 0; i < part.columns.size(); ++i) {
      const auto& column = part.columns[i];
      const double width =
          column.width.value_or(std::clamp(static_cast<double>(column.units) + 1, kWidthMin, kWidthMax));
      worksheet_set_column(part.sheet, static_cast<lxw_col_t>(i), static_cast<lxw_col_t>(i), width, nullptr);
    }
    if (part.config.autofilter && part.row > 1)
      worksheet_autofilter(part.sheet, 0, 0, part.row - 1, last);
    for (const auto& highlight : part.config.highlights)
      write_highlight(highlight, part);
  }

  void write_highlight(const Highlight& highlight, Part& part) {
    const auto found = std::find_if(part.columns.begin(), part.columns.end(), [&](const Column& column) {
      return engine::fold(column.name) == engine::fold(highlight.column);
    });
    if (found == part.columns.end() || part.row <= 1)
      return;
    lxw_conditional_format rule{};
    rule.type = LXW_CONDITIONAL_TYPE_CELL;
    switch (highlight.kind) {
      case Highlight::Kind::kBelow: rule.criteria = LXW_CONDITIONAL_CRITERIA_LESS_THAN; break;
      case Highlight::Kind::kAbove: rule.criteria = LXW_CONDITIONAL_CRITERIA_GREATER_THAN; break;
      case Highlight::Kind::kEqual: rule.criteria = LXW_CONDITIONAL_CRITERIA_EQUAL_TO; break;
      case Highlight::Kind::kBetween: rule.criteria = LXW_CONDITIONAL_CRITERIA_BETWEEN; break;
      case Highlight::Kind::kScale: rule.type = LXW_CONDITIONAL_3_COLOR_SCALE; break;
      case Highlight::Kind::kBar: rule.type = LXW_CONDITIONAL_DATA_BAR; break;
    }
    std::string text;
    if (highlight.kind == Highlight::Kind::kEqual && !is_number(found->kind)) {
      for (const char c : highlight.value)
        text += c == '"' ? "\"\"" : std::string(1, c);
      text = "\"" + text + "\"";
      rule.value_string = text.data();
    } else {
      rule.value = rule.min_value = std::strtod(highlight.value.c_str(), nullptr);
      rule.max_value = std::strtod(highlight.second.c_str(), nullptr);
    }
    if (rule.type == LXW_CONDITIONAL_TYPE_CELL) {
      rule.format = workbook_add_format(book_);
      format_set_bg_color(rule.format, highlight.color);
    } else {
      rule.min_value = rule.max_value = 0;  // the column's own
    }
    const auto column = static_cast<lxw_col_t>(found - part.columns.begin());
    worksheet_conditional_format_range(part.sheet, 1, column, part.row - 1, column, &rule);
  }

  void write_totals(Part& part) {
    bool any = false;
    for (size_t i = 0; i < part.columns.size(); ++i) {
      auto& column = part.columns[i];
      const auto at = static_cast<lxw_col_t>(i);
      if (!column.total)
        continue;
      any = true;
      std::string ranges;
      for (const auto& [name, rows] : part.sheets) {
        if (rows == 0)
          continue;
        const auto sheet = part.sheets.size() > 1 ? quoted_sheet(name) : "";
        ranges += fmt::format("{}{}{}2:{}{}", ranges.empty() ? "" : ",", sheet,
                              column_letters(static_cast<int64_t>(i)),
                              column_letters(static_cast<int64_t>(i)), rows + 1);
      }
      const auto formula = fmt::format("=SUBTOTAL({},{})", subtotal_function(*column.total), ranges);
      if (!ranges.empty())
        worksheet_write_formula_num(part.sheet, part.row, at, formula.c_str(), column.total_format,
                                    column.sums.of(*column.total));
    }
    if (any && !part.columns.empty() && !part.columns[0].total)
      worksheet_write_string(part.sheet, part.row, 0, "Total", format_for("General", true));
  }

  void add_notes(const Part& part) {
    const auto& name = part.config.name;
    notes_.emplace_back(name, fmt::format("{} rows", part.rows));
    if (part.sheets.size() > 1)
      notes_.emplace_back(name,
                          fmt::format("too many rows for one sheet: they go on in {} sheets, up to '{}'",
                                      part.sheets.size(), part.sheets.back().first));
    if (part.cut > 0)
      notes_.emplace_back(
          name, fmt::format("{} texts are longer than {} characters and were cut", part.cut, kCellUnitsMax));
    if (part.as_text > 0)
      notes_.emplace_back(
          name,
          fmt::format("{} numbers or dates that Excel cannot hold exactly stand as text", part.as_text));
  }

  void write_info(const BookFacts& facts) {
    auto* sheet = workbook_add_worksheet(book_, fresh_name("Info").c_str());
    worksheet_set_column(sheet, 0, 0, 24, nullptr);
    worksheet_set_column(sheet, 1, 1, 100, nullptr);
    lxw_row_t row = 0;
    const auto line = [&](const std::string& name, const std::string& value, lxw_format* format) {
      bool cut = false;
      worksheet_write_string(sheet, row, 0, escape_units(cell_text(name, cut)).c_str(), bold_);
      if (!value.empty())
        worksheet_write_string(sheet, row, 1, escape_units(cell_text(value, cut)).c_str(), format);
      ++row;
    };
    const auto block = [&](const std::string& title, const auto& lines) {
      if (lines.empty())
        return;
      ++row;
      line(title, "", bold_);
      for (const auto& [name, value] : lines)
        line(name, value, wrapped_);
    };
    line(facts.title, facts.description, wrapped_);
    for (const auto& [name, value] : facts.lines)
      line(name, value, wrapped_);
    block("Parameters", facts.parameters);
    block("Sheets", notes_);
    block("Queries", facts.queries);
  }

  const BookOptions options_;
  lxw_workbook* book_ = nullptr;
  lxw_format *header_ = nullptr, *bold_ = nullptr, *wrapped_ = nullptr;
  std::map<std::pair<std::string, bool>, lxw_format*> formats_;
  std::set<std::string> names_;
  std::vector<std::pair<std::string, std::string>> notes_;
};

}  // namespace

Result<std::unique_ptr<BookWriter>> BookWriter::create(BookOptions options) {
  auto writer = std::make_unique<Writer>(std::move(options));
  TARN_CHECK(writer->open());
  return std::unique_ptr<BookWriter>(std::move(writer));
}

}  // namespace tarn::report
