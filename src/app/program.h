// The `tarn` program.
#pragma once

#include "base/env/env.h"

namespace tarn {
class FaultInjector;
}

namespace tarn::app {

struct ProgramOptions {
  Env* env = nullptr;               // null: the real machine
  FaultInjector* faults = nullptr;  // tests only: layers "sqlite" and "duckdb"; "files" is in the env
};

// Returns the exit code.
int run_program(int count, const char* const* words, const ProgramOptions& options = {});

}  // namespace tarn::app
