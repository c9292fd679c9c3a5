// Small questions to the lake that a form needs answered first: what day it is there, which choices there
// are. One thread.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/env/env.h"
#include "base/result.h"
#include "model/model.h"
#include "report/parameter_config.h"
#include "session/session.h"

namespace tarn::report {

constexpr size_t kFormChoicesMax = 10'000;        // that a form shows
constexpr size_t kCheckedChoicesMax = 1'000'000;  // that a value is looked for in

class Asker {
 public:
  Asker(session::Session& session, Env& env, const model::ModelProject* models, const YamlFile& file)
      : session_(session), env_(env), models_(models), file_(file) {}

  // In the project's time zone.
  Result<std::chrono::year_month_day> today();
  Result<std::string> now_text();
  // As listed, or from the query, at most `max`.
  Result<std::vector<Choice>> choices(const ParameterConfig& parameter, size_t max);

 private:
  Result<std::string> one_text(const std::string& sql);

  session::Session& session_;
  Env& env_;
  const model::ModelProject* models_;
  const YamlFile& file_;
};

}  // namespace tarn::report
