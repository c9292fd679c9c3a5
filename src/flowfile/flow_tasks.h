// A flow as tasks for the executor: "flow/task", and "flow/task[3]" for the third row of for_each.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "flow/task.h"
#include "flowfile/step.h"

namespace tarn::flowfile {

// `known`: inputs and results of a run that goes on, by task; its rows are made again from these, not asked
// anew.
std::vector<std::unique_ptr<flow::Task>> flow_tasks(const std::shared_ptr<FlowRun>& run,
                                                    const std::map<std::string, flow::TaskValues>& known);

}  // namespace tarn::flowfile
