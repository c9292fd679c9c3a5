#include "report/config.h"

#include <algorithm>
#include <charconv>
#include <set>

#include <fmt/format.h>

namespace tarn::report {
namespace {

using codec::YamlNode;
using codec::YamlReader;

constexpr size_t kSheetNameMax = 31;

// "RRGGBB", "#RRGGBB" or a word.
std::optional<uint32_t> parse_color(std::string text) {
  static const std::map<std::string, uint32_t> kWords = {
      {"red", 0xFFC7CE}, {"green", 0xC6EFCE}, {"yellow", 0xFFEB9C}, {"blue", 0xBDD7EE}, {"grey", 0xD9D9D9}};
  if (const auto word = kWords.find(text); word != kWords.end())
    return word->second;
  if (text.starts_with("#"))
    text.erase(0, 1);
  uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  if (text.size() != 6 || error != std::errc() || end != text.data() + text.size())
    return std::nullopt;
  return value;
}

class ConfigReader {
 public:
  ConfigReader(ReportConfig& config, Diagnostics& diagnostics) : config_(config), diagnostics_(diagnostics) {}

  void read(const YamlNode& node) {
    YamlReader reader(node, "the report", diagnostics_);
    config_.title = reader.text("title", config_.name);
    config_.description = reader.text("description");
    config_.info_sheet = reader.boolean("info", true);
    if (const auto* parameters = reader.child("parameters"))
      config_.parameters = read_parameters(*parameters, diagnostics_);
    read_template(reader, node);
    if (const auto* sheets = reader.child("sheets"))
      read_list(*sheets, "sheets", reader, [this](const YamlNode& item) { read_sheet(item); });
    if (const auto* fills = reader.child("fill"))
      read_list(*fills, "fill", reader, [this](const YamlNode& item) { read_fill(item); });
    if (const auto* mail = reader.child("mail")) {
      config_.mail = mail::read_mail(*mail, diagnostics_);
      check_values();
    }
    check_parts(reader, node);
    reader.finish();
  }

 private:
  void tell(const Place& place, std::string message) { diagnostics_.push_back({place, std::move(message)}); }

  template <class Read>
  void read_list(const YamlNode& node, std::string_view what, YamlReader& reader, Read read) {
    if (node.kind != YamlNode::Kind::kSequence)
      return reader.mistake(node, fmt::format("{} is a list: each entry starts with '- '", what));
    for (const auto& item : node.items)
      read(item);
  }

  void read_template(YamlReader& reader, const YamlNode& node) {
    config_.template_path = reader.text("template");
    const auto* at = node.find("template");
    if (at == nullptr)
      return;
    config_.template_place = at->place;
    const auto& path = config_.template_path;
    if (path.starts_with("/") || path.find("..") != std::string::npos)
      tell(at->place, "template is a file in the project, e.g. reports/prices.xlsx");
  }

  // {title} and {parameter} in what the mail says.
  void check_values() {
    std::map<std::string, std::string> values = {{"title", ""}, {"today", ""}};
    for (const auto& parameter : config_.parameters)
      values[parameter.name];
    for (const auto& [text, place] : {std::pair(config_.mail->subject, config_.mail->subject_place),
                                      std::pair(config_.mail->text, config_.mail->text_place)}) {
      if (const auto put = mail::put_values(text, values); !put)
        tell(place, put.error().message);
    }
  }

  void check_parts(YamlReader& reader, const YamlNode& node) {
    const bool has_template = !config_.template_path.empty();
    if (has_template && node.find("sheets") != nullptr)
      reader.mistake(*node.find("sheets"),
                     "a report with a template has no sheets: its layout is filled, see fill");
    if (has_template && node.find("fill") == nullptr)
      tell(config_.template_place, "a template needs fill: which cell, name or table gets which query");
    if (!has_template && node.find("fill") != nullptr)
      reader.mistake(*node.find("fill"), "fill needs a template: write 'template: reports/NAME.xlsx'");
    if (!has_template && node.find("sheets") == nullptr)
      reader.mistake(node, "a report needs sheets, or a template with fill");
    std::set<std::string> names;
    for (const auto& sheet : config_.sheets) {
      std::string folded = sheet.name;
      std::transform(folded.begin(), folded.end(), folded.begin(), ::tolower);
      if (!names.insert(folded).second)
        tell(sheet.place, fmt::format("two sheets are named '{}': give one another name", sheet.name));
    }
  }

  void read_sheet(const YamlNode& node) {
    SheetConfig sheet;
    sheet.place = node.place;
    YamlReader reader(node, "a sheet", diagnostics_);
    sheet.name = reader.required_text("name");
    if (const auto* name = node.find("name"); name != nullptr && !sheet.name.empty())
      check_sheet_name(sheet.name, name->place);
    sheet.query = read_query(reader, "query", node, true);
    if (const auto* columns = reader.child("columns"))
      read_columns(*columns, reader, sheet);
    if (const auto* totals = reader.child("totals"))
      read_totals(*totals, reader, sheet);
    if (const auto* list = reader.child("highlight"))
      read_list(*list, "highlight", reader, [&](const YamlNode& item) { read_highlight(item, sheet); });
    read_freeze(reader, node, sheet);
    sheet.autofilter = reader.boolean("autofilter", true);
    reader.finish();
    config_.sheets.push_back(std::move(sheet));
  }

  void check_sheet_name(const std::string& name, const Place& place) {
    if (name.size() > kSheetNameMax || name.find_first_of("[]:*?/\\") != std::string::npos ||
        name.front() == '\'' || name.back() == '\'') {
      tell(place, fmt::format("'{}' cannot be a sheet's name: at most {} characters, none of []:*?/\\", name,
                              kSheetNameMax));
    }
  }

  // "freeze: false", "freeze: {rows: 1, columns: 2}"
  void read_freeze(YamlReader& reader, const YamlNode& node, SheetConfig& sheet) {
    const auto* freeze = node.find("freeze");
    if (freeze == nullptr || freeze->kind != YamlNode::Kind::kMap) {
      sheet.freeze_rows = reader.boolean("freeze", true) ? 1 : 0;
      return;
    }
    (void)reader.child("freeze");
    YamlReader inner(*freeze, "freeze", diagnostics_);
    sheet.freeze_rows = std::clamp<int64_t>(inner.integer("rows").value_or(1), 0, 1000);
    sheet.freeze_columns = std::clamp<int64_t>(inner.integer("columns").value_or(0), 0, 1000);
    inner.finish();
  }

  static ColumnConfig& column_of(SheetConfig& sheet, const YamlNode::Entry& entry) {
    for (auto& column : sheet.columns) {
      if (column.name == entry.key)
        return column;
    }
    return sheet.columns.emplace_back(ColumnConfig{.name = entry.key, .place = entry.place});
  }

  void read_columns(const YamlNode& node, YamlReader& reader, SheetConfig& sheet) {
    if (node.kind != YamlNode::Kind::kMap)
      return reader.mistake(node, "columns is a map of names, e.g. 'columns: {close: {format: number(2)}}'");
    for (const auto& entry : node.entries) {
      auto& column = column_of(sheet, entry);
      if (entry.value.kind == YamlNode::Kind::kScalar) {
        column.format = format_code(entry.value.text);
        continue;
      }
      YamlReader inner(entry.value, fmt::format("column {}", entry.key), diagnostics_);
      column.header = inner.text("header");
      column.format = format_code(inner.text("format"));
      column.width = inner.number("width");
      if (column.width && (*column.width < 0 || *column.width > 255))
        inner.mistake(*entry.value.find("width"), "width is a number of characters from 0 to 255");
      inner.finish();
    }
  }

  void read_totals(const YamlNode& node, YamlReader& reader, SheetConfig& sheet) {
    static const std::map<std::string, Total> kTotals = {{"sum", Total::kSum},
                                                         {"average", Total::kAverage},
                                                         {"min", Total::kMin},
                                                         {"max", Total::kMax},
                                                         {"count", Total::kCount}};
    if (node.kind != YamlNode::Kind::kMap)
      return reader.mistake(node, "totals is a map of columns, e.g. 'totals: {amount: sum}'");
    for (const auto& entry : node.entries) {
      const auto found = kTotals.find(entry.value.text);
      if (found == kTotals.end()) {
        reader.mistake(entry.value,
                       fmt::format("total '{}' is not sum, average, min, max or count", entry.value.text));
        continue;
      }
      column_of(sheet, entry).total = found->second;
    }
  }

  void read_highlight(const YamlNode& node, SheetConfig& sheet) {
    Highlight one;
    YamlReader reader(node, "a highlight", diagnostics_);
    one.column = reader.required_text("column");
    one.place = node.find("column") != nullptr ? node.find("column")->place : node.place;
    if (const auto color = reader.text("color"); !color.empty()) {
      const auto value = parse_color(color);
      if (!value)
        reader.mistake(*node.find("color"),
                       "color is red, green, yellow, blue, grey, or RRGGBB in hex digits");
      one.color = value.value_or(one.color);
    }
    int kinds = 0;
    const auto number = [&](std::string_view key, Highlight::Kind kind) {
      if (const auto value = reader.number(key)) {
        one.kind = kind;
        one.value = node.find(key)->text;
        ++kinds;
      }
    };
    number("below", Highlight::Kind::kBelow);
    number("above", Highlight::Kind::kAbove);
    if (reader.child("equal") != nullptr) {
      one.kind = Highlight::Kind::kEqual;
      one.value = reader.text("equal");
      ++kinds;
    }
    if (const auto between = reader.texts("between")) {
      one.kind = Highlight::Kind::kBetween;
      ++kinds;
      if (between->size() == 2) {
        one.value = (*between)[0];
        one.second = (*between)[1];
      } else {
        reader.mistake(*node.find("between"), "between is two numbers: [0, 10]");
      }
    }
    for (const auto& [key, kind] :
         {std::pair{"scale", Highlight::Kind::kScale}, {"bar", Highlight::Kind::kBar}}) {
      if (reader.boolean(key, false)) {
        one.kind = kind;
        ++kinds;
      }
    }
    if (kinds != 1)
      reader.mistake(node, "a highlight has one of below, above, equal, between, scale: true and bar: true");
    reader.finish();
    sheet.highlights.push_back(std::move(one));
  }

  void read_fill(const YamlNode& node) {
    FillConfig fill;
    YamlReader reader(node, "a fill", diagnostics_);
    int targets = 0;
    for (const auto& [key, kind] : {std::pair{"cell", FillConfig::Kind::kCell},
                                    {"name", FillConfig::Kind::kName},
                                    {"table", FillConfig::Kind::kTable}}) {
      if (const auto text = reader.text(key); !text.empty()) {
        fill.kind = kind;
        fill.target = text;
        fill.place = node.find(key)->place;
        ++targets;
      }
    }
    if (targets != 1)
      reader.mistake(node,
                     "a fill has one of cell (Sheet1!B3), name (a defined name) and table (a table's name)");
    fill.query = read_query(reader, "query", node, true);
    const auto rows = reader.choice("rows", {"insert", "overwrite"}, "");
    fill.inserts = rows == "insert" || (rows.empty() && fill.kind != FillConfig::Kind::kCell);
    if (fill.kind == FillConfig::Kind::kTable && rows == "overwrite")
      reader.mistake(*node.find("rows"), "a table grows with its rows: take 'rows' out");
    fill.header = reader.boolean("header", false);
    if (fill.kind == FillConfig::Kind::kTable && fill.header)
      reader.mistake(*node.find("header"), "a table has its own header, which stays: take 'header' out");
    reader.finish();
    config_.fills.push_back(std::move(fill));
  }

  ReportConfig& config_;
  Diagnostics& diagnostics_;
};

}  // namespace

std::string format_code(std::string_view text) {
  static const std::map<std::string, std::string, std::less<>> kWords = {
      {"date", "yyyy-mm-dd"}, {"datetime", "yyyy-mm-dd hh:mm:ss"},
      {"time", "hh:mm:ss"},   {"integer", "#,##0"},
      {"number", "#,##0.00"}, {"percent", "0.0%"},
      {"text", "@"},          {"general", "General"}};
  if (const auto word = kWords.find(text); word != kWords.end())
    return word->second;
  const auto open = text.find('(');
  const auto word = text.substr(0, open);
  if (open == std::string_view::npos || text.back() != ')' || (word != "number" && word != "percent"))
    return std::string(text);
  unsigned places = 0;
  const auto inside = text.substr(open + 1, text.size() - open - 2);
  const auto [end, error] = std::from_chars(inside.data(), inside.data() + inside.size(), places);
  if (error != std::errc() || end != inside.data() + inside.size() || places > 20)
    return std::string(text);
  return fmt::format("{}{}{}{}", word == "number" ? "#,##0" : "0", places > 0 ? "." : "",
                     std::string(places, '0'), word == "percent" ? "%" : "");
}

std::shared_ptr<const ReportConfig> read_config(std::string_view text, const std::string& path,
                                                Diagnostics& diagnostics) {
  return project::read_named<ReportConfig>(
      {path, std::string(text)}, diagnostics,
      [](const auto& node, auto& report, auto& found) { ConfigReader(report, found).read(node); });
}

}  // namespace tarn::report
