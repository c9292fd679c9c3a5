#include "session/link.h"

#include <algorithm>
#include <utility>

#include "session/watchdog.h"

namespace tarn::session {
namespace {

// A cancel is to be answered within 250 ms.
constexpr auto kPatience = std::chrono::milliseconds(150);

}  // namespace

bool Link::make_call(const std::shared_ptr<Run>& run, std::function<void()> body,
                     std::function<void()> drop) {
  {
    const std::lock_guard lock(mutex_);
    under_way_ = true;
    began_ = clock_.steady();
  }
  crew_.start([self = shared_from_this(), run, body = std::move(body), drop = std::move(drop)]() mutable {
    body();
    body = nullptr;
    self->finish(*run, drop);
  });
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return !under_way_ || left_; });
  return !left_;
}

void Link::finish(Run& run, const std::function<void()>& drop) {
  {
    const std::lock_guard lock(mutex_);
    if (!left_) {
      under_way_ = false;
      changed_.notify_all();
      return;
    }
  }
  drop();
  drop_connection();
  run.end();
}

void Link::close(const std::shared_ptr<Run>& run) {
  if (make_call(run, [this] { drop_connection(); }, [] {})) {
    run->end();
  }
}

void Link::drop_connection() {
  std::unique_ptr<engine::Connection> dropped;
  const std::lock_guard lock(mutex_);
  dropped.swap(connection_);
}

void Link::stop(Duration asked_at) {
  const std::lock_guard lock(mutex_);
  if (connection_) {
    connection_->interrupt();  // only sets a flag
  }
  if (under_way_ && !left_ && clock_.steady() - std::max(asked_at, began_) >= kPatience) {
    left_ = !connection_ || connection_->forbid_commits();
    if (left_) {
      changed_.notify_all();
    }
  }
}

bool Link::is_left() const {
  const std::lock_guard lock(mutex_);
  return left_;
}

}  // namespace tarn::session
