#include "app/signals.h"

#include <pthread.h>
#include <unistd.h>

#include <csignal>
#include <ctime>

namespace tarn::app {
namespace {

sigset_t watched() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGHUP);
  return set;
}

}  // namespace

Signals::Signals() {
  const auto set = watched();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  thread_ = std::thread([this] { watch(); });
}

Signals::~Signals() {
  stopping_ = true;
  pthread_kill(thread_.native_handle(), SIGHUP);
  thread_.join();
}

void Signals::on_signal(std::function<void()> callback) {
  const std::lock_guard lock(mutex_);
  callback_ = std::move(callback);
}

void Signals::on_end(std::function<void()> callback) {
  const std::lock_guard lock(mutex_);
  end_ = std::move(callback);
}

void Signals::watch() {
  const auto set = watched();
  while (true) {
    int signal = 0;
    if (sigwait(&set, &signal) != 0)
      continue;
    if (stopping_)
      return;
    const std::lock_guard lock(mutex_);
    if (signal != SIGINT && end_) {
      end_();
      continue;
    }
    if (!callback_)
      ::_exit(130);
    callback_();
  }
}

}  // namespace tarn::app
