// `parameters:` of a YAML file, which people fill in before its queries run: a form in the UI, flags of a
// command, fields of the API. How to use it from another kind of file:
//   1. read_parameters() reads the map; mistakes get their places.
//   2. settle_values() (parameters.h) takes what a person gave, puts in defaults ("today - 30 days"), checks
//      choices, and returns values to bind by name: `$from` in the text, never pasted into it.
//   3. compile_query() (compiled_query.h) renders {{ ref() }} and tells mistakes at their place in the file;
//      blank_values() lets the engine check a query that has no values yet.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostic.h"
#include "codec/yaml.h"
#include "report/query.h"

namespace tarn::report {

enum class ParameterType { kDate, kText, kNumber, kChoice, kList };
std::string_view name_of(ParameterType type);

struct Choice {
  std::string value;
  std::string label;
};

struct ParameterConfig {
  std::string name;
  Place place;
  ParameterType type = ParameterType::kText;
  std::string label;
  std::string description;
  bool required = false;
  std::optional<std::vector<std::string>>
      defaults;  // as written: several of a list, "today - 30 days" of a date
  std::vector<Choice> choices;
  Query choices_query;  // first column: the value, second: its label
};

// The map `parameters:`. Never fails: mistakes are in `diagnostics`, and what is wrong is left out.
std::vector<ParameterConfig> read_parameters(const codec::YamlNode& node, Diagnostics& diagnostics);

}  // namespace tarn::report
