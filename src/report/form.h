// What a form shows of parameters, whether they are a report's or a flow's.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "report/ask.h"
#include "report/parameter_config.h"

namespace tarn::report {

struct FormField {
  std::string name, type, label, description;
  bool required = false;
  std::vector<std::string> defaults;  // dates are settled already
  std::vector<std::string> written;   // the same as the file has it: "today - 30 days"
  std::vector<Choice> choices;
  std::vector<std::string> needs;  // parameters that its choices depend on
};

// Defaults as they are written, and only the choices that the file lists.
std::vector<FormField> fields_of(const std::vector<ParameterConfig>& parameters);

// Settles the dates of `fields`, made of the same parameters, and asks the queries of choices: those that
// depend on other parameters for these with their defaults. `of` is for messages: "report daily".
Status settle_fields(std::string_view of, std::vector<FormField>& fields,
                     const std::vector<ParameterConfig>& parameters, Asker& asker);

}  // namespace tarn::report
