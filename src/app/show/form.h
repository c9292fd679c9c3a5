// Parameters of a report or a flow in the terminal.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "report/form.h"

namespace tarn::app {

// "  --param from*, to": what is required has a star. `flag` is how one is given on the command line.
std::string parameter_names(const std::vector<report::FormField>& fields, std::string_view flag);
// A line each: type, default, the first choices.
std::string parameter_lines(const std::vector<report::FormField>& fields, std::string_view flag);

}  // namespace tarn::app
