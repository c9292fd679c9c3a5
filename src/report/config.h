// One reports/*.yml as read: parameters, sheets, or a template with what fills it, mail. Immutable after
// reading. Every mistake is a Diagnostic with its place; docs/workbooks.md is the reference.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostic.h"
#include "base/env/file_system.h"
#include "base/result.h"
#include "project/yaml_folder.h"
#include "report/mail/mail_config.h"
#include "report/parameter_config.h"
#include "report/query.h"

namespace tarn::report {

enum class Total { kSum, kAverage, kMin, kMax, kCount };

struct ColumnConfig {
  std::string name;  // of the query's column
  Place place;
  std::string header;  // empty: the name
  std::string format;  // as Excel writes it; empty: by the type
  std::optional<double> width;
  std::optional<Total> total;
};

struct Highlight {
  enum class Kind { kBelow, kAbove, kEqual, kBetween, kScale, kBar };
  Kind kind = Kind::kBelow;
  std::string column;
  Place place;
  std::string value, second;  // numbers, or the text of kEqual
  uint32_t color = 0xFFC7CE;
};

struct SheetConfig {
  std::string name;
  Place place;
  Query query;
  std::vector<ColumnConfig> columns;
  std::vector<Highlight> highlights;
  int64_t freeze_rows = 1, freeze_columns = 0;
  bool autofilter = true;
};

struct FillConfig {
  enum class Kind { kCell, kName, kTable };
  Kind kind = Kind::kCell;
  std::string target;  // "Sheet!B3", a defined name, a table's name
  Place place;
  Query query;
  bool inserts = false;  // rows below move down; a table always does
  bool header = false;   // names of columns stand in the first row
};

struct ReportConfig {
  std::string name;  // of the file, without ".yml"
  project::YamlFile file;
  bool broken = false;  // has mistakes: it may lack anything but name and file, and is never run
  std::string title;
  std::string description;
  std::vector<ParameterConfig> parameters;
  std::vector<SheetConfig> sheets;
  std::string template_path;  // relative to the project's root; empty: none
  Place template_place;
  std::vector<FillConfig> fills;
  bool info_sheet = true;
  std::optional<mail::MailConfig> mail;
};

// Reads one text to its end; all mistakes are in `diagnostics`.
std::shared_ptr<const ReportConfig> read_config(std::string_view text, const std::string& path,
                                                Diagnostics& diagnostics);

// The format code of "percent", "number(2)", "date" and other words; a code of Excel's own stays as it is.
std::string format_code(std::string_view text);

}  // namespace tarn::report
