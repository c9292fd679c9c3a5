// Builds one model or seed: inside one transaction it is made, tested and committed; a failing test rolls
// back and the former version stays. One Builder a task attempt, on the task's thread.
#pragma once

#include "flow/task.h"
#include "model/project.h"

namespace tarn::model {

Status build(const ModelProject& project, const Node& node, flow::TaskContext& context);

}  // namespace tarn::model
