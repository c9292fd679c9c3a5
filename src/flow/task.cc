#include "flow/task.h"

#include <fmt/format.h>

namespace tarn::flow {

std::string TaskContext::token(std::string_view step) const {
  return token_of(run_id, task_name, step);
}

std::string token_of(std::string_view run_id, std::string_view task_name, std::string_view step) {
  return fmt::format("{}/{}/{}", run_id, task_name, step);
}

}  // namespace tarn::flow
