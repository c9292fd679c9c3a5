#include "report/chart/draw.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>

#include <cairo.h>
#include <fmt/format.h>
#include <pango/pangocairo.h>

#include "report/chart/axis.h"

namespace tarn::report::chart {
namespace {

constexpr int kWidth = 640, kHeight = 340, kScale = 2;
constexpr double kTop = 62, kBottom = 30, kRight = 16;
constexpr double kEndLabels = 96;  // room for names at the ends of lines
constexpr size_t kNameTicksMax = 12;
constexpr int kTicksWanted = 5, kTimeTicksMost = 7;
constexpr uint32_t kText = 0x1b2428, kMuted = 0x5d6a70, kLine = 0xdde3e6;
constexpr std::array<uint32_t, kSeriesMax> kColors = {0x0a6780, 0xb84f14, 0x5b4fb3,
                                                      0x4f7a12, 0xb0306a, 0x6b6256};

struct FreeCairo {
  void operator()(cairo_surface_t* surface) const { cairo_surface_destroy(surface); }
  void operator()(cairo_t* cairo) const { cairo_destroy(cairo); }
};
struct FreePango {
  void operator()(PangoLayout* layout) const { g_object_unref(layout); }
  void operator()(PangoFontDescription* font) const { pango_font_description_free(font); }
};

// Where everything stands, in the picture's own units.
struct Plan {
  double left = 0, right = 0, top = kTop, bottom = kHeight - kBottom;
  Axis y;
  Axis x;               // times and numbers
  double band = 0;      // of one name, or of one bar's place
  bool direct = false;  // names stand at the ends of the lines
  size_t places = 0;

  [[nodiscard]] double y_at(double value) const {
    return bottom - (value - y.low) / (y.high - y.low) * (bottom - top);
  }
};

bool has_bands(const ChartConfig& config, const ChartData& data) {
  return config.type == Type::kBar || data.scale == ChartData::Scale::kName;
}

double longest_label(const Axis& axis) {
  size_t longest = 0;
  for (const auto& tick : axis.ticks)
    longest = std::max(longest, tick.label.size());
  return static_cast<double>(longest) * 6.6;
}

Axis y_axis(const ChartConfig& config, const ChartData& data) {
  double least = 0, most = 0;
  bool any = false;
  for (const auto& series : data.series) {
    for (const auto& y : series.y) {
      if (!y)
        continue;
      least = any ? std::min(least, *y) : *y;
      most = any ? std::max(most, *y) : *y;
      any = true;
    }
  }
  return number_axis(least, any ? most : 1, config.type != Type::kLine, kTicksWanted);
}

Plan plan_of(const ChartConfig& config, const ChartData& data) {
  Plan plan;
  plan.y = y_axis(config, data);
  plan.direct = config.type != Type::kBar && data.series.size() > 1;
  plan.left = 14 + longest_label(plan.y);
  plan.right = kWidth - (plan.direct ? kEndLabels : kRight);
  plan.places = data.x.size();
  plan.band = plan.places == 0 ? 0 : (plan.right - plan.left) / static_cast<double>(plan.places);
  if (!has_bands(config, data) && !data.x.empty()) {
    plan.x = data.scale == ChartData::Scale::kTime
                 ? time_axis(data.x.front(), data.x.back(), kTimeTicksMost)
                 : number_axis(data.x.front(), data.x.back(), false, kTicksWanted);
  }
  return plan;
}

double x_at(const ChartConfig& config, const ChartData& data, const Plan& plan, size_t i) {
  if (has_bands(config, data))
    return plan.left + plan.band * (static_cast<double>(i) + 0.5);
  return plan.left + (data.x[i] - plan.x.low) / (plan.x.high - plan.x.low) * (plan.right - plan.left);
}

struct BarPlace {
  double left = 0, width = 0;
};

// Bars of one place stand side by side.
BarPlace bar_at(const ChartData& data, const Plan& plan, size_t series, size_t i) {
  const auto count = static_cast<double>(data.series.size());
  const double room = std::min(plan.band * 0.76, 48.0 * count);
  const double center = plan.left + plan.band * (static_cast<double>(i) + 0.5);
  const double width = room / count;
  return {center - room / 2 + width * static_cast<double>(series),
          std::max(width - (width > 4 ? 1 : 0), 0.5)};
}

enum class Anchor { kLeft, kCenter, kRight };

class Painter {
 public:
  Painter(const ChartConfig& config, const ChartData& data, cairo_t* cairo)
      : config_(config), data_(data), cairo_(cairo), plan_(plan_of(config, data)) {}

  void paint(const std::string& title) {
    color(0xffffff, 1);
    cairo_paint(cairo_);
    text(title, 14, 12, Anchor::kLeft, 15, true, kText, kWidth - 28);
    const bool empty = data_.x.empty() || data_.series.empty();
    paint_caption(empty);
    if (empty)
      return text("no data", kWidth / 2.0, kHeight / 2.0, Anchor::kCenter, 13, false, kMuted, kWidth);
    paint_axes();
    if (config_.type == Type::kBar) {
      paint_bars();
    } else {
      for (size_t i = 0; i < data_.series.size(); ++i)
        paint_line(i);
      if (plan_.direct)
        paint_end_labels();
    }
  }

 private:
  void color(uint32_t rgb, double alpha) {
    cairo_set_source_rgba(cairo_, (rgb >> 16 & 0xFF) / 255.0, (rgb >> 8 & 0xFF) / 255.0, (rgb & 0xFF) / 255.0,
                          alpha);
  }

  // `y` is the middle of the line.
  void text(const std::string& words, double x, double y, Anchor anchor, double size, bool bold, uint32_t rgb,
            double width_max) {
    const std::unique_ptr<PangoLayout, FreePango> layout(pango_cairo_create_layout(cairo_));
    const std::unique_ptr<PangoFontDescription, FreePango> font(pango_font_description_new());
    pango_font_description_set_family(font.get(), "sans-serif");
    pango_font_description_set_absolute_size(font.get(), size * PANGO_SCALE);
    pango_font_description_set_weight(font.get(), bold ? PANGO_WEIGHT_BOLD : PANGO_WEIGHT_NORMAL);
    pango_layout_set_font_description(layout.get(), font.get());
    const std::unique_ptr<char, decltype(&g_free)> valid(
        g_utf8_make_valid(words.data(), static_cast<gssize>(words.size())), &g_free);
    pango_layout_set_text(layout.get(), valid.get(), -1);
    pango_layout_set_single_paragraph_mode(layout.get(), TRUE);
    int width = 0, height = 0;
    pango_layout_get_pixel_size(layout.get(), &width, &height);
    if (width > width_max) {
      pango_layout_set_width(layout.get(), static_cast<int>(width_max * PANGO_SCALE));
      pango_layout_set_ellipsize(layout.get(), PANGO_ELLIPSIZE_END);
      pango_layout_get_pixel_size(layout.get(), &width, &height);
    }
    const double left = anchor == Anchor::kLeft ? x : anchor == Anchor::kCenter ? x - width / 2.0 : x - width;
    color(rgb, 1);
    cairo_move_to(cairo_, std::clamp(left, 2.0, std::max(2.0, kWidth - 2.0 - width)), y - height / 2.0);
    pango_cairo_show_layout(cairo_, layout.get());
    last_width_ = width;
  }

  // Unit, what is left out, and of bars the colours.
  void paint_caption(bool empty) {
    std::string notes = config_.unit;
    const auto add = [&notes](const std::string& note) { notes += (notes.empty() ? "" : " · ") + note; };
    if (data_.left_out > 0)
      add(fmt::format("{} of {} series", data_.series.size(), data_.series.size() + data_.left_out));
    if (data_.cut)
      add(fmt::format("the first {} rows", kRowsMax));
    double x = 14;
    if (!notes.empty()) {
      text(notes, x, 40, Anchor::kLeft, 12, false, kMuted, kWidth - 28);
      x += last_width_ + 18;
    }
    if (empty || config_.type != Type::kBar || data_.series.size() < 2)
      return;
    for (size_t i = 0; i < data_.series.size(); ++i) {
      color(kColors.at(i), 1);
      cairo_rectangle(cairo_, x, 35, 10, 10);
      cairo_fill(cairo_);
      text(data_.series[i].name, x + 15, 40, Anchor::kLeft, 12, false, kMuted, 110);
      x += 15 + last_width_ + 14;
    }
  }

  void line_across(double y, uint32_t rgb) {
    const double crisp = std::round(y * kScale) / kScale;
    color(rgb, 1);
    cairo_set_line_width(cairo_, 1);
    cairo_move_to(cairo_, plan_.left, crisp);
    cairo_line_to(cairo_, plan_.right, crisp);
    cairo_stroke(cairo_);
  }

  void paint_axes() {
    for (const auto& tick : plan_.y.ticks) {
      const double y = plan_.y_at(tick.at);
      line_across(y, tick.at == 0 ? 0x9aa5aa : kLine);
      text(tick.label, plan_.left - 6, y, Anchor::kRight, 11, false, kMuted, 100);
    }
    const double y = plan_.bottom + 14;
    if (has_bands(config_, data_))
      return paint_bands(y);
    for (const auto& tick : plan_.x.ticks) {
      const double x =
          plan_.left + (tick.at - plan_.x.low) / (plan_.x.high - plan_.x.low) * (plan_.right - plan_.left);
      color(0x9aa5aa, 1);
      cairo_set_line_width(cairo_, 1);
      cairo_move_to(cairo_, x, plan_.bottom);
      cairo_line_to(cairo_, x, plan_.bottom + 4);
      cairo_stroke(cairo_);
      text(tick.label, x, y, Anchor::kCenter, 11, false, kMuted, 90);
    }
  }

  // Every name, or as many as there is room for.
  void paint_bands(double y) {
    const size_t step = (data_.x.size() + kNameTicksMax - 1) / kNameTicksMax;
    for (size_t i = 0; i < data_.x.size(); i += std::max<size_t>(1, step)) {
      const double x = plan_.left + plan_.band * (static_cast<double>(i) + 0.5);
      const auto name = data_.scale == ChartData::Scale::kTime ? time_text(data_.x[i])
                        : data_.scale == ChartData::Scale::kName
                            ? data_.names[static_cast<size_t>(data_.x[i])]
                            : short_number(data_.x[i]);
      text(name, x, y, Anchor::kCenter, 11, false, kMuted, plan_.band * static_cast<double>(step) - 4);
    }
  }

  void paint_bars() {
    const double zero = plan_.y_at(0);
    for (size_t s = 0; s < data_.series.size(); ++s) {
      color(kColors.at(s), 1);
      for (size_t i = 0; i < data_.x.size(); ++i) {
        const auto& value = data_.series[s].y[i];
        if (!value)
          continue;
        const auto place = bar_at(data_, plan_, s, i);
        const double y = plan_.y_at(*value);
        cairo_rectangle(cairo_, place.left, std::min(y, zero), place.width, std::abs(y - zero));
      }
      cairo_fill(cairo_);
    }
  }

  // The stretches between gaps.
  void paint_line(size_t s) {
    const auto& y = data_.series[s].y;
    for (size_t begin = 0; begin < y.size();) {
      if (!y[begin]) {
        ++begin;
        continue;
      }
      size_t end = begin;
      while (end < y.size() && y[end])
        ++end;
      paint_stretch(s, begin, end);
      begin = end;
    }
  }

  void paint_stretch(size_t s, size_t begin, size_t end) {
    const auto& y = data_.series[s].y;
    const auto x = [&](size_t i) { return x_at(config_, data_, plan_, i); };
    if (end - begin == 1) {  // a lone value would be no line
      color(kColors.at(s), 1);
      cairo_arc(cairo_, x(begin), plan_.y_at(*y[begin]), 2.5, 0, 2 * M_PI);
      cairo_fill(cairo_);
      return;
    }
    cairo_new_path(cairo_);
    for (size_t i = begin; i < end; ++i)
      cairo_line_to(cairo_, x(i), plan_.y_at(*y[i]));
    color(kColors.at(s), 1);
    cairo_set_line_width(cairo_, 2);
    cairo_set_line_join(cairo_, CAIRO_LINE_JOIN_ROUND);
    cairo_set_line_cap(cairo_, CAIRO_LINE_CAP_ROUND);
    if (config_.type == Type::kLine)
      return cairo_stroke(cairo_);
    cairo_stroke_preserve(cairo_);
    const double zero = plan_.y_at(0);
    cairo_line_to(cairo_, x(end - 1), zero);
    cairo_line_to(cairo_, x(begin), zero);
    cairo_close_path(cairo_);
    color(kColors.at(s), 0.16);
    cairo_fill(cairo_);
  }

  struct EndLabel {
    double y = 0;
    size_t series = 0;
  };

  // Names at the ends of their lines, pushed apart where they would meet.
  void paint_end_labels() {
    std::vector<EndLabel> labels;
    for (size_t s = 0; s < data_.series.size(); ++s) {
      const auto& y = data_.series[s].y;
      const auto last = std::find_if(y.rbegin(), y.rend(), [](const auto& one) { return one.has_value(); });
      if (last != y.rend())
        labels.push_back({plan_.y_at(**last), s});
    }
    std::sort(labels.begin(), labels.end(), [](const auto& a, const auto& b) { return a.y < b.y; });
    constexpr double kApart = 14;
    for (size_t i = 1; i < labels.size(); ++i)
      labels[i].y = std::max(labels[i].y, labels[i - 1].y + kApart);
    double lowest = plan_.bottom;
    for (size_t i = labels.size(); i-- > 0;) {
      labels[i].y = std::min(labels[i].y, lowest);
      lowest = labels[i].y - kApart;
    }
    for (const auto& label : labels)
      text(data_.series[label.series].name, plan_.right + 6, label.y, Anchor::kLeft, 12, false,
           kColors.at(label.series), kEndLabels - 12);
  }

  const ChartConfig& config_;
  const ChartData& data_;
  cairo_t* cairo_;
  const Plan plan_;
  double last_width_ = 0;
};

cairo_status_t keep_bytes(void* to, const unsigned char* bytes, unsigned int count) {
  static_cast<std::string*>(to)->append(reinterpret_cast<const char*>(bytes), count);
  return CAIRO_STATUS_SUCCESS;
}

}  // namespace

Result<Picture> draw(const ChartConfig& config, const std::string& title, const ChartData& data) {
  const std::unique_ptr<cairo_surface_t, FreeCairo> surface(
      cairo_image_surface_create(CAIRO_FORMAT_RGB24, kWidth * kScale, kHeight * kScale));
  const std::unique_ptr<cairo_t, FreeCairo> cairo(cairo_create(surface.get()));
  cairo_scale(cairo.get(), kScale, kScale);
  Painter(config, data, cairo.get()).paint(title);
  Picture picture{.png = "", .width = kWidth, .height = kHeight};
  const auto status = cairo_status(cairo.get()) != CAIRO_STATUS_SUCCESS
                          ? cairo_status(cairo.get())
                          : cairo_surface_write_to_png_stream(surface.get(), keep_bytes, &picture.png);
  if (status != CAIRO_STATUS_SUCCESS)
    return Error{Code::kInternal,
                 fmt::format("the chart cannot be drawn: {}", cairo_status_to_string(status))};
  return picture;
}

Spot spot_of(const ChartConfig& config, const ChartData& data, size_t series, size_t i) {
  const auto plan = plan_of(config, data);
  const double y = plan.y_at(data.series[series].y[i].value_or(0));
  if (config.type == Type::kBar) {
    const auto place = bar_at(data, plan, series, i);
    return {(place.left + place.width / 2) * kScale, y * kScale};
  }
  return {x_at(config, data, plan, i) * kScale, y * kScale};
}

uint32_t color_of(size_t series) {
  return kColors.at(series);
}

}  // namespace tarn::report::chart
