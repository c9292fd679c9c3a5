// Checks queries of a YAML file against the lake as it will be: mistakes are told at their place in the file.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/diagnostic.h"
#include "engine/connection.h"
#include "model/model.h"
#include "project/yaml_folder.h"
#include "report/parameter_config.h"
#include "report/query.h"
#include "session/draft.h"

namespace tarn::report {

struct QueryContext {
  const model::ModelProject* models;
  const project::YamlFile& file;
  const std::vector<ParameterConfig>& parameters;
  std::string_view parameters_key;  // of the file: "parameters", "filters"
};

// Columns of one query. nullopt: its mistake is told, or nobody can know them.
std::optional<std::vector<engine::Column>> check_query(const QueryContext& context, const Query& query,
                                                       session::Draft& draft, Diagnostics& found);

// The column that is called `name`; null: it is told that `what` ("sheet Bars") has none.
const engine::Column* check_column(const std::vector<engine::Column>& columns, const std::string& name,
                                   const std::string& what, const Place& place, Diagnostics& found);

}  // namespace tarn::report
