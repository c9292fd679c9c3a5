#include "base/env/env.h"

#include <sys/random.h>
#include <random>
#include <thread>

namespace tarn {
namespace {

class RealClock : public Clock {
 public:
  Timestamp now() override {
    return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
  }
  Duration steady() override {
    return std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now().time_since_epoch());
  }
  void sleep_for(Duration duration) override { std::this_thread::sleep_for(duration); }
};

class RealRandom : public Random {
 public:
  uint64_t next() override {
    uint64_t value = 0;
    if (::getrandom(&value, sizeof value, 0) == static_cast<ssize_t>(sizeof value)) {
      return value;
    }
    std::random_device device;
    return (static_cast<uint64_t>(device()) << 32) | device();
  }
};

}  // namespace

Env& real_env() {
  static RealClock clock;
  static RealRandom random;
  static Env env{&real_file_system(), &clock, &random};
  return env;
}

}  // namespace tarn
