#include "report/form.h"

#include <algorithm>

namespace tarn::report {

std::vector<FormField> fields_of(const std::vector<ParameterConfig>& parameters) {
  std::vector<FormField> fields;
  for (const auto& parameter : parameters) {
    fields.push_back({.name = parameter.name,
                      .type = std::string(name_of(parameter.type)),
                      .label = parameter.label,
                      .description = parameter.description,
                      .required = parameter.required,
                      .defaults = parameter.defaults.value_or(std::vector<std::string>()),
                      .written = parameter.defaults.value_or(std::vector<std::string>()),
                      .choices = parameter.choices});
  }
  return fields;
}

Status settle_fields(std::string_view of, std::vector<FormField>& fields,
                     const std::vector<ParameterConfig>& parameters, Asker& asker) {
  TARN_TRY(auto looks, asker.look(of, parameters, {}, true));
  for (size_t i = 0; i < fields.size(); ++i) {
    if (parameters[i].type == ParameterType::kDate && !fields[i].defaults.empty())
      fields[i].defaults = {looks[i].value.shown};
    looks[i].choices.resize(std::min(looks[i].choices.size(), kFormChoicesMax));
    fields[i].choices = std::move(looks[i].choices);
    for (const auto need : looks[i].needs)
      fields[i].needs.push_back(parameters[need].name);
  }
  return ok();
}

}  // namespace tarn::report
