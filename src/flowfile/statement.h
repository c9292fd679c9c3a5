// SQL of a flow's file, made ready for the engine: {{ ref() }} rendered, $count.n a parameter, mistakes told
// at their place in the file.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostic.h"
#include "base/result.h"
#include "engine/parse.h"
#include "flowfile/reference.h"
#include "model/project.h"
#include "model/render.h"
#include "project/yaml_folder.h"
#include "report/query.h"

namespace tarn::flowfile {

struct Statement {
  report::Query query;
  model::Compiled compiled;
  std::string front;  // Tarn's own, before the compiled text
  std::string text;   // front + compiled + what stands behind it
  std::vector<engine::StatementFacts> parts;
  std::vector<Reference> references;

  [[nodiscard]] bool only_reads() const;
  // The text up to the part's end, with everything before the part blanked: errors keep their places.
  [[nodiscard]] std::string placed(const engine::StatementFacts& part) const;
};

// `mistake` has the place when it fails. `models` is null when they have mistakes; `reads` may be null.
Result<Statement> compile_statement(const model::ModelProject* models, const project::YamlFile& file,
                                    const report::Query& query, Diagnostic& mistake,
                                    std::string_view front = "", std::string_view end = "",
                                    model::Reads* reads = nullptr);

bool is_one_select(const Statement& statement);

// An error of the engine about the statement's text.
Diagnostic mistake_in(const project::YamlFile& file, const Statement& statement, const Error& error);

}  // namespace tarn::flowfile
