#include "app/backend/board_shelf.h"

#include "app/backend/project_tasks.h"

namespace tarn::app {
namespace {

// Many pages ask at the same moment; a folder is not looked through for each.
constexpr Duration kLook{500'000};

}  // namespace

Result<std::shared_ptr<const board::Boards>> ProjectBoards::boards(Look look) {
  const std::lock_guard lock(mutex_);
  const auto now = env_.clock->steady();
  if (look == Look::kLately && boards_ && looked_at_ && now - *looked_at_ < kLook)
    return boards_;
  auto stamp = project::text_stamp(project_);
  if (!boards_ || stamp != stamp_) {
    TARN_TRY(const auto plan, read_project(env_, project_, {}));
    boards_ = plan.boards;
    stamp_ = std::move(stamp);
  }
  looked_at_ = now;
  return boards_;
}

void ProjectBoards::forget() {
  const std::lock_guard lock(mutex_);
  boards_.reset();
  looked_at_.reset();
}

}  // namespace tarn::app
