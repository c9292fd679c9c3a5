#include "flow/task.h"

#include <fmt/format.h>

namespace tarn::flow {

std::string TaskContext::token(std::string_view step) const {
  return fmt::format("{}/{}/{}", run_id, task_name, step);
}

}  // namespace tarn::flow
