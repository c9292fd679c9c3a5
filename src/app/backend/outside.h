// The databases of others that tarn.yml attaches, as the engine wants to know them.
#pragma once

#include <set>
#include <string>

#include "base/env/env.h"
#include "engine/outside.h"
#include "project/project.h"

namespace tarn::app {

// Secrets are resolved when one is opened. `env` must outlive the engine.
engine::OutsideOptions outside_options(Env& env, const project::Project& project);
std::set<std::string> attachment_names(const project::Project& project);

// Where DuckDB's signed extensions lie: TARN_EXTENSIONS, or beside the program, or where ./dev install puts
// them.
std::string extensions_folder();

}  // namespace tarn::app
