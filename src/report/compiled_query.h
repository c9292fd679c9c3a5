// A query of a YAML file, rendered, with mistakes told at their place in that file.
#pragma once

#include <string_view>

#include "base/diagnostic.h"
#include "base/result.h"
#include "model/model.h"
#include "model/project.h"
#include "model/render.h"
#include "project/yaml_folder.h"
#include "report/query.h"

namespace tarn::report {

// `mistake` has the place when it fails. The text is one SELECT. `models` is null when they have mistakes;
// `reads` gets what it refers to.
Result<model::Compiled> compile_query(const model::ModelProject* models, const project::YamlFile& file,
                                      const Query& query, Diagnostic& mistake, model::Reads* reads = nullptr);

// An error of the engine about `front` + the compiled text.
Diagnostic mistake_in(const project::YamlFile& file, const Query& query, const model::Compiled& compiled,
                      const Error& error, std::string_view front = "");

// Line and column of a text of the file are taken as those of `query` in it.
Place place_in_query(const project::YamlFile& file, const Query& query, const Place& inside);

// Of a byte of the query's text.
Place place_in_text(const project::YamlFile& file, const Query& query, size_t offset);

}  // namespace tarn::report
