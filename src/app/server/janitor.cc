#include "app/server/janitor.h"

#include "retention/config.h"

namespace tarn::app {
namespace {

constexpr std::chrono::seconds kFirst{30};  // the start has other things to do
constexpr std::chrono::minutes kLook{10};

}  // namespace

void Janitor::start() {
  thread_ = std::thread([this] { loop(); });
}

void Janitor::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    wake_.notify_all();
  }
  if (thread_.joinable())
    thread_.join();
}

void Janitor::loop() {
  std::unique_lock lock(mutex_);
  std::chrono::seconds pause = kFirst;
  while (!wake_.wait_for(lock, pause, [this] { return stopping_; })) {
    lock.unlock();
    look_();
    lock.lock();
    pause = kLook;
  }
}

bool cleans_now(const std::optional<Timestamp>& last, Timestamp now) {
  return !last || now < *last || now - *last >= retention::kDay;
}

}  // namespace tarn::app
