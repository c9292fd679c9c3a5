// The mistakes of a flow that only the project and the engine can see.
#pragma once

#include "flowfile/flows.h"

namespace tarn::flowfile {

void check_flow(const Flows& flows, const FlowConfig& flow, session::Draft& draft, const Select& select,
                Diagnostics& found);

}  // namespace tarn::flowfile
