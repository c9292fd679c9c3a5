#include "app/show/box_table.h"

#include <algorithm>
#include <numeric>

#include <fmt/format.h>

#include "serve/rows/json_value.h"

namespace tarn::app {
namespace {

constexpr int kColumnWidthMin = 4;
constexpr int kTextWidthMax = 120;

std::string repeat(std::string_view text, int times) {
  std::string result;
  for (int i = 0; i < times; ++i)
    result += text;
  return result;
}

// "12345" -> "12,345"
std::string grouped(int64_t number) {
  auto text = std::to_string(number);
  for (auto i = static_cast<int64_t>(text.size()) - 3; i > 0; i -= 3)
    text.insert(static_cast<size_t>(i), ",");
  return text;
}

class BoxTableWriter final : public serve::RowWriter {
 public:
  BoxTableWriter(BoxTableOptions options, serve::ByteSink sink)
      : options_(std::move(options)), sink_(std::move(sink)) {}

  Status columns(const std::vector<engine::Column>& columns) override {
    for (const auto& column : columns) {
      names_.push_back(one_line(column.name));
      right_.push_back(serve::is_number_type(column.type));
    }
    return ok();
  }

  Status rows(const engine::TextBatch& batch) override {
    for (size_t row = 0; row < batch.rows; ++row) {
      ++total_;
      if (options_.rows_max > 0 && kept_.size() >= options_.rows_max)
        continue;
      std::vector<Cell> cells;
      for (const auto& column : batch.columns) {
        const bool null = column.null[row];
        cells.push_back({null ? "null" : cut_to_width(one_line(column.text[row]), kTextWidthMax), null});
      }
      kept_.push_back(std::move(cells));
    }
    return ok();
  }

  Status end() override {
    choose_widths();
    std::string out = line("┌", "┬", "┐");
    std::vector<Cell> header;
    header.reserve(names_.size());
    for (const auto& name : names_)
      header.push_back({name, false});
    out += row_line(header, true);
    out += line("├", "┼", "┤");
    for (const auto& cells : kept_)
      out += row_line(cells, false);
    out += line("└", "┴", "┘");
    out += footer();
    return sink_(out);
  }

 private:
  struct Cell {
    std::string text;
    bool null = false;
  };

  void choose_widths() {
    widths_.assign(names_.size(), 0);
    for (size_t i = 0; i < names_.size(); ++i) {
      widths_[i] = display_width(names_[i]);
      for (const auto& cells : kept_)
        widths_[i] = std::max(widths_[i], display_width(cells[i].text));
    }
    shown_ = names_.size();
    if (options_.width <= 0)
      return;
    // Too wide: the widest column gives, until all fit or none can; then the last columns are left out.
    while (total_width() > options_.width) {
      const auto widest = std::max_element(widths_.begin(), widths_.begin() + static_cast<int64_t>(shown_));
      if (*widest > kColumnWidthMin * 2) {
        --*widest;
      } else if (shown_ > 1) {
        --shown_;
      } else {
        break;
      }
    }
  }
  [[nodiscard]] int total_width() const {
    const auto end = widths_.begin() + static_cast<int64_t>(shown_);
    return std::accumulate(widths_.begin(), end, 1) + 3 * static_cast<int>(shown_);
  }

  [[nodiscard]] std::string line(std::string_view left, std::string_view middle,
                                 std::string_view right) const {
    std::string text(left);
    for (size_t i = 0; i < shown_; ++i) {
      if (i > 0)
        text += middle;
      text += repeat("─", widths_[i] + 2);
    }
    text += right;
    return options_.colors.dim(text) + "\n";
  }

  [[nodiscard]] std::string row_line(const std::vector<Cell>& cells, bool header) const {
    const auto bar = options_.colors.dim("│");
    std::string text = bar;
    for (size_t i = 0; i < shown_; ++i) {
      const auto cut = cut_to_width(cells[i].text, widths_[i]);
      const std::string pad(static_cast<size_t>(std::max(0, widths_[i] - display_width(cut))), ' ');
      auto painted = cut;
      if (header)
        painted = options_.colors.bold(cut);
      if (!header && !cells[i].null && options_.paint)
        painted = options_.paint(i, cut);
      if (cells[i].null)
        painted = options_.colors.dim(cut);
      text += " ";
      text += right_[i] ? pad + painted : painted + pad;
      text += " " + bar;
    }
    return text + "\n";
  }

  [[nodiscard]] std::string footer() const {
    const auto kept = static_cast<int64_t>(kept_.size());
    auto text = total_ == 1 ? std::string("1 row") : grouped(total_) + " rows";
    if (!options_.footer.empty())
      text = options_.footer;
    if (kept < total_)
      text += fmt::format(" ({} shown; {})", grouped(kept), options_.more_hint);
    if (shown_ < names_.size())
      text += fmt::format(", {} of {} columns shown", shown_, names_.size());
    if (options_.note)
      text += ", " + options_.note();
    return options_.colors.dim(text) + "\n";
  }

  const BoxTableOptions options_;
  serve::ByteSink sink_;
  std::vector<std::string> names_;
  std::vector<bool> right_;
  std::vector<std::vector<Cell>> kept_;
  std::vector<int> widths_;
  size_t shown_ = 0;
  int64_t total_ = 0;
};

}  // namespace

std::unique_ptr<serve::RowWriter> make_box_table_writer(BoxTableOptions options, serve::ByteSink sink) {
  return std::make_unique<BoxTableWriter>(std::move(options), std::move(sink));
}

}  // namespace tarn::app
