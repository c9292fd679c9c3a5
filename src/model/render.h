// Renders a model, test or text of YAML with everything that dbt's templates may call: ref, source, config,
// var, env_var, this, is_incremental, target, exceptions, log ...
#pragma once

#include <string>

#include "model/project.h"

namespace tarn::model {

struct RenderRequest {
  const Node* node = nullptr;  // null for tests and YAML
  const DataTest* test = nullptr;
  bool incremental = false;  // what is_incremental() answers
  bool full_refresh = false;
  // Reading mode: names of tables are not final; what is read and configured is written here.
  Reads* reads = nullptr;
  jinja::Members* configured = nullptr;
};

// The error's text has the mistake's place in front; `mistake` has both apart.
Result<jinja::Rendered> render(const ModelProject& project, const jinja::Template& text,
                               const RenderRequest& request, Diagnostic& mistake);
Result<jinja::Value> call_macro(const ModelProject& project, const std::string& name,
                                const jinja::Arguments& arguments, const RenderRequest& request,
                                Diagnostic& mistake);
// "{{ var('x') }}" in YAML: one expression keeps its type, other text becomes text.
Result<jinja::Value> render_yaml_text(const ModelProject& project, const std::string& text,
                                      const Place& place);

// The SQL of a model with its ephemeral models put in front as CTEs, without a semicolon at the end.
struct Compiled {
  std::shared_ptr<const jinja::Template> text;
  jinja::Rendered rendered;
};
Result<Compiled> compile_node(const ModelProject& project, const Node& node, bool incremental,
                              bool full_refresh, Diagnostic& mistake);
// A SELECT that stands in another file, such as a report; `reads` may be null. Its text need not parse.
Result<Compiled> compile_text(const ModelProject& project, const std::string& file, const std::string& text,
                              Reads* reads, Diagnostic& mistake);
Result<Compiled> compile_test(const ModelProject& project, const DataTest& test, Diagnostic& mistake);

// An error of the engine over `front` + the compiled SQL, told at the place in the model's own file.
Diagnostic place_error(const ModelProject& project, const Compiled& compiled, const Error& error,
                       std::string_view front);

// `database`: an attachment; empty: the lake.
std::string quote_table(const engine::TableName& table, const std::string& database);
jinja::Value relation_of(const engine::TableName& table, const std::string& database = "");

}  // namespace tarn::model
