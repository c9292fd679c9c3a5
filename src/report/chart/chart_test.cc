// Goal: a chart shows each value where it belongs, gaps as gaps, bars from zero, and its mistakes have a
// place. Method: the picture is decoded and looked at, pixel by pixel, where values and gaps must be.
#include "report/chart/chart.h"

#include <cairo.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "report/chart/axis.h"
#include "report/chart/draw.h"

namespace tarn::report::chart {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class Image {
 public:
  explicit Image(const std::string& png) : bytes_(png) {
    surface_ = cairo_image_surface_create_from_png_stream(
        [](void* from, unsigned char* to, unsigned int count) {
          auto& image = *static_cast<Image*>(from);
          if (image.at_ + count > image.bytes_.size())
            return CAIRO_STATUS_READ_ERROR;
          image.bytes_.copy(reinterpret_cast<char*>(to), count, image.at_);
          image.at_ += count;
          return CAIRO_STATUS_SUCCESS;
        },
        this);
  }
  Image(const Image&) = delete;
  Image& operator=(const Image&) = delete;
  ~Image() { cairo_surface_destroy(surface_); }
  [[nodiscard]] int width() const { return cairo_image_surface_get_width(surface_); }
  [[nodiscard]] int height() const { return cairo_image_surface_get_height(surface_); }
  [[nodiscard]] uint32_t at(double x, double y) const {
    const auto* row = cairo_image_surface_get_data(surface_) +
                      static_cast<ptrdiff_t>(y) * cairo_image_surface_get_stride(surface_);
    return reinterpret_cast<const uint32_t*>(row)[static_cast<ptrdiff_t>(x)] & 0xFFFFFF;
  }

 private:
  const std::string& bytes_;
  size_t at_ = 0;
  cairo_surface_t* surface_ = nullptr;
};

ChartConfig config_of(Type type) {
  ChartConfig config;
  config.type = type;
  config.unit = "USD";
  return config;
}

ChartData days(std::vector<Series> series) {
  ChartData data{.scale = ChartData::Scale::kTime, .series = std::move(series)};
  for (size_t i = 0; i < data.series.front().y.size(); ++i)
    data.x.push_back(1'760'000'000.0 + 86'400.0 * static_cast<double>(i));
  return data;
}

TEST(ChartDrawTest, LinesGoThroughTheirValuesAndLeaveGaps) {
  const auto config = config_of(Type::kLine);
  const auto data = days({{"A", {10, 12, 11, {}, {}, 14, 15}}, {"B", {20, 21, 19, 18, 18, 22, {}}}});
  const auto picture = draw(config, "Close", data);
  ASSERT_TRUE(picture) << picture.error().message;
  const Image image(picture->png);
  ASSERT_EQ(image.width(), picture->width * 2);
  ASSERT_EQ(image.height(), picture->height * 2);
  for (size_t s = 0; s < 2; ++s) {
    for (size_t i = 0; i < data.x.size(); ++i) {
      if (!data.series[s].y[i])
        continue;
      const auto spot = spot_of(config, data, s, i);
      EXPECT_EQ(image.at(spot.x, spot.y), color_of(s)) << s << " " << i;
    }
  }
  const auto before = spot_of(config, data, 0, 2), after = spot_of(config, data, 0, 5);
  for (double x = before.x + 6; x < after.x - 6; x += 1) {
    for (double y = 130; y < 600; y += 1)
      ASSERT_NE(image.at(x, y), color_of(0)) << x << " " << y;
  }
}

TEST(ChartDrawTest, BarsStandOnZero) {
  const auto config = config_of(Type::kBar);
  ChartData data{.scale = ChartData::Scale::kName, .x = {0, 1, 2}, .names = {"a", "b", "c"}};
  data.series = {{"sales", {100, 104, -20}}};
  const auto picture = draw(config, "Sales", data);
  ASSERT_TRUE(picture);
  const Image image(picture->png);
  const auto high = spot_of(config, data, 0, 0), low = spot_of(config, data, 0, 2);
  ChartData zero = data;
  zero.series[0].y = {0, 104, -20};
  const auto ground = spot_of(config, zero, 0, 0);
  EXPECT_EQ(image.at(high.x, high.y + 2), color_of(0));
  EXPECT_EQ(image.at(high.x, ground.y - 2), color_of(0));
  EXPECT_NE(image.at(high.x, high.y - 4), color_of(0));
  EXPECT_EQ(image.at(low.x, ground.y + 2), color_of(0));
  EXPECT_GT(low.y, ground.y);
}

TEST(ChartDrawTest, NothingToShowAndOneValueAreNoTrouble) {
  EXPECT_TRUE(draw(config_of(Type::kLine), "Empty", {}));
  const auto alone = days({{"A", {5}}});
  const auto picture = draw(config_of(Type::kArea), "One \xFF <b>&amp;", alone);
  ASSERT_TRUE(picture);
  const auto spot = spot_of(config_of(Type::kArea), alone, 0, 0);
  EXPECT_EQ(Image(picture->png).at(spot.x, spot.y), color_of(0));
  EXPECT_TRUE(draw(config_of(Type::kLine), "", days({{"A", {{}, {}}}})));
}

TEST(ChartAxisTest, RoundNumbers) {
  const auto labels = [](const Axis& axis) {
    std::vector<std::string> all;
    for (const auto& tick : axis.ticks)
      all.push_back(tick.label);
    return all;
  };
  EXPECT_THAT(labels(number_axis(0.2, 4.1, true, 5)), ElementsAre("0", "1", "2", "3", "4", "5"));
  EXPECT_THAT(labels(number_axis(101, 109, false, 5)), ElementsAre("100", "102", "104", "106", "108", "110"));
  EXPECT_THAT(labels(number_axis(12'000, 31'000, true, 5)), ElementsAre("0", "10K", "20K", "30K", "40K"));
  EXPECT_THAT(labels(number_axis(5, 5, false, 5)).size(), testing::Ge(2U));
  EXPECT_THAT(labels(number_axis(0, 0, true, 5)), testing::Contains("0"));
  EXPECT_EQ(short_number(-1234567), "-1.2M");
  EXPECT_EQ(short_number(1234.5), "1,234.5");
  constexpr double kDay = 86'400;
  EXPECT_THAT(labels(time_axis(1'767'225'600, 1'767'225'600 + 120 * kDay, 7)),
              ElementsAre("Jan 2026", "Feb", "Mar", "Apr", "May"));
  EXPECT_THAT(labels(time_axis(1'767'225'600, 1'767'225'600 + 0.5 * kDay, 7)),
              ElementsAre("1 Jan", "03:00", "06:00", "09:00", "12:00"));
  for (double span = 1; span < 1e12; span *= 3)
    EXPECT_LE(time_axis(0, span, 7).ticks.size(), 9U) << span;
}

TEST(ChartConfigTest, MistakesHaveAPlace) {
  const auto mistake = [](const std::string& text) {
    Diagnostics mistakes;
    const auto node = codec::parse_yaml(text, "r.yml");
    (void)read_chart(*node, mistakes);
    return mistakes.empty() ? "" : to_string(mistakes.front());
  };
  EXPECT_EQ(mistake("{type: line, query: select 1, x: a, y: [b, c], unit: EUR}"), "");
  EXPECT_THAT(mistake("{query: select 1, x: a}"), HasSubstr("needs y"));
  EXPECT_THAT(mistake("{type: pie, x: a, y: b}"), HasSubstr("r.yml:1:8"));
  EXPECT_THAT(mistake("{x: a, y: [b, c], series: d}"), HasSubstr("several y, or series"));
  EXPECT_THAT(mistake("{x: a, y: [a, b, c, d, e, f, g]}"), HasSubstr("at most 6"));
  EXPECT_THAT(mistake("line"), HasSubstr("chart is a map"));
  ChartConfig config;
  config.x = {"day", {"r.yml", 3, 4}};
  config.y = {{"clos", {"r.yml", 4, 4}}, {"name", {"r.yml", 5, 4}}};
  Diagnostics mistakes;
  check_columns(config, {{"Day", "DATE"}, {"close", "DOUBLE"}, {"name", "VARCHAR"}}, mistakes);
  ASSERT_EQ(mistakes.size(), 2U);
  EXPECT_EQ(to_string(mistakes[0]),
            "r.yml:4:4: the chart's query has no column 'clos': did you mean 'close'?");
  EXPECT_THAT(to_string(mistakes[1]), HasSubstr("is of type VARCHAR"));
}

}  // namespace
}  // namespace tarn::report::chart
