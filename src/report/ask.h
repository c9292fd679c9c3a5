// Small questions to the lake that a form needs answered first: what day it is there, which choices there
// are. One thread.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/env/env.h"
#include "base/result.h"
#include "model/model.h"
#include "project/yaml_folder.h"
#include "report/cascade.h"
#include "report/parameters.h"
#include "session/session.h"

namespace tarn::report {

constexpr size_t kFormChoicesMax = 10'000;        // that a form shows
constexpr size_t kCheckedChoicesMax = 1'000'000;  // that a value is looked for in

class Asker {
 public:
  Asker(session::Session& session, Env& env, const model::ModelProject* models, const project::YamlFile& file)
      : session_(session), env_(env), models_(models), file_(file) {}

  // In the project's time zone.
  Result<std::chrono::year_month_day> today();
  Result<std::string> now_text();
  // As listed, or from the query, at most `max`. `before`: values of parameters that the query may name.
  Result<std::vector<Choice>> choices(const ParameterConfig& parameter, size_t max,
                                      const std::vector<engine::Parameter>& before = {});

  // What is known of one parameter when others have these values.
  struct Look {
    Value value;           // blank with a problem
    std::string problem;   // why it has no value
    bool is_open = false;  // what its choices depend on has a problem: they are not known
    std::vector<Choice> choices;
    std::vector<size_t> needs;  // those that its choices depend on
  };
  // Each parameter, those first that choices of others depend on. kInvalid: a name that is no parameter, or
  // choices that depend on each other. `all`: with the choices of each, else of those that depend on others.
  Result<std::vector<Look>> look(std::string_view of, const std::vector<ParameterConfig>& parameters,
                                 const Given& given, bool all);
  // All values, or the first problem.
  Result<std::vector<Value>> settle(std::string_view of, const std::vector<ParameterConfig>& parameters,
                                    const Given& given);

 private:
  Result<std::string> one_text(const std::string& sql);

  session::Session& session_;
  Env& env_;
  const model::ModelProject* models_;
  const project::YamlFile& file_;
};

}  // namespace tarn::report
