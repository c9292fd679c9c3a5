// One flows/*.yml as read: parameters, and tasks that follow each other. Immutable after reading. Every
// mistake of the text alone is a Diagnostic with its place; what needs the project or the engine is found by
// check.h. docs/flows.md is the reference.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/diagnostic.h"
#include "base/env/env.h"
#include "base/result.h"
#include "codec/yaml.h"
#include "flow/task.h"
#include "flowfile/reference.h"
#include "project/yaml_folder.h"
#include "report/parameter_config.h"
#include "report/query.h"

namespace tarn::flowfile {

enum class Kind { kRun, kSql, kReport, kHttp, kScript };
std::string_view name_of(Kind kind);

// A text with ${…} in it.
struct Text {
  std::string text;
  Place place;
  std::vector<TextPiece> pieces;
};
using NamedText = std::pair<std::string, Text>;

struct RunStep {
  std::vector<std::string> take, leave;
  bool full_refresh = false;
  std::vector<NamedText> vars;
};

struct ReportStep {
  std::string report;
  bool mail = true;
  Text file;  // where the workbook is kept; empty: nowhere
  std::vector<std::pair<std::string, std::vector<Text>>> parameters;
};

struct HttpStep {
  std::string method = "GET";
  Text url;
  std::vector<NamedText> headers;
  Text body;
  std::optional<codec::YamlNode> json;  // the body as a value; its texts have ${…}
  std::vector<int64_t> accept;          // statuses from 400 on that are no failure
};

struct ScriptStep {
  std::string file;   // relative to the project's root; empty: `shell`
  std::string shell;  // text for /bin/sh
  std::vector<Text> arguments;
  std::vector<NamedText> environment;
  uint64_t memory_bytes = uint64_t{1} << 30U;
  uint64_t file_bytes = uint64_t{1} << 30U;
  Duration cpu_time{0};  // 0: no limit
  int64_t processes = 256;
};

struct NamedPlace {
  std::string name;
  Place place;
};

struct TaskConfig {
  std::string name;
  Place place;
  Kind kind = Kind::kSql;
  Place kind_place;  // of the value that makes its kind
  std::vector<NamedPlace> after;
  flow::Join join = flow::Join::kAllDone;
  report::Query when, for_each;
  int at_once = 0;  // rows of for_each; 0: as many as the flow
  Duration timeout{0};
  int retries = 0;
  Duration retry_delay{5'000'000};
  bool repeatable = false;
  RunStep run;
  report::Query sql;
  ReportStep report;
  HttpStep http;
  ScriptStep script;
};

struct FlowConfig {
  std::string name;  // of the file, without ".yml"
  project::YamlFile file;
  bool broken = false;  // has mistakes: it may lack anything but name and file, and is never run
  std::string title;
  std::string description;
  std::vector<report::ParameterConfig> parameters;
  int at_once = 4;  // tasks side by side
  std::vector<TaskConfig> tasks;

  [[nodiscard]] const TaskConfig* find(std::string_view task) const;
  // All that run before it.
  [[nodiscard]] std::vector<std::string> all_before(const TaskConfig& task) const;
};

// Reads one text to its end; all mistakes are in `diagnostics`.
std::shared_ptr<const FlowConfig> read_flow(std::string_view text, const std::string& path,
                                            Diagnostics& diagnostics);

// Each text with ${…} of a task, wherever it stands. `visit` gets it with its place in the file.
void for_each_text(const TaskConfig& task, const std::function<void(const Text& text)>& visit);
// The texts of a value, from `json` of an http task: each with its pieces.
Result<Text> text_of_node(const codec::YamlNode& node);

}  // namespace tarn::flowfile
