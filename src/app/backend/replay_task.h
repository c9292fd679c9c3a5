// `tarn replay` as a task, so that it is recorded, logged and cancelled as everything else that runs.
#pragma once

#include <memory>
#include <string>

#include "flow/task.h"
#include "source/source.h"

namespace tarn::app {

std::unique_ptr<flow::Task> make_replay_task(std::shared_ptr<const source::Sources> sources,
                                             source::FetchRecords& fetches, std::string source,
                                             std::string run);

}  // namespace tarn::app
