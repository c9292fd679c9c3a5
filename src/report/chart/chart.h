// A chart of a mail: which columns of which query, and how. Pure; draw.h makes the picture.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostic.h"
#include "base/result.h"
#include "codec/yaml.h"
#include "engine/connection.h"
#include "report/query.h"

namespace tarn::report::chart {

enum class Type { kLine, kArea, kBar };
std::string_view name_of(Type type);

struct ColumnName {
  std::string name;
  Place place;
};

struct ChartConfig {
  Place place;
  Type type = Type::kLine;
  Query query;  // empty: that of the mail's table
  ColumnName x;
  std::vector<ColumnName> y;         // numbers; several are a series each
  std::optional<ColumnName> series;  // whose values are a series each; with one y
  std::string title;                 // empty: the report's
  std::string unit;
};

ChartConfig read_chart(const codec::YamlNode& node, Diagnostics& diagnostics);

// Columns that the query does not have, and y that is no number.
void check_columns(const ChartConfig& config, const std::vector<engine::Column>& columns,
                   Diagnostics& diagnostics);

constexpr size_t kSeriesMax = 6;
constexpr size_t kRowsMax = 20'000;

struct Series {
  std::string name;
  std::vector<std::optional<double>> y;  // one for each x; nothing is a gap
};

struct ChartData {
  enum class Scale { kTime, kNumber, kName };
  Scale scale = Scale::kName;
  std::vector<double> x;  // ascending; seconds since 1970 as the clock on the wall, numbers, or 0, 1, 2 …
  std::vector<std::string> names;  // kName
  std::vector<Series> series;
  size_t left_out = 0;  // series beyond the sixth
  bool cut = false;     // there are more rows
};

// Reads the rows, which need not be in order; names keep the order in which they come.
Result<ChartData> read_data(const ChartConfig& config, engine::ResultStream& rows);

// "Close in USD: line of AAPL, MSFT, from 2026-01-02 to 2026-11-20; newest 271.5, 510.1": for who cannot see
// the picture.
std::string described(const ChartConfig& config, const std::string& title, const ChartData& data);

}  // namespace tarn::report::chart
