// Parameters whose choices depend on others: `$region` in the SELECT of a city's choices. What they need is
// settled before them, so that it can be bound.
#pragma once

#include <optional>
#include <vector>

#include "base/diagnostic.h"
#include "model/model.h"
#include "project/yaml_folder.h"
#include "report/parameter_config.h"

namespace tarn::report {

// By the parameter's index: the indexes of those that the SELECT of its choices names, in their order. What
// cannot be read or is not declared is left out: check_query() tells it.
using Needs = std::vector<std::vector<size_t>>;
Needs needs_of(const model::ModelProject* models, const project::YamlFile& file,
               const std::vector<ParameterConfig>& parameters);

// Each behind what it needs, else as in the file. nullopt: some need each other.
std::optional<std::vector<size_t>> order_of(const Needs& needs);

// Adds a mistake for each circle, at the $name in the file that closes it.
void check_circles(const Needs& needs, const project::YamlFile& file,
                   const std::vector<ParameterConfig>& parameters, Diagnostics& found);

}  // namespace tarn::report
