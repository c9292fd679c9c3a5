#include "app/show/chart.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

#include <fmt/format.h>

#include "serve/rows/json_value.h"

namespace tarn::app {
namespace {

constexpr size_t kBarsMax = 30;
constexpr size_t kPointsMax = 1'000'000;
constexpr std::array<std::string_view, 6> kSeriesColors = {"36", "33", "35", "32", "34", "31"};
constexpr std::array<std::string_view, 8> kEighths = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};

struct Series {
  std::string name;
  std::vector<std::optional<double>> values;
  double least = std::numeric_limits<double>::infinity();
  double most = -std::numeric_limits<double>::infinity();
};

std::optional<double> number_of(const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value))
    return std::nullopt;
  return value;
}

std::string short_number(double value) {
  if (value != 0 && (std::abs(value) >= 1e7 || std::abs(value) < 1e-3))
    return fmt::format("{:.2e}", value);
  auto text = fmt::format("{:.2f}", value);
  while (text.back() == '0')
    text.pop_back();
  if (text.back() == '.')
    text.pop_back();
  return text == "-0" ? "0" : text;
}

// Where values lie between the least and the greatest, from 0 to 1. Halves, as the difference of two doubles
// may be more than a double.
class Span {
 public:
  Span(double least, double most) : least_(least), half_(most / 2 - least / 2) {}
  [[nodiscard]] double place_of(double value) const {
    return half_ > 0 ? std::clamp((value / 2 - least_ / 2) / half_, 0.0, 1.0) : 0;
  }

 private:
  double least_, half_;
};

// A bar of `cells` cells with a fraction at its end.
std::string bar_of(double cells) {
  const auto eighths = static_cast<int>(std::lround(std::max(0.0, cells) * 8));
  std::string bar;
  for (int i = 0; i < eighths / 8; ++i)
    bar += "█";
  return bar + std::string(kEighths[static_cast<size_t>(eighths % 8)]);
}

// Dots of 2 x 4 a letter.
class Canvas {
 public:
  Canvas(int columns, int rows)
      : columns_(columns), rows_(rows), cells_(static_cast<size_t>(columns) * static_cast<size_t>(rows)) {}
  void dot(int x, int y, size_t series) {
    if (x < 0 || y < 0 || x >= columns_ * 2 || y >= rows_ * 4)
      return;
    static constexpr std::array<std::array<uint8_t, 2>, 4> kBits = {{{1, 8}, {2, 16}, {4, 32}, {64, 128}}};
    auto& cell =
        cells_[static_cast<size_t>(y / 4) * static_cast<size_t>(columns_) + static_cast<size_t>(x / 2)];
    cell.bits |= kBits[static_cast<size_t>(y % 4)][static_cast<size_t>(x % 2)];
    cell.series = series;
  }
  void line(int x0, int y0, int x1, int y1, size_t series) {
    const int steps = std::max({1, std::abs(x1 - x0), std::abs(y1 - y0)});
    for (int i = 0; i <= steps; ++i)
      dot(x0 + (x1 - x0) * i / steps, y0 + (y1 - y0) * i / steps, series);
  }
  [[nodiscard]] std::string row(int y, const Colors& colors) const {
    std::string text;
    for (int x = 0; x < columns_; ++x) {
      const auto& cell =
          cells_[static_cast<size_t>(y) * static_cast<size_t>(columns_) + static_cast<size_t>(x)];
      if (cell.bits == 0) {
        text += ' ';
        continue;
      }
      const unsigned point = 0x2800U + cell.bits;
      const std::string letter = {static_cast<char>(0xe0U | (point >> 12U)),
                                  static_cast<char>(0x80U | ((point >> 6U) & 0x3fU)),
                                  static_cast<char>(0x80U | (point & 0x3fU))};
      text += colors.paint(kSeriesColors[cell.series % kSeriesColors.size()], letter);
    }
    return text;
  }

 private:
  struct Cell {
    uint8_t bits = 0;
    size_t series = 0;
  };
  int columns_, rows_;
  std::vector<Cell> cells_;
};

class ChartWriter final : public serve::RowWriter {
 public:
  ChartWriter(ChartOptions options, serve::ByteSink sink) : options_(options), sink_(std::move(sink)) {}

  Status columns(const std::vector<engine::Column>& columns) override {
    for (size_t i = 0; i < columns.size(); ++i) {
      if (i == 0 && columns.size() > 1)
        continue;
      if (!serve::is_number_type(columns[i].type))
        continue;
      places_.push_back(i);
      series_.push_back({.name = columns[i].name, .values = {}});
    }
    has_labels_ = columns.size() > 1;
    if (!series_.empty())
      return ok();
    return Error{Code::kInvalid,
                 "a chart needs a label column and then at least one number column; select them so, "
                 "or use another --format"};
  }

  Status rows(const engine::TextBatch& batch) override {
    for (size_t row = 0; row < batch.rows; ++row) {
      if (labels_.size() >= kPointsMax) {
        return Error{Code::kExhausted,
                     fmt::format("a chart takes at most {} rows; aggregate first", kPointsMax)};
      }
      labels_.push_back(has_labels_ ? one_line(batch.columns[0].text[row])
                                    : std::to_string(labels_.size() + 1));
      for (size_t i = 0; i < series_.size(); ++i) {
        const auto& column = batch.columns[places_[i]];
        const auto value = column.null[row] ? std::nullopt : number_of(column.text[row]);
        if (value) {
          series_[i].least = std::min(series_[i].least, *value);
          series_[i].most = std::max(series_[i].most, *value);
        }
        series_[i].values.push_back(value);
      }
    }
    return ok();
  }

  Status end() override {
    if (labels_.empty())
      return sink_("no rows\n");
    return sink_(labels_.size() <= kBarsMax ? bars() : lines());
  }

 private:
  [[nodiscard]] std::string bars() const {
    int label_width = 0, number_width = 0;
    double least = 0, most = 0;
    for (const auto& label : labels_)
      label_width = std::max(label_width, display_width(label));
    label_width = std::min(label_width, std::max(8, options_.width / 3));
    for (const auto& one : series_) {
      least = std::min(least, one.least);
      most = std::max(most, one.most);
      for (const auto& value : one.values) {
        if (value)
          number_width = std::max(number_width, static_cast<int>(short_number(*value).size()));
      }
    }
    const int room = std::max(10, options_.width - label_width - number_width - 4);
    const Span span(least, most);
    std::string out = legend();
    for (size_t row = 0; row < labels_.size(); ++row) {
      for (size_t i = 0; i < series_.size(); ++i) {
        const auto label = i == 0 ? cut_to_width(labels_[row], label_width) : std::string();
        const std::string pad(static_cast<size_t>(label_width - display_width(label)), ' ');
        const auto& value = series_[i].values[row];
        const auto number = value ? short_number(*value) : "null";
        out += fmt::format("{}{} {:>{}} ", label, pad, number, number_width);
        if (value)
          out += bar_line(*value, span, room, i);
        out += "\n";
      }
    }
    return out;
  }

  [[nodiscard]] std::string bar_line(double value, const Span& span, int room, size_t series) const {
    const auto color = kSeriesColors[series % kSeriesColors.size()];
    const double zero = span.place_of(0) * room;
    const double end = span.place_of(value) * room;
    if (value >= 0) {
      return std::string(static_cast<size_t>(zero), ' ') + options_.colors.paint(color, bar_of(end - zero));
    }
    const auto start = static_cast<size_t>(end);
    return std::string(start, ' ') + options_.colors.paint(color, bar_of(zero - static_cast<double>(start)));
  }

  [[nodiscard]] std::string lines() const {
    double least = std::numeric_limits<double>::infinity();
    double most = -least;
    for (const auto& one : series_) {
      least = std::min(least, one.least);
      most = std::max(most, one.most);
    }
    if (!(least <= most))
      return "only nulls\n";
    if (least == most) {
      least -= 1;
      most += 1;
    }
    const auto top = short_number(most), bottom = short_number(least),
               middle = short_number(most / 2 + least / 2);
    const int axis = static_cast<int>(std::max({top.size(), bottom.size(), middle.size()}));
    const int columns = std::max(20, options_.width - axis - 3);
    Canvas canvas(columns, options_.height);
    for (size_t i = 0; i < series_.size(); ++i)
      draw(canvas, i, columns * 2 - 1, least, most);
    std::string out = legend();
    for (int y = 0; y < options_.height; ++y) {
      const auto& mark = y == 0                     ? top
                         : y == options_.height - 1 ? bottom
                         : y == options_.height / 2 ? middle
                                                    : "";
      out +=
          fmt::format("{:>{}} {} {}\n", mark, axis, options_.colors.dim("│"), canvas.row(y, options_.colors));
    }
    const auto first = labels_.front(), last = labels_.back();
    const int gap = std::max(1, columns - display_width(first) - display_width(last));
    out += fmt::format("{:>{}} {}{}{}{}\n", "", axis, "  ", first, std::string(static_cast<size_t>(gap), ' '),
                       last);
    return out;
  }

  void draw(Canvas& canvas, size_t series, int last_x, double least, double most) const {
    const auto& values = series_[series].values;
    const int last_y = options_.height * 4 - 1;
    const Span span(least, most);
    std::optional<std::pair<int, int>> before;
    for (size_t i = 0; i < values.size(); ++i) {
      if (!values[i]) {
        before.reset();
        continue;
      }
      const double across =
          values.size() > 1 ? static_cast<double>(i) / static_cast<double>(values.size() - 1) : 0;
      const int x = static_cast<int>(std::lround(across * last_x));
      const int y = last_y - static_cast<int>(std::lround(span.place_of(*values[i]) * last_y));
      if (before) {
        canvas.line(before->first, before->second, x, y, series);
      } else {
        canvas.dot(x, y, series);
      }
      before = {x, y};
    }
  }

  [[nodiscard]] std::string legend() const {
    std::string text;
    for (size_t i = 0; i < series_.size(); ++i) {
      const auto color = kSeriesColors[i % kSeriesColors.size()];
      text += (text.empty() ? "" : "   ") + options_.colors.paint(color, "■") + " " + series_[i].name;
    }
    return text + "\n";
  }

  const ChartOptions options_;
  serve::ByteSink sink_;
  std::vector<std::string> labels_;
  std::vector<Series> series_;
  std::vector<size_t> places_;
  bool has_labels_ = false;
};

}  // namespace

std::unique_ptr<serve::RowWriter> make_chart_writer(ChartOptions options, serve::ByteSink sink) {
  return std::make_unique<ChartWriter>(options, std::move(sink));
}

}  // namespace tarn::app
