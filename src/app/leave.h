// A statement of the engine that looks at no interrupt must not keep the process: what was answered is on the
// disk already, so that leaving is as harmless as a kill.
#pragma once

#include <chrono>

namespace tarn::app {

// Lets the process end by itself for a moment, then ends it with this code. For the end of a command that was
// cancelled.
void leave_soon(int code, std::chrono::milliseconds patience = std::chrono::milliseconds(300));

}  // namespace tarn::app
