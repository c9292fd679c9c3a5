#include "app/leave.h"

#include <unistd.h>

#include <cstdio>
#include <thread>

namespace tarn::app {

void leave_soon(int code, std::chrono::milliseconds patience) {
  std::thread([code, patience] {
    std::this_thread::sleep_for(patience);
    (void)std::fflush(nullptr);
    ::_exit(code);
  }).detach();
}

}  // namespace tarn::app
