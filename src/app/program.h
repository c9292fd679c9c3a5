// The `tarn` program.
#pragma once

namespace tarn::app {

// Returns the exit code.
int run_program(int count, const char* const* words);

}  // namespace tarn::app
