// Values for parameters: given, or by default, checked and made ready to be bound.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/connection.h"
#include "report/parameter_config.h"

namespace tarn::report {

// As given by a person: one text, several for a list.
using Given = std::map<std::string, std::vector<std::string>>;

struct Value {
  std::string name, label;
  std::string shown;  // for people
  engine::Parameter bound;
};

// The choices of a parameter; asked only where a value is looked for in them.
using AskChoices = std::function<Result<std::vector<Choice>>(const ParameterConfig&)>;

// `of` is said in messages ("report prices"). kInvalid names the parameter and what it takes; a name that is
// no parameter is a mistake, too. A parameter without value and default is NULL, a list without: empty.
Result<std::vector<Value>> settle_values(std::string_view of, const std::vector<ParameterConfig>& parameters,
                                         const Given& given, std::chrono::year_month_day today,
                                         const AskChoices& choices);
// One of them, by its own; `given` may have more.
Result<Value> settle_value(const ParameterConfig& parameter, const Given& given,
                           std::chrono::year_month_day today, const AskChoices& choices);
// NULL, or an empty list.
Value blank_value(const ParameterConfig& parameter);

// kInvalid: a name that is given and is no parameter.
Status check_names(std::string_view of, const std::vector<ParameterConfig>& parameters, const Given& given);

// Parameters of the right types without values, for checking a query.
std::vector<engine::Parameter> blank_values(const std::vector<ParameterConfig>& parameters);

}  // namespace tarn::report
