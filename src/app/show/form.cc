#include "app/show/form.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace tarn::app {

std::string parameter_names(const std::vector<report::FormField>& fields, std::string_view flag) {
  std::string names;
  for (const auto& field : fields) {
    names += names.empty() ? fmt::format("  {} ", flag) : ", ";
    names += field.name + (field.required ? "*" : "");
  }
  return names;
}

std::string parameter_lines(const std::vector<report::FormField>& fields, std::string_view flag) {
  constexpr size_t kChoicesShown = 10;
  std::string lines;
  for (const auto& field : fields) {
    std::vector<std::string> values;
    for (size_t i = 0; i < std::min(field.choices.size(), kChoicesShown); ++i)
      values.push_back(field.choices[i].value);
    if (field.choices.size() > values.size())
      values.emplace_back("…");
    lines += fmt::format(
        "  {} {}=…  {}{}{}{}{}\n", flag, field.name, field.type, field.required ? ", required" : "",
        field.defaults.empty() ? "" : fmt::format(", default {}", fmt::join(field.defaults, ", ")),
        field.needs.empty() ? "" : fmt::format(", by {}", fmt::join(field.needs, ", ")),
        values.empty() ? "" : fmt::format(", one of {}", fmt::join(values, ", ")));
  }
  return lines;
}

}  // namespace tarn::app
