#include "report/chart/chart.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <set>

#include <fmt/format.h>

#include "base/time.h"
#include "codec/text_distance.h"
#include "report/chart/axis.h"
#include "report/workbook/cell_value.h"

namespace tarn::report::chart {
namespace {

using codec::YamlNode;
using codec::YamlReader;

bool same_name(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) {
           return std::tolower(static_cast<unsigned char>(x)) == std::tolower(static_cast<unsigned char>(y));
         });
}

std::optional<size_t> find_column(const std::vector<engine::Column>& columns, const std::string& name) {
  for (size_t i = 0; i < columns.size(); ++i) {
    if (same_name(columns[i].name, name))
      return i;
  }
  return std::nullopt;
}

std::optional<double> number_of(const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value))
    return std::nullopt;
  return value;
}

// As the clock on the wall shows it: the text's own zone is left out.
std::optional<double> time_of(std::string text) {
  const auto zone = text.find_first_of("+Z", 10);
  const auto minus = text.find('-', 10);
  text = text.substr(0, std::min(zone, minus));
  const auto time = parse_time(text);
  if (!time)
    return std::nullopt;
  return static_cast<double>(time->time_since_epoch().count()) / 1e6;
}

ChartData::Scale scale_of(const std::string& type) {
  const auto kind = kind_of_type(type);
  if (kind == ColumnKind::kDate || kind == ColumnKind::kTimestamp)
    return ChartData::Scale::kTime;
  return is_number(kind) ? ChartData::Scale::kNumber : ChartData::Scale::kName;
}

// Rows into series, each with a place for each x.
class Gatherer {
 public:
  Gatherer(const ChartConfig& config, const std::vector<engine::Column>& columns) : config_(config) {
    x_ = find_column(columns, config.x.name).value_or(0);
    for (const auto& one : config.y)
      y_.push_back(find_column(columns, one.name).value_or(0));
    if (config.series)
      by_ = find_column(columns, config.series->name);
    data_.scale = scale_of(columns[x_].type);
    // Bars stand beside each other whatever they are of.
    if (config.type == Type::kBar && data_.scale == ChartData::Scale::kNumber)
      data_.scale = ChartData::Scale::kName;
    if (!by_) {
      for (const auto& one : config.y)
        series_of(one.name);
    }
  }

  void add(const engine::TextBatch& batch, size_t row) {
    const auto& x = batch.columns[x_];
    if (x.null[row])
      return;
    const auto place = place_of(x.text[row]);
    if (!place)
      return;
    for (size_t i = 0; i < y_.size(); ++i) {
      const auto& y = batch.columns[y_[i]];
      auto name = config_.y[i].name;
      if (by_)
        name = batch.columns[*by_].null[row] ? "null" : batch.columns[*by_].text[row];
      auto* series = series_of(name);
      if (series != nullptr)
        (*series)[*place] = y.null[row] ? std::nullopt : number_of(y.text[row]);
    }
  }

  ChartData finish(bool cut) {
    std::vector<double> places(places_.begin(), places_.end());
    data_.x = places;
    for (auto& [name, values] : series_) {
      Series one{.name = name, .y = {}};
      for (const double place : places) {
        const auto found = values.find(place);
        one.y.push_back(found == values.end() ? std::nullopt : found->second);
      }
      data_.series.push_back(std::move(one));
    }
    data_.left_out = left_out_.size();
    data_.cut = cut;
    return std::move(data_);
  }

 private:
  using Values = std::map<double, std::optional<double>>;

  std::optional<double> place_of(const std::string& text) {
    std::optional<double> place;
    switch (data_.scale) {
      case ChartData::Scale::kTime: place = time_of(text); break;
      case ChartData::Scale::kNumber: place = number_of(text); break;
      case ChartData::Scale::kName: {
        const auto [at, fresh] = name_places_.emplace(text, static_cast<double>(data_.names.size()));
        if (fresh)
          data_.names.push_back(text);
        place = at->second;
      }
    }
    if (place)
      places_.insert(*place);
    return place;
  }

  // Null: it is beyond the sixth.
  Values* series_of(const std::string& name) {
    for (auto& [known, values] : series_) {
      if (known == name)
        return &values;
    }
    if (series_.size() >= kSeriesMax) {
      left_out_.insert(name);
      return nullptr;
    }
    return &series_.emplace_back(name, Values()).second;
  }

  const ChartConfig& config_;
  size_t x_ = 0;
  std::vector<size_t> y_;
  std::optional<size_t> by_;
  ChartData data_;
  std::set<double> places_;
  std::map<std::string, double> name_places_;
  std::vector<std::pair<std::string, Values>> series_;
  std::set<std::string> left_out_;
};

std::string place_text(const ChartData& data, size_t i) {
  switch (data.scale) {
    case ChartData::Scale::kTime: return time_text(data.x[i]);
    case ChartData::Scale::kNumber: return short_number(data.x[i]);
    case ChartData::Scale::kName: return data.names[static_cast<size_t>(data.x[i])];
  }
  return "";
}

}  // namespace

std::string_view name_of(Type type) {
  switch (type) {
    case Type::kLine: return "line";
    case Type::kArea: return "area";
    case Type::kBar: return "bar";
  }
  return "line";
}

ChartConfig read_chart(const YamlNode& node, Diagnostics& diagnostics) {
  ChartConfig config;
  config.place = node.place;
  if (node.kind != YamlNode::Kind::kMap) {
    diagnostics.push_back({node.place, "chart is a map: {type: line, x: day, y: close}"});
    return config;
  }
  YamlReader reader(node, "chart", diagnostics);
  const auto type = reader.choice("type", {"line", "area", "bar"}, "line");
  config.type = type == "bar" ? Type::kBar : type == "area" ? Type::kArea : Type::kLine;
  config.query = read_query(reader, "query", node, false);
  const auto place_of = [&](std::string_view key) {
    const auto* found = node.find(key);
    return found != nullptr ? found->place : node.place;
  };
  config.x = {reader.required_text("x"), place_of("x")};
  const auto* y = reader.child("y");
  for (const auto& name : reader.texts("y").value_or(std::vector<std::string>()))
    config.y.push_back({name, place_of("y")});
  if (y != nullptr && y->kind == YamlNode::Kind::kSequence) {
    for (size_t i = 0; i < std::min(config.y.size(), y->items.size()); ++i)
      config.y[i].place = y->items[i].place;
  }
  if (config.y.empty())
    reader.mistake(y == nullptr ? node : *y, "a chart needs y: the column of its numbers, or several");
  if (config.y.size() > kSeriesMax)
    reader.mistake(*y, fmt::format("a chart shows at most {} series", kSeriesMax));
  if (const auto series = reader.text("series"); !series.empty()) {
    config.series = ColumnName{series, place_of("series")};
    if (config.y.size() > 1)
      reader.mistake(*node.find("series"), "a chart has several y, or series with one y");
  }
  config.title = reader.text("title");
  config.unit = reader.text("unit");
  reader.finish();
  return config;
}

void check_columns(const ChartConfig& config, const std::vector<engine::Column>& columns,
                   Diagnostics& diagnostics) {
  std::vector<std::string> names;
  for (const auto& column : columns)
    names.push_back(column.name);
  const auto find = [&](const ColumnName& wanted) -> const engine::Column* {
    if (const auto found = find_column(columns, wanted.name))
      return &columns[*found];
    const auto near = codec::nearest(wanted.name, names);
    diagnostics.push_back(
        {wanted.place, fmt::format("the chart's query has no column '{}': {}", wanted.name,
                                   near.empty() ? fmt::format("it has {}", fmt::join(names, ", "))
                                                : fmt::format("did you mean '{}'?", near))});
    return nullptr;
  };
  (void)find(config.x);
  if (config.series)
    (void)find(*config.series);
  for (const auto& one : config.y) {
    const auto* column = find(one);
    if (column != nullptr && !is_number(kind_of_type(column->type)))
      diagnostics.push_back({one.place, fmt::format("y '{}' is of type {}: a chart draws numbers",
                                                    column->name, column->type)});
  }
}

Result<ChartData> read_data(const ChartConfig& config, engine::ResultStream& rows) {
  const auto& columns = rows.columns();
  Diagnostics mistakes;
  check_columns(config, columns, mistakes);
  if (!mistakes.empty())
    return Error{Code::kInvalid, to_string(mistakes.front())};
  Gatherer gatherer(config, columns);
  size_t count = 0;
  while (true) {
    TARN_TRY(const auto batch, rows.next_text());
    if (!batch)
      return gatherer.finish(count > kRowsMax);
    for (size_t row = 0; row < batch->rows; ++row) {
      if (++count <= kRowsMax)
        gatherer.add(*batch, row);
    }
  }
}

std::string described(const ChartConfig& config, const std::string& title, const ChartData& data) {
  auto text =
      fmt::format("{}{}: {}", title, config.unit.empty() ? "" : " in " + config.unit, name_of(config.type));
  if (data.x.empty() || data.series.empty())
    return text + " without data";
  std::vector<std::string> names, newest;
  for (const auto& series : data.series) {
    names.push_back(series.name);
    const auto last =
        std::find_if(series.y.rbegin(), series.y.rend(), [](const auto& y) { return y.has_value(); });
    newest.push_back(last == series.y.rend() ? "none" : short_number(**last));
  }
  return fmt::format("{} of {}, from {} to {}; last {}", text, fmt::join(names, ", "), place_text(data, 0),
                     place_text(data, data.x.size() - 1), fmt::join(newest, ", "));
}

}  // namespace tarn::report::chart
